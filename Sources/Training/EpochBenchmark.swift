// What a training run costs beyond its steps: an epoch of the real trainer from cached pixels, beside bare steps of the same size.
import FaceData
import Foundation
import NeuralNetwork
import TensorCore

public struct EpochBenchmark: Codable, Equatable, Sendable {
    /// Training images of the epoch.
    public var images: Int
    /// One epoch as history.csv counts it: loader, steps, bookkeeping; without validation and checkpoints.
    public var epochSeconds: Double
    /// Of that, waiting for the loader.
    public var dataSeconds: Double
    /// The same number of images at the speed of bare steps.
    public var stepSeconds: Double
    /// ``epochSeconds`` over ``stepSeconds``; medians of the pairs.
    public var ratio: Double

    /// Writes synthetic faces to a temporary folder and trains on them with ``Trainer``. The first epoch decodes; the others find
    /// their pixels in memory and count. Bare steps are timed after each of them, so that both see the same machine.
    public static func measure(_ settings: StepBenchmark.Settings, steps: Int, epochs: Int = 3) throws -> EpochBenchmark {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("facefair-bench-\(UUID().uuidString)")
        defer { try? FileManager.default.removeItem(at: folder) }
        // CelebA's split gives four fifths to training.
        try SyntheticFaces.write(
            to: folder.appendingPathComponent("faces"), layout: .celeba, count: settings.batchSize * steps * 5 / 4 + 8, seed: 1,
            workers: settings.threads)
        Threads.configure(settings.threads)

        var configuration = TrainingConfiguration()
        configuration.model = settings.model
        configuration.imageSize = settings.imageSize
        configuration.batchSize = settings.batchSize
        configuration.epochs = 1 + max(1, epochs)
        configuration.patience = 0
        let dataset = try CelebA.load(root: folder.appendingPathComponent("faces"))
        let trainer = try Trainer(configuration, dataset: dataset, folder: RunFolder(folder.appendingPathComponent("run")))
        let bare = SyntheticStep(settings.model, imageSize: settings.imageSize, batchSize: settings.batchSize)
        let images = dataset.samples(.train).count

        var rows: [(epoch: Double, data: Double, step: Double)] = []
        var failure: (any Error)?
        _ = try trainer.run(report: { event in
            guard case .epoch(let row, _, _) = event, row.epoch > 1 else { return }
            do {
                let step = try StepBenchmark.medianSeconds(settings.repeats) { try bare.train() }
                rows.append((row.seconds, row.dataSeconds, step * Double(images) / Double(settings.batchSize)))
            } catch { failure = error }
        })
        if let failure { throw failure }
        func median(_ values: [Double]) -> Double { values.sorted()[values.count / 2] }
        return EpochBenchmark(
            images: images, epochSeconds: median(rows.map(\.epoch)), dataSeconds: median(rows.map(\.data)),
            stepSeconds: median(rows.map(\.step)), ratio: median(rows.map { $0.epoch / $0.step }))
    }
}
