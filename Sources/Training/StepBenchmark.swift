// How fast this machine trains and predicts: whole steps on synthetic pixels in memory.
import Fairness
import NeuralNetwork
import TensorCore

public struct StepBenchmark: Codable, Equatable, Sendable {
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

    /// Median of `repeats` steps each, after one that warms up. A training step is forward, loss through the fairness layer,
    /// backward, clipping and AdamW.
    public static func measure(
        model name: BackboneName = .simpleCNN, imageSize: Int, batchSize: Int, threads: Int, repeats: Int = 5
    ) throws -> StepBenchmark {
        Threads.configure(threads)
        var random = RandomSource(seed: 1)
        let images = Tensor(Shape(batchSize, imageSize, imageSize, 3))
        for i in 0..<images.count { images.pointer[i] = Float(4 * random.uniform() - 2) }
        let labels = (0..<batchSize).map { Float($0 % 2) }
        let groups = (0..<batchSize).map { $0 / 2 % 4 }
        let model = FaceClassifier(ClassifierConfiguration(backbone: name), random: random)
        let optimizer = AdamW(model.store, learningRates: [.backbone: 1e-3, .head: 1e-3])
        var method = TrainingConfiguration().makeMethod(groupCount: 4)

        let train = try medianSeconds(repeats) {
            model.store.zeroGradients()
            let logits = model.forward(images, .training).map(Double.init)
            let objective = try method.objective(logits, labels: labels, groups: groups)
            model.backward(objective.gradient.map { Float($0) })
            GradientClipping.clip(model.store, maxNorm: 8)
            optimizer.update()
        }
        model.trim()
        let infer = medianSeconds(repeats) { _ = model.forward(images, .inference) }
        let gflops = BLAS.squareGemmGflops(n: 2048, threads: threads, repeats: repeats)

        let trainRate = Double(batchSize) / train, inferRate = Double(batchSize) / infer
        let operations = model.operations(imageSize: imageSize)
        return StepBenchmark(
            model: name.rawValue, imageSize: imageSize, batchSize: batchSize, threads: threads, repeats: repeats,
            trainImagesPerSecond: trainRate, inferImagesPerSecond: inferRate, gemmGflops: gflops,
            trainGemmShare: operations.training * trainRate * 1e-9 / gflops,
            inferGemmShare: operations.forward * inferRate * 1e-9 / gflops, blasCore: BLAS.coreName)
    }

    private static func medianSeconds(_ repeats: Int, _ body: () throws -> Void) rethrows -> Double {
        try body()
        let clock = ContinuousClock()
        var seconds: [Double] = []
        for _ in 0..<max(1, repeats) { seconds.append(try clock.measure(body) / .seconds(1)) }
        return seconds.sorted()[seconds.count / 2]
    }
}
