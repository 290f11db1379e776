// One data set, several methods and seeds: train what is missing, evaluate, stream, and put it all into one table.
import FaceData
import Fairness
import Foundation
import Inference
import Reporting
import TensorCore
import Training

/// The test split's outcome of one way to use one trained model.
public struct MethodResult: Codable, Equatable, Sendable {
    public var row: String
    public var seed: UInt64
    public var accuracy: Double?
    public var bce: Double?
    /// On scores, pooled over the split. Units: logits.
    public var meanLogitGap: Double?
    /// On decisions.
    public var demographicParityDifference: Double?
    public var groups: [GroupResult]

    public struct GroupResult: Codable, Equatable, Sendable {
        public var group: String
        public var count: Int
        public var accuracy: Double?
        public var meanLogit: Double?
        public var selectionRate: Double?
    }
}

public struct Comparison: Sendable {
    /// Everything but method and seed.
    public let configuration: TrainingConfiguration
    public let methods: [MethodName]
    public let seeds: [UInt64]
    public let streamBatch: Int
    public let folder: URL
    public let resources: Trainer.Resources

    public init(
        configuration: TrainingConfiguration, methods: [MethodName], seeds: [UInt64], streamBatch: Int, folder: URL,
        resources: Trainer.Resources
    ) {
        self.configuration = configuration
        self.methods = methods
        self.seeds = seeds
        self.streamBatch = streamBatch
        self.folder = folder
        self.resources = resources
    }

    public func runFolder(_ method: MethodName, seed: UInt64) -> RunFolder {
        RunFolder(folder.appendingPathComponent("\(method.rawValue)-seed\(seed)"))
    }

    /// Trains and evaluates the grid. Finished runs are reused, interrupted ones go on.
    ///
    /// - Returns: nil where `shouldStop` ended it.
    public func run(
        dataset: FaceDataset, shouldStop: () -> Bool, report: (TrainingEvent) -> Void
    ) throws -> [MethodResult]? {
        var results: [MethodResult] = []
        for seed in seeds {
            for method in methods {
                let run = runFolder(method, seed: seed)
                guard try train(method, seed: seed, in: run, dataset: dataset, shouldStop: shouldStop, report: report) else { return nil }
                results += try evaluate(run, method: method, seed: seed, dataset: dataset)
            }
        }
        return results
    }

    private func train(
        _ method: MethodName, seed: UInt64, in run: RunFolder, dataset: FaceDataset, shouldStop: () -> Bool,
        report: (TrainingEvent) -> Void
    ) throws -> Bool {
        var configuration = configuration
        configuration.method = method
        configuration.seed = seed
        configuration.target = dataset.target
        configuration.groupBy = dataset.features.map(\.name)
        let earlier = try? run.readRecord()
        if let earlier, earlier.status == .finished {
            guard earlier.configuration == configuration, earlier.data.root == dataset.root.path else {
                throw TrainingError.wouldOverwrite("\(run.url.path) (other settings or data)")
            }
            report(.note("\(run.url.path): finished earlier, reused"))
            return true
        }
        report(.note("training \(method.rawValue), seed \(seed) -> \(run.url.path)"))
        let trainer = try Trainer(configuration, dataset: dataset, folder: run, resources: resources, command: CommandLine.arguments)
        return try trainer.run(resuming: earlier != nil, shouldStop: shouldStop, report: report).status == .finished
    }

    /// Rows: the network's own scores, the same projected over the whole split, and streamed in small batches.
    private func evaluate(_ run: RunFolder, method: MethodName, seed: UInt64, dataset: FaceDataset) throws -> [MethodResult] {
        let predictor = try Predictor(modelFile: run.best)
        let loader = DataLoader(
            samples: dataset.samples(.test), transform: predictor.transform, workers: resources.workers)
        let raw = try Evaluator.predict(loader, batchSize: configuration.batchSize) { predictor.logits($0) }
        let groupCount = predictor.features.groupCount
        let projected = try LogitPostprocessor.projection(tolerance: configuration.epsilon).apply(raw, groupCount: groupCount)
        let streamed = try stream(raw, groupCount: groupCount)
        func result(_ row: String, _ predictions: Predictions) -> MethodResult {
            summarise(row, seed, predictions, predictor.features)
        }
        switch method {
        case .none, .projection:
            return [result("unconstrained", raw), result("projection", projected)]
        case .fairnessLayer:
            return [result("fairness-layer", projected), result("fairness-layer, streamed by \(streamBatch)", streamed)]
        case .penalty, .strictPenalty:
            return [result(method.rawValue, raw)]
        }
    }

    private func stream(_ raw: Predictions, groupCount: Int) throws -> Predictions {
        var online = PrimalDual(
            groupCount: groupCount, tolerance: configuration.epsilon, eta0: configuration.eta0,
            batchThreshold: configuration.batchThreshold, pairPenalty: configuration.pairPenalty)
        var fair = raw
        for start in stride(from: 0, to: raw.scores.count, by: streamBatch) {
            let rows = start..<min(start + streamBatch, raw.scores.count)
            let step = try online.process(Array(raw.scores[rows]), groups: Array(raw.groups[rows]))
            fair.scores.replaceSubrange(rows, with: step.scores)
        }
        return fair
    }

    private func summarise(_ row: String, _ seed: UInt64, _ predictions: Predictions, _ features: SensitiveFeatures) -> MethodResult {
        let frame = MetricFrame(predictions, groupCount: features.groupCount)
        let accuracy = frame.byGroup(.accuracy), logits = frame.byGroup(.meanLogit), rates = frame.byGroup(.selectionRate)
        let counts = frame.byGroup(.count)
        return MethodResult(
            row: row, seed: seed, accuracy: frame.overall(.accuracy).value, bce: frame.overall(.bce).value,
            meanLogitGap: frame.meanLogitGap.value, demographicParityDifference: frame.demographicParityDifference.value,
            groups: (0..<features.groupCount).map { k in
                .init(
                    group: features.label(k), count: Int(counts[k].value ?? 0), accuracy: accuracy[k].value,
                    meanLogit: logits[k].value, selectionRate: rates[k].value)
            })
    }
}
