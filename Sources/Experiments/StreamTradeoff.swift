// Accuracy against pooled gap: what each online algorithm offers over the range of its main setting.
import Fairness
import Foundation
import Inference
import NeuralNetwork
import Reporting
import Training

/// One way to stream the test split with one setting; means over seeds.
public struct TradeoffPoint: Codable, Equatable, Sendable {
    /// nil: the whole split projected at once.
    public var algorithm: StreamAlgorithm?
    /// η₀ of primal-dual, C of anytime; nil where there is nothing to set.
    public var setting: Double?
    public var accuracy: Double
    /// On scores, over the whole stream. Units: logits.
    public var pooledGap: Double
}

extension ExperimentRunner {
    /// The settings of the curves, the stricter the later.
    public static let tradeoffSteps = [1e-4, 3e-4, 1e-3, 2e-3, 3e-3, 5e-3, 0.01, 0.02, 0.1]
    public static let tradeoffCaps = [30, 10, 3, 2, 1, 0.5, 0.3, 0.1]

    /// The fairness-layer model's streams of one batch size; trains what is missing.
    ///
    /// Errors: as ``run()``.
    public func tradeoff(_ backbone: BackboneName, batch: Int) throws -> [TradeoffPoint] {
        let c = experiment.configuration
        let splits = try experiment.seeds.map { seed in
            try predict(try train(experiment.configuration(backbone, .fairnessLayer, seed: seed), name: "fairness-layer-seed\(seed)"), .test)
        }
        let groupCount = dataset.groupCount
        func point(_ algorithm: StreamAlgorithm?, _ setting: Double?, _ make: () -> OnlineFairness) throws -> TradeoffPoint {
            let outcomes = try splits.map { raw -> (accuracy: Double, gap: Double) in
                let order = algorithm == nil ? [Array(raw.scores.indices)] : stratified(raw, batch: batch)
                let frame = MetricFrame(try make().streaming(raw, order: order), groupCount: groupCount)
                return (frame.overall(.accuracy).value ?? .nan, frame.meanLogitGap.value ?? .nan)
            }
            return TradeoffPoint(
                algorithm: algorithm, setting: setting, accuracy: outcomes.reduce(0) { $0 + $1.accuracy } / Double(outcomes.count),
                pooledGap: outcomes.reduce(0) { $0 + $1.gap } / Double(outcomes.count))
        }
        func primalDual(_ eta0: Double, threshold: Int) -> OnlineFairness {
            .primalDual(
                PrimalDual(groupCount: groupCount, tolerance: c.epsilon, eta0: eta0, batchThreshold: threshold, pairPenalty: c.pairPenalty))
        }
        var points = try Self.tradeoffSteps.map { eta0 in try point(.primalDual, eta0) { primalDual(eta0, threshold: .max) } }
        points += try Self.tradeoffCaps.map { cap in
            try point(.anytime, cap) { .anytime(AnytimeParity(groupCount: groupCount, tolerance: c.epsilon, cap: cap)) }
        }
        points.append(try point(.hard, nil) { primalDual(c.eta0, threshold: 1) })
        points.append(try point(nil, nil) { primalDual(c.eta0, threshold: 1) })
        return points
    }
}

extension OnlineFairness {
    /// The scores in the order of the predictions, made fair in the order of the batches.
    ///
    /// Errors: `FairnessError`.
    func streaming(_ raw: Predictions, order: [[Int]]) throws -> Predictions {
        var online = self
        var fair = raw
        for rows in order {
            let step = try online.process(rows.map { raw.scores[$0] }, groups: rows.map { raw.groups[$0] })
            for (row, score) in zip(rows, step.scores) { fair.scores[row] = score }
        }
        return fair
    }
}

extension ExperimentTables {
    /// The curves as a picture.
    public static func tradeoffChart(_ points: [TradeoffPoint], batch: Int, title: ExperimentTitle) -> SVGChart {
        func series(_ name: String, _ algorithm: StreamAlgorithm?) -> SVGChart.Series {
            .init(name, points.filter { $0.algorithm == algorithm }.map { (max($0.pooledGap, 1e-5), $0.accuracy) })
        }
        func range(_ values: [Double]) -> String { String(format: "%g to %g", values.first!, values.last!) }
        var chart = SVGChart.lines(
            title: "Streams in batches of \(batch): accuracy and pooled gap",
            description: "\(title.text). Accuracy against the gap between group means of everything emitted, for primal-dual with "
                + "η₀ from \(range(ExperimentRunner.tradeoffSteps)), anytime with C from \(range(ExperimentRunner.tradeoffCaps)), every batch "
                + "projected, and the whole split projected at once. Up and to the left is better.",
            x: .init("pooled gap", unit: "logits", scale: .logarithmic), y: .init("accuracy"),
            series: [
                series("primal-dual", .primalDual), series("anytime", .anytime), series("every batch projected", .hard),
                series("whole split projected", nil),
            ])
        chart.width = 560
        chart.plotHeight = 260
        return chart
    }
}
