// The paper's threshold ablation: the same test split as a stream of small batches, made fair in different ways.
import FaceData
import Fairness
import Foundation
import Inference
import NeuralNetwork
import Training

/// How a stream is made fair.
public enum StreamAlgorithm: String, Codable, CaseIterable, Sendable {
    /// The paper's "PD": every batch through the primal-dual algorithm.
    case primalDual = "primal-dual"
    /// The paper's "HC": every batch projected.
    case hard
    /// The paper's "Pr": every batch of the unconstrained model projected.
    case projection
    /// Ours, with its default settings.
    case anytime

    /// The scores in the order of the predictions, made fair in the order of the batches.
    ///
    /// Errors: ``FairnessError``.
    func apply(
        _ raw: Predictions, order: [[Int]], _ configuration: TrainingConfiguration, _ groupCount: Int
    ) throws -> Predictions {
        let online: OnlineFairness =
            self == .anytime
            ? .anytime(AnytimeParity(groupCount: groupCount, tolerance: configuration.epsilon))
            : .primalDual(
                PrimalDual(
                    groupCount: groupCount, tolerance: configuration.epsilon, eta0: configuration.eta0,
                    batchThreshold: self == .primalDual ? .max : 1, pairPenalty: configuration.pairPenalty))
        return try online.streaming(raw, order: order)
    }
}

/// One cell of the ablation.
public struct StreamResult: Codable, Equatable, Sendable {
    public var backbone: BackboneName
    public var seed: UInt64
    public var batch: Int
    /// nil: the whole split projected at once, the best that any stream can hope for.
    public var algorithm: StreamAlgorithm?
    public var accuracy: Double?
    /// On scores, pooled over the stream. Units: logits.
    public var pooledGap: Double?
    public var meanPairwiseGap: Double?
    public var pairsViolated: Int
    public var pairs: Int
    /// Of the algorithm alone, for the whole stream.
    public var seconds: Double
}

extension ExperimentRunner {
    /// The ablation on the fairness-layer model and, for `projection`, the unconstrained one; trains what is missing.
    ///
    /// Streams are stratified batches of the test split, as in the released code, but every sample comes exactly once.
    /// Errors: as ``run()``.
    public func streams(batches: [Int]) throws -> [StreamResult] {
        var results: [StreamResult] = []
        for backbone in experiment.backbones {
            for seed in experiment.seeds {
                let fair = try train(experiment.configuration(backbone, .fairnessLayer, seed: seed), name: "fairness-layer-seed\(seed)")
                let plain = try train(experiment.configuration(backbone, .none, seed: seed), name: "none-seed\(seed)")
                let raw = try predict(fair, .test), baseline = try predict(plain, .test)
                for batch in batches {
                    let order = stratified(raw, batch: batch)
                    for algorithm in StreamAlgorithm.allCases {
                        results.append(
                            try measure(algorithm, algorithm == .projection ? baseline : raw, order, backbone, seed, batch))
                    }
                    results.append(try measure(nil, raw, [Array(raw.scores.indices)], backbone, seed, batch))
                }
            }
        }
        return results
    }

    private func measure(
        _ algorithm: StreamAlgorithm?, _ raw: Predictions, _ order: [[Int]], _ backbone: BackboneName, _ seed: UInt64, _ batch: Int
    ) throws -> StreamResult {
        let start = ContinuousClock.now
        let fair = try (algorithm ?? .hard).apply(raw, order: order, experiment.configuration, dataset.groupCount)
        let seconds = (ContinuousClock.now - start) / .seconds(1)
        let frame = MetricFrame(fair, groupCount: dataset.groupCount)
        let gaps = frame.pairwiseGaps(tolerance: 1.01 * experiment.configuration.epsilon)
        return StreamResult(
            backbone: backbone, seed: seed, batch: batch, algorithm: algorithm, accuracy: frame.overall(.accuracy).value,
            pooledGap: frame.meanLogitGap.value, meanPairwiseGap: gaps.mean, pairsViolated: gaps.violated, pairs: gaps.pairs,
            seconds: seconds)
    }
}
