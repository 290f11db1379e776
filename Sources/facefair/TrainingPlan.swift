// What `train --dry-run` says: data, groups, sizes, and how long it would take on this machine.
import FaceData
import Foundation
import NeuralNetwork
import Reporting
import TensorCore
import Training

struct TrainingPlan: Encodable {
    let dataset: String
    let synthetic: Bool
    let data: String
    let target: String
    let output: String
    let train: Int, valid: Int, test: Int
    let groups: [Group]
    let batchesPerEpoch: Int
    let epochs: Int
    let parameters: Int
    /// Weights, gradients and optimizer state; decoded images that are kept; the whole process after two steps.
    let modelMegabytes: Double
    let cacheMegabytes: Double
    let peakMemoryMegabytes: Double
    /// Measured with this image and batch size just now, without reading images.
    let trainImagesPerSecond: Double
    let secondsPerEpoch: Double
    let secondsAtMost: Double

    struct Group: Encodable {
        let group: String
        let count: Int
        let positives: Int
    }

    init(_ c: TrainingConfiguration, dataset: FaceDataset, cacheBytes: Int, output: String) throws {
        try c.validate()
        let train = dataset.samples(.train)
        var step = StepBenchmark.Settings()
        step.model = c.model
        step.imageSize = c.imageSize
        step.batchSize = c.batchSize
        step.threads = Threads.count
        step.repeats = 3
        let speed = try StepBenchmark.measure(step)
        let classifier = FaceClassifier(ClassifierConfiguration(backbone: c.model), random: RandomSource(seed: 0))
        self.dataset = dataset.name
        synthetic = dataset.isSynthetic
        data = dataset.root.path
        target = dataset.target
        self.output = output
        self.train = train.count
        valid = dataset.samples(.valid).count
        test = dataset.samples(.test).count
        groups = (0..<dataset.groupCount).map { group in
            let members = train.filter { $0.group == group }
            return Group(group: dataset.groupLabel(group), count: members.count, positives: members.count { $0.label == 1 })
        }
        batchesPerEpoch = (train.count + c.batchSize - 1) / c.batchSize
        epochs = c.epochs
        parameters = classifier.store.values.count
        modelMegabytes = Double(parameters * 4 * 4) / 1e6
        cacheMegabytes = Double(min(cacheBytes, (train.count + valid) * c.imageSize * c.imageSize * 3)) / 1e6
        peakMemoryMegabytes = Double(ProcessMemory.peakBytes) / 1e6
        trainImagesPerSecond = speed.trainImagesPerSecond
        secondsPerEpoch = Double(train.count) / speed.trainImagesPerSecond + Double(valid) / speed.inferImagesPerSecond
        secondsAtMost = secondsPerEpoch * Double(c.epochs)
    }

    var text: String {
        var table = Table(
            title: "\(synthetic ? "SYNTHETIC " : "")\(dataset) at \(data), target \(target): training split by group",
            [.init("group", .left), .init("samples"), .init("positive")])
        for group in groups {
            table.append([group.group, "\(group.count)", group.count > 0 ? String(format: "%.3f", Double(group.positives) / Double(group.count)) : "-"])
        }
        func line(_ name: String, _ value: String) -> String { name.padding(toLength: 18, withPad: " ", startingAt: 0) + value }
        return table.text + "\n\n" + [
            line("splits", "\(train) train, \(valid) valid, \(test) test"),
            line("steps", "\(batchesPerEpoch) batches per epoch, at most \(epochs) epochs"),
            line("network", "\(parameters) parameters; weights, gradients and moments \(String(format: "%.0f", modelMegabytes)) MB"),
            line("memory", String(format: "decoded images %.0f MB", cacheMegabytes)
                + String(format: ", process with two steps of this size %.0f MB", peakMemoryMegabytes)),
            line("speed", String(format: "%.0f images/s on %d threads, measured now without reading images", trainImagesPerSecond, Threads.count)),
            line("time", "\(TrainingProgress.duration(secondsPerEpoch)) per epoch, at most \(TrainingProgress.duration(secondsAtMost)) in all"),
            line("output", "\(output) (nothing was written)"),
        ].joined(separator: "\n")
    }
}
