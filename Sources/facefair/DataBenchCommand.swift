// data bench: how fast batches come, without a network
import ArgumentParser
import FaceData
import Foundation
import TensorCore

struct DataBenchCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "bench",
        abstract: "Measure how fast a folder or a packed file gives normalised batches, without a network.",
        discussion: """
            Loads the training split in training's order, once to warm up and then --passes times. With --format json, stdout gets \
            one object: path, image_size, workers, images, passes [images per second], images_per_second (their median).
            """)

    @Argument(help: "celeba, fairface or folder.")
    var layout: DatasetName
    @Argument(help: ArgumentHelp("Folder of the data set, or a packed file.", valueName: "path"))
    var path: String
    @Option(help: "Label, for a folder.")
    var target: String?
    @Option(help: "Sensitive features, for a folder.")
    var groupBy: String?
    @Option(help: "Side of the images, in pixels.")
    var imgSize = 64
    @Option(help: "How images are resized.")
    var interpolation = Interpolation.bilinear
    @Option(name: [.short, .long], help: "Images per batch.")
    var batchSize = 128
    @Option(name: [.customShort("j"), .long], help: "Threads that load.")
    var workers = 1
    @Option(help: "Measured passes over the training split.")
    var passes = 5
    @OptionGroup(title: "Images") var images: ImageArguments
    @OptionGroup var printing: OutputArguments

    func validate() throws {
        for (name, value) in [("img-size", imgSize), ("batch-size", batchSize), ("workers", workers), ("passes", passes)] where value < 1 {
            throw ValidationError("--\(name) \(value): must be at least 1")
        }
    }

    func run() throws {
        let dataset = try DatasetSource.load(layout, path: path, target: target, groupBy: groupBy, imageSize: imgSize)
        let samples = dataset.samples(.train)
        guard !samples.isEmpty else { throw Failure(.badData, "\(path): the train split is empty") }
        let loader = DataLoader(
            samples: samples, transform: FaceTransform(imageSize: imgSize, interpolation: interpolation), workers: workers,
            limits: images.limits)
        let sampler = StratifiedBatchSampler(groups: samples.map(\.group), batchSize: batchSize, random: RandomSource(seed: 1))
        var rates: [Double] = []
        for pass in 0...passes {
            let start = ContinuousClock.now
            let batches = loader.batches(sampler.epoch(pass + 1))
            var count = 0
            while let batch = try batches.next() { count += batch.count }
            guard count > 0 else { throw Failure(.badData, "\(path): no image could be decoded") }
            if pass > 0 { rates.append(Double(count) / ((ContinuousClock.now - start) / .seconds(1))) }
        }
        let median = rates.sorted()[rates.count / 2]
        switch printing.format {
        case .json:
            try Console.json(
                LoadingSpeed(
                    path: dataset.root.path, imageSize: imgSize, workers: workers, images: samples.count, passes: rates, imagesPerSecond: median))
        case .human:
            Console.output(
                "\(samples.count) images of \(imgSize) px, \(workers) thread\(workers == 1 ? "" : "s"): "
                    + String(format: "%.0f images/s (median of %d passes, %.0f to %.0f)", median, rates.count, rates.min()!, rates.max()!))
        }
    }
}

private struct LoadingSpeed: Encodable {
    let path: String
    let imageSize: Int, workers: Int, images: Int
    let passes: [Double]
    let imagesPerSecond: Double
}
