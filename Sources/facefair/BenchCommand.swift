// bench
import ArgumentParser
import Foundation
import NeuralNetwork
import TensorCore
import Training

struct BenchCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "bench",
        abstract: "Measure how fast this machine trains and predicts, and what share of its matrix product that is.",
        discussion: """
            With --format json, stdout gets one object: model, image_size, batch_size, threads, repeats, \
            train_images_per_second, infer_images_per_second (medians of whole steps, synthetic pixels in memory), gemm_gflops \
            (square sgemm of 2048), train_gemm_share, infer_gemm_share (convolution arithmetic over gemm_gflops), blas_core, isa \
            (instruction set of the kernels; the variable FACEFAIR_ISA forces one), infer_peak_memory_mb and peak_memory_mb (most \
            resident memory up to the end of inference and of training), latencies (a list of batch_size, milliseconds, \
            images_per_second).

            --layers adds layers: a list of layer, pass (forward, backward, infer, update), milliseconds and, where arithmetic is \
            what counts, gflops and gemm_share. They count the arithmetic of the direct algorithm, so Winograd may pass 100 %. A \
            convolution stands for its batch norm, ReLU and pooling too, unless --plain-kernels runs them one by one. --epoch \
            always runs what the trainer runs.

            --epoch adds epoch: images, epoch_seconds (one epoch of the trainer, pixels in memory), data_seconds (of that, waiting \
            for the loader), step_seconds (the same images at the speed of bare steps) and ratio, the first over the last.
            """,
        subcommands: [BenchFairnessCommand.self])

    @Option(help: "Network.")
    var model = BackboneName.simpleCNN
    @Option(help: "Side of the images, in pixels.")
    var imgSize = 64
    @Option(name: [.short, .long], help: "Images per batch.")
    var batchSize = 128
    @OptionGroup var threads: ThreadArguments
    @Option(help: "Steps whose median is printed.")
    var repeats = 7
    @Option(help: "Batch sizes whose inference latency is measured, separated by commas.")
    var inferBatchSizes = "1,8"
    @Flag(help: "Time every layer.")
    var layers = false
    @Flag(help: "Run every layer by itself instead of fused blocks of convolution, batch norm, ReLU and pooling.")
    var plainKernels = false
    @Flag(help: "Train a few epochs with the real trainer on synthetic faces in memory and compare with bare steps.")
    var epoch = false
    @Option(help: "Steps of an epoch for --epoch.")
    var epochSteps = 16
    @OptionGroup var printing: OutputArguments

    private struct Output: Encodable {
        var result: StepBenchmark
        var epoch: EpochBenchmark?

        private enum Keys: String, CodingKey { case epoch }

        func encode(to encoder: any Encoder) throws {
            try result.encode(to: encoder)
            var container = encoder.container(keyedBy: Keys.self)
            try container.encodeIfPresent(epoch, forKey: .epoch)
        }
    }

    func validate() throws {
        guard batchSize >= 2 else { throw ValidationError("--batch-size \(batchSize): must be at least 2") }
        guard repeats >= 1 else { throw ValidationError("--repeats \(repeats): must be at least 1") }
        guard epochSteps >= 1 else { throw ValidationError("--epoch-steps \(epochSteps): must be at least 1") }
        _ = try latencyBatchSizes()
        guard imgSize >= model.minimumImageSize, imgSize <= 1024 else {
            throw ValidationError("--img-size \(imgSize): \(model.rawValue) takes \(model.minimumImageSize) to 1024 pixels")
        }
    }

    func run() throws {
        if let complaint = InstructionSet.environmentComplaint { throw ValidationError(complaint) }
        var settings = StepBenchmark.Settings()
        settings.model = model
        settings.imageSize = imgSize
        settings.batchSize = batchSize
        settings.threads = threads.count
        settings.repeats = repeats
        settings.latencyBatchSizes = try latencyBatchSizes()
        settings.layers = layers
        settings.usesFusedKernels = !plainKernels
        let result = try StepBenchmark.measure(settings)
        let epochResult = epoch ? try EpochBenchmark.measure(settings, steps: epochSteps) : nil
        guard printing.format == .human else { return try Console.json(Output(result: result, epoch: epochResult)) }
        Console.output(BenchTables.text(result, epochResult))
    }

    private func latencyBatchSizes() throws -> [Int] {
        try inferBatchSizes.split(separator: ",").map { part in
            guard let size = Int(part.trimmingCharacters(in: .whitespaces)), 1...4096 ~= size else {
                throw ValidationError("--infer-batch-sizes \(inferBatchSizes): '\(part)' is not a number from 1 to 4096")
            }
            return size
        }
    }
}
