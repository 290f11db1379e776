// What `evaluate` says of a split: scores and decisions, before and after the projection, overall and by group.
import Fairness

/// Metrics of one set of scores. `null` where a metric is undefined; the reason stands in ``undefined``.
public struct ScoreMetrics: Codable, Equatable, Sendable {
    public var accuracy: Double?
    public var balancedAccuracy: Double?
    public var bce: Double?
    public var selectionRate: Double?
    public var worstGroupAccuracy: Double?
    /// On scores. Units: logits.
    public var meanLogitGap: Double?
    public var meanPairwiseLogitGap: Double?
    public var pairsViolated: Int
    public var pairs: Int
    /// The smallest tolerance that the criterion would have found met; for demographic parity the mean-logit gap. Units: logits.
    public var criterionGap: Double
    /// On decisions.
    public var demographicParityDifference: Double?
    public var demographicParityRatio: Double?
    public var equalizedOddsDifference: Double?
    public var equalOpportunityDifference: Double?
    public var undefined: [String: String]

    init(_ predictions: Predictions, _ layer: FairnessLayer, threshold: Double) throws {
        let frame = MetricFrame(predictions, groupCount: layer.groupCount, threshold: threshold)
        var reasons: [String: String] = [:]
        func value(_ name: String, _ metric: MetricValue) -> Double? {
            reasons[name] = metric.reason
            return metric.value
        }
        accuracy = value("accuracy", frame.overall(.accuracy))
        balancedAccuracy = value("balanced_accuracy", frame.overall(.balancedAccuracy))
        bce = value("bce", frame.overall(.bce))
        selectionRate = value("selection_rate", frame.overall(.selectionRate))
        worstGroupAccuracy = value("worst_group_accuracy", frame.worstGroupAccuracy)
        meanLogitGap = value("mean_logit_gap", frame.meanLogitGap)
        // The projection reaches ε up to rounding of sums over the split.
        let gaps = frame.pairwiseGaps(tolerance: layer.tolerance + 1e-9)
        criterionGap = try layer.gap(FairnessBatch(predictions))
        (meanPairwiseLogitGap, pairsViolated, pairs) = (gaps.mean, gaps.violated, gaps.pairs)
        demographicParityDifference = value("demographic_parity_difference", frame.demographicParityDifference)
        demographicParityRatio = value("demographic_parity_ratio", frame.demographicParityRatio)
        equalizedOddsDifference = value("equalized_odds_difference", frame.equalizedOddsDifference)
        equalOpportunityDifference = value("equal_opportunity_difference", frame.equalOpportunityDifference)
        undefined = reasons
    }
}

/// One group's row; the unknown group has one too.
public struct GroupMetrics: Codable, Equatable, Sendable {
    public var count: Int
    public var accuracy: Double?
    public var selectionRate: Double?
    public var truePositiveRate: Double?
    public var falsePositiveRate: Double?
    public var meanLogit: Double?
    public var meanPrediction: Double?
    public var bce: Double?

    init(_ value: (Metric) -> MetricValue) {
        count = Int(value(.count).value ?? 0)
        accuracy = value(.accuracy).value
        selectionRate = value(.selectionRate).value
        truePositiveRate = value(.truePositiveRate).value
        falsePositiveRate = value(.falsePositiveRate).value
        meanLogit = value(.meanLogit).value
        meanPrediction = value(.meanPrediction).value
        bce = value(.bce).value
    }
}

public struct EvaluationReport: Codable, Equatable, Sendable {
    public struct Group: Codable, Equatable, Sendable {
        public var group: String
        public var raw: GroupMetrics
        public var projected: GroupMetrics
    }

    public var samples: Int
    public var criterion: Criterion
    /// ε, in logits.
    public var epsilon: Double
    /// On the probability.
    public var threshold: Double
    /// Rows per projection; nil: the whole split at once.
    public var projectionBatch: Int?
    /// The network's own scores, and the same after the projection.
    public var raw: ScoreMetrics
    public var projected: ScoreMetrics
    public var groups: [Group]

    /// Projects raw predictions and measures both.
    ///
    /// Errors: `FairnessError`.
    public init(
        _ predictions: Predictions, features: SensitiveFeatures, layer: FairnessLayer, threshold: Double = 0.5,
        projectionBatch: Int? = nil
    ) throws {
        let groupCount = features.groupCount
        let fair = try LogitPostprocessor.projection(layer).apply(predictions, batchSize: projectionBatch)
        let before = MetricFrame(predictions, groupCount: groupCount, threshold: threshold)
        let after = MetricFrame(fair, groupCount: groupCount, threshold: threshold)
        samples = predictions.scores.count
        criterion = layer.criterion
        epsilon = layer.tolerance
        self.threshold = threshold
        self.projectionBatch = projectionBatch
        raw = try ScoreMetrics(predictions, layer, threshold: threshold)
        projected = try ScoreMetrics(fair, layer, threshold: threshold)
        groups = (0..<groupCount).map { k in
            Group(
                group: features.label(k), raw: GroupMetrics { before.byGroup($0)[k] },
                projected: GroupMetrics { after.byGroup($0)[k] })
        }
        if predictions.groups.contains(unknownGroup) {
            groups.append(
                Group(
                    group: features.label(unknownGroup), raw: GroupMetrics(before.unknown), projected: GroupMetrics(after.unknown)))
        }
    }
}
