// Trains and evaluates a grid of backbone x method x seed. One run is one folder: finished ones are reused, an interrupted one
// goes on.
import FaceData
import Fairness
import Foundation
import Inference
import NeuralNetwork
import Training

/// A grid on one data set, and how its models are used on the test split.
public struct Experiment: Sendable {
    /// Everything but backbone, method and seed.
    public var configuration: TrainingConfiguration
    public var backbones: [BackboneName]
    public var methods: [MethodName]
    public var seeds: [UInt64]
    /// Rows per projection of the test split, in stratified batches; nil: the whole split at once.
    public var projectionBatch: Int?
    /// Batch size of the streamed row; nil leaves it out.
    public var streamBatch: Int?

    public init(
        configuration: TrainingConfiguration, backbones: [BackboneName] = [.simpleCNN], methods: [MethodName], seeds: [UInt64],
        projectionBatch: Int? = nil, streamBatch: Int? = nil
    ) {
        self.configuration = configuration
        self.backbones = backbones
        self.methods = methods
        self.seeds = seeds
        self.projectionBatch = projectionBatch
        self.streamBatch = streamBatch
    }

    public func configuration(_ backbone: BackboneName, _ method: MethodName, seed: UInt64) -> TrainingConfiguration {
        var c = configuration
        c.model = backbone
        c.method = method
        c.seed = seed
        return c
    }
}

/// Thrown where `shouldStop` ended a grid; what is finished stays, and the same command goes on.
public struct ExperimentInterrupted: Error {}

public final class ExperimentRunner {
    public let experiment: Experiment
    public let dataset: FaceDataset
    public let folder: URL
    let resources: Trainer.Resources
    let shouldStop: () -> Bool
    let report: (TrainingEvent) -> Void

    public init(
        _ experiment: Experiment, dataset: FaceDataset, folder: URL, resources: Trainer.Resources,
        shouldStop: @escaping () -> Bool = { false }, report: @escaping (TrainingEvent) -> Void = { _ in }
    ) {
        self.experiment = experiment
        self.dataset = dataset
        self.folder = folder
        self.resources = resources
        self.shouldStop = shouldStop
        self.report = report
    }

    /// Errors: ``ExperimentInterrupted``, `TrainingError`, `TooManyBadImages`.
    public func run() throws -> [MethodResult] {
        var results: [MethodResult] = []
        for backbone in experiment.backbones {
            for seed in experiment.seeds {
                for method in experiment.methods { results += try outcome(backbone, method, seed) }
            }
        }
        return results
    }

    private func outcome(_ backbone: BackboneName, _ method: MethodName, _ seed: UInt64) throws -> [MethodResult] {
        let run =
            method == .penalty
            ? try PenaltySearch(self).run(backbone, seed: seed)
            : try train(experiment.configuration(backbone, method, seed: seed), name: "\(method.rawValue)-seed\(seed)")
        let raw = try predict(run, .test)
        let features = dataset.sensitiveFeatures
        let tolerance = experiment.configuration.epsilon
        func result(_ row: ExperimentRow, _ predictions: Predictions) -> MethodResult {
            MethodResult(row, run, predictions, features: features, tolerance: tolerance)
        }
        switch method {
        case .none, .projection: return [result(.unconstrained, raw), result(.projection, try project(raw))]
        case .fairnessLayer:
            let streamed = try experiment.streamBatch.map { batch in
                let order = SequentialBatches.order(count: raw.scores.count, batchSize: batch)
                return result(.streamed, try StreamAlgorithm.primalDual.apply(raw, order: order, experiment.configuration, dataset.groupCount))
            }
            return [result(.fairnessLayer, try project(raw))] + (streamed.map { [$0] } ?? [])
        case .penalty: return [result(.penalty, raw)]
        case .strictPenalty: return [result(.strictPenalty, raw)]
        }
    }

    /// The fairness layer over the test split, as the experiment wants its batches.
    private func project(_ raw: Predictions) throws -> Predictions {
        let order =
            experiment.projectionBatch.map { stratified(raw, batch: $0) } ?? [Array(raw.scores.indices)]
        return try StreamAlgorithm.hard.apply(raw, order: order, experiment.configuration, dataset.groupCount)
    }

    /// Every sample once, every batch with the split's share of each group; the same for every model.
    func stratified(_ predictions: Predictions, batch: Int) -> [[Int]] {
        StratifiedBatchSampler(groups: predictions.groups, batchSize: batch, random: .init(seed: 0)).epoch(0)
    }

    // MARK: Runs

    /// Trains, goes on, or reuses.
    func train(_ settings: TrainingConfiguration, name: String) throws -> TrainedRun {
        let configuration = settings.describing(dataset)
        let prefix = experiment.backbones.count > 1 ? "\(configuration.model.rawValue)-" : ""
        let run = RunFolder(folder.appendingPathComponent(prefix + name))
        let earlier = try? run.readRecord()
        if let earlier, earlier.status == .finished {
            guard earlier.configuration == configuration, earlier.data.root == dataset.root.path else {
                throw TrainingError.wouldOverwrite("\(run.url.path) (other settings or data)")
            }
            report(.note("\(run.url.path): finished earlier, reused"))
            return TrainedRun(folder: run, configuration: configuration)
        }
        report(.note("training \(configuration.method.rawValue), seed \(configuration.seed) -> \(run.url.path)"))
        let trainer = try Trainer(configuration, dataset: dataset, folder: run, resources: resources, command: CommandLine.arguments)
        guard try trainer.run(resuming: earlier != nil, shouldStop: shouldStop, report: report).status == .finished else {
            throw ExperimentInterrupted()
        }
        return TrainedRun(folder: run, configuration: configuration)
    }

    /// Raw logits of the run's best model.
    func predict(_ run: TrainedRun, _ split: Split) throws -> Predictions {
        let predictor = try Predictor(modelFile: run.folder.best)
        return try predictor.predict(
            dataset.samples(split), batchSize: experiment.configuration.batchSize, workers: resources.workers,
            limits: run.configuration.images, maxErrors: resources.maxErrors)
    }
}

extension FaceDataset {
    var sensitiveFeatures: SensitiveFeatures { SensitiveFeatures(features.map { .init(name: $0.name, values: $0.values) }) }
}
