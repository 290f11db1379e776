// How fast this machine trains and predicts: whole steps on synthetic pixels in memory.
import NeuralNetwork
import TensorCore

public struct StepBenchmark: Codable, Equatable, Sendable {
    /// Time of one layer in one pass, the median over the measured steps.
    public struct LayerRow: Codable, Equatable, Sendable {
        public var layer: String
        public var pass: LayerTimes.Pass
        public var milliseconds: Double
        /// Arithmetic of the direct algorithm per second; nil where arithmetic is not what takes the time.
        public var gflops: Double?
        /// The same as a share of ``StepBenchmark/gemmGflops``.
        public var gemmShare: Double?
    }

    /// One request of a few images, as the stream sends it.
    public struct Latency: Codable, Equatable, Sendable {
        public var batchSize: Int
        public var milliseconds: Double
        public var imagesPerSecond: Double
    }

    public struct Settings: Sendable {
        public var model = BackboneName.simpleCNN
        public var imageSize = 64
        public var batchSize = 128
        public var threads = 1
        /// Steps whose median is taken.
        public var repeats = 5
        /// Batch sizes of ``StepBenchmark/latencies``.
        public var latencyBatchSizes: [Int] = []
        /// Time every layer.
        public var layers = false
        /// False: every layer runs by itself.
        public var usesFusedKernels = true

        public init() {}
    }

    public var model: String
    public var imageSize: Int
    public var batchSize: Int
    public var threads: Int
    public var repeats: Int
    public var trainImagesPerSecond: Double
    public var inferImagesPerSecond: Double
    /// Square single-precision product of 2048 on the same threads. Units: 10⁹ operations per second.
    public var gemmGflops: Double
    /// Convolution arithmetic done per second, as a share of ``gemmGflops``.
    public var trainGemmShare: Double
    public var inferGemmShare: Double
    public var blasCore: String
    /// The instruction set of the kernels.
    public var isa: String
    /// The most memory that was resident up to the end of inference, and of training. Units: 2²⁰ bytes.
    public var inferPeakMemoryMb: Double
    public var peakMemoryMb: Double
    public var latencies: [Latency]
    public var layers: [LayerRow]?

    /// Medians of `settings.repeats` steps each, after one that warms up. A training step is forward, loss through the fairness
    /// layer, backward, clipping and AdamW.
    public static func measure(_ settings: Settings) throws -> StepBenchmark {
        Threads.configure(settings.threads)
        let step = SyntheticStep(settings.model, imageSize: settings.imageSize, batchSize: settings.batchSize)
        step.model.usesFusedKernels = settings.usesFusedKernels
        let infer = medianSeconds(settings.repeats) { step.infer() }
        let latencies = settings.latencyBatchSizes.map { count in
            let images = SyntheticStep.images(count: count, size: settings.imageSize)
            let seconds = medianSeconds(max(30, settings.repeats)) { _ = step.model.forward(images, .inference) }
            return Latency(batchSize: count, milliseconds: 1e3 * seconds, imagesPerSecond: Double(count) / seconds)
        }
        let inferPeak = ProcessMemory.peakBytes
        let train = try medianSeconds(settings.repeats) { try step.train() }
        let peak = ProcessMemory.peakBytes
        let gflops = BLAS.squareGemmGflops(n: 2048, threads: settings.threads, repeats: settings.repeats)

        let trainRate = Double(settings.batchSize) / train, inferRate = Double(settings.batchSize) / infer
        let operations = step.model.operations(imageSize: settings.imageSize)
        return StepBenchmark(
            model: settings.model.rawValue, imageSize: settings.imageSize, batchSize: settings.batchSize,
            threads: settings.threads, repeats: settings.repeats,
            trainImagesPerSecond: trainRate, inferImagesPerSecond: inferRate, gemmGflops: gflops,
            trainGemmShare: operations.training * trainRate * 1e-9 / gflops,
            inferGemmShare: operations.forward * inferRate * 1e-9 / gflops, blasCore: BLAS.coreName,
            isa: InstructionSet.current.description, inferPeakMemoryMb: Double(inferPeak) / 0x1p20,
            peakMemoryMb: Double(peak) / 0x1p20, latencies: latencies,
            layers: settings.layers ? try layerRows(step, repeats: settings.repeats, gemmGflops: gflops) : nil)
    }

    private static func layerRows(_ step: SyntheticStep, repeats: Int, gemmGflops: Double) throws -> [LayerRow] {
        let times = LayerTimes()
        for _ in 0..<max(1, repeats) { try step.train(times) }
        for _ in 0..<max(1, repeats) { times.record { step.infer() } }
        return times.entries.map { entry in
            let rate = entry.operations > 0 ? entry.operations / entry.median * 1e-9 : nil
            return LayerRow(
                layer: entry.key.layer, pass: entry.key.pass, milliseconds: 1e3 * entry.median, gflops: rate,
                gemmShare: rate.map { $0 / gemmGflops })
        }
    }

    static func medianSeconds(_ repeats: Int, _ body: () throws -> Void) rethrows -> Double {
        try body()
        let clock = ContinuousClock()
        var seconds: [Double] = []
        for _ in 0..<max(1, repeats) { seconds.append(try clock.measure(body) / .seconds(1)) }
        return seconds.sorted()[seconds.count / 2]
    }
}
