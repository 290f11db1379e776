// bench
import ArgumentParser
import Foundation
import NeuralNetwork
import Reporting
import Training

struct BenchCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "bench",
        abstract: "Measure how fast this machine trains and predicts, and what share of its matrix product that is.",
        discussion: """
            With --format json, stdout gets one object: model, image_size, batch_size, threads, repeats, \
            train_images_per_second, infer_images_per_second (medians of whole steps, synthetic pixels in memory), gemm_gflops \
            (square sgemm of 2048), train_gemm_share, infer_gemm_share (convolution arithmetic over gemm_gflops), blas_core.
            """)

    @Option(help: "Network.")
    var model = BackboneName.simpleCNN
    @Option(help: "Side of the images, in pixels.")
    var imgSize = 64
    @Option(name: [.short, .long], help: "Images per batch.")
    var batchSize = 128
    @OptionGroup var threads: ThreadArguments
    @Option(help: "Steps whose median is printed.")
    var repeats = 7
    @OptionGroup var printing: OutputArguments

    func validate() throws {
        guard batchSize >= 2 else { throw ValidationError("--batch-size \(batchSize): must be at least 2") }
        guard repeats >= 1 else { throw ValidationError("--repeats \(repeats): must be at least 1") }
        guard imgSize >= model.minimumImageSize, imgSize <= 1024 else {
            throw ValidationError("--img-size \(imgSize): \(model.rawValue) takes \(model.minimumImageSize) to 1024 pixels")
        }
    }

    func run() throws {
        let result = try StepBenchmark.measure(
            model: model, imageSize: imgSize, batchSize: batchSize, threads: threads.count, repeats: repeats)
        guard printing.format == .human else { return try Console.json(result) }
        var table = Table(
            title: "\(result.model), \(result.imageSize) px, batch \(result.batchSize), \(result.threads) threads, OpenBLAS \(result.blasCore)",
            [.init("", .left), .init("speed"), .init("share of sgemm")])
        func row(_ name: String, _ rate: Double, _ share: Double) {
            table.append([name, String(format: "%.0f images/s", rate), String(format: "%.0f %%", 100 * share)])
        }
        row("train", result.trainImagesPerSecond, result.trainGemmShare)
        row("infer", result.inferImagesPerSecond, result.inferGemmShare)
        table.append(["sgemm 2048", String(format: "%.0f GFLOP/s", result.gemmGflops), "100 %"])
        Console.output(table.text)
    }
}
