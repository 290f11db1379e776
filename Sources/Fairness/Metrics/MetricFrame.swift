// fairlearn's view of a metric: overall, by group, and how far the groups are apart.

/// A metric's value, or the reason why it has none. Undefined is never reported as 0.
public struct MetricValue: Sendable, Equatable {
    public let value: Double?
    public let reason: String?

    public static func defined(_ value: Double) -> MetricValue { MetricValue(value: value, reason: nil) }
    public static func undefined(_ reason: String) -> MetricValue { MetricValue(value: nil, reason: reason) }
}

/// The metrics of a ``MetricFrame``, with fairlearn's names.
public enum Metric: String, CaseIterable, Sendable {
    case count, accuracy
    case balancedAccuracy = "balanced_accuracy"
    case selectionRate = "selection_rate"
    case truePositiveRate = "true_positive_rate"
    case falsePositiveRate = "false_positive_rate"
    case trueNegativeRate = "true_negative_rate"
    case falseNegativeRate = "false_negative_rate"
    /// Mean probability.
    case meanPrediction = "mean_prediction"
    /// Mean logit: what the fairness layer constrains.
    case meanLogit = "mean_logit"
    /// Binary cross-entropy from logits, mean over labelled samples.
    case bce

    func value(_ c: Counts) -> MetricValue {
        func ratio(_ numerator: Double, _ denominator: Int, _ missing: String) -> MetricValue {
            denominator > 0 ? .defined(numerator / Double(denominator)) : .undefined("no \(missing)")
        }
        guard c.unusable == 0 || self == .count else { return .undefined("\(c.unusable) scores are not finite") }
        let labelled = c.positives + c.negatives
        let trueNegatives = c.negatives - c.falsePositives
        switch self {
        case .count: return .defined(Double(c.count))
        case .accuracy: return ratio(Double(c.truePositives + trueNegatives), labelled, "labelled samples")
        case .selectionRate: return ratio(Double(c.selected), c.count, "samples")
        case .truePositiveRate: return ratio(Double(c.truePositives), c.positives, "positive samples")
        case .falseNegativeRate: return ratio(Double(c.positives - c.truePositives), c.positives, "positive samples")
        case .falsePositiveRate: return ratio(Double(c.falsePositives), c.negatives, "negative samples")
        case .trueNegativeRate: return ratio(Double(trueNegatives), c.negatives, "negative samples")
        case .meanPrediction: return ratio(c.probabilitySum, c.count, "samples")
        case .meanLogit: return ratio(c.logitSum, c.count, "samples")
        case .bce: return ratio(c.lossSum, labelled, "labelled samples")
        case .balancedAccuracy:
            guard c.positives > 0, c.negatives > 0 else { return .undefined(c.positives > 0 ? "no negative samples" : "no positive samples") }
            return .defined(
                (Double(c.truePositives) / Double(c.positives) + Double(trueNegatives) / Double(c.negatives)) / 2)
        }
    }
}

/// Every ``Metric`` overall and per group. The unknown group has its row but no part in differences.
///
/// Source: fairlearn.metrics.MetricFrame.
public struct MetricFrame: Sendable {
    private let overallCounts: Counts
    private let groupCounts: [Counts]
    private let unknownCounts: Counts

    public init(_ predictions: Predictions, groupCount: Int, threshold: Double = 0.5) {
        var overall = Counts(), unknown = Counts()
        var groups = [Counts](repeating: Counts(), count: groupCount)
        for ((score, label), group) in zip(zip(predictions.scores, predictions.labels), predictions.groups) {
            overall.add(score: score, label: label, threshold: threshold)
            if group == unknownGroup {
                unknown.add(score: score, label: label, threshold: threshold)
            } else {
                precondition(groups.indices.contains(group), "group \(group) is outside 0..<\(groupCount)")
                groups[group].add(score: score, label: label, threshold: threshold)
            }
        }
        (overallCounts, groupCounts, unknownCounts) = (overall, groups, unknown)
    }

    public func overall(_ metric: Metric) -> MetricValue { metric.value(overallCounts) }
    public func byGroup(_ metric: Metric) -> [MetricValue] { groupCounts.map(metric.value) }
    public func unknown(_ metric: Metric) -> MetricValue { metric.value(unknownCounts) }

    /// Smallest and largest value over groups with samples; undefined if any of them is.
    public func groupMin(_ metric: Metric) -> MetricValue { extreme(metric, <) }
    public func groupMax(_ metric: Metric) -> MetricValue { extreme(metric, >) }

    /// `groupMax − groupMin`; 0 is parity. (fairlearn: `difference(method="between_groups")`.)
    public func difference(_ metric: Metric) -> MetricValue {
        combine(metric) { $0 - $1 }
    }

    /// `groupMin / groupMax`; 1 is parity.
    public func ratio(_ metric: Metric) -> MetricValue {
        guard groupMax(metric).value != 0 else { return .undefined("the largest group value is 0") }
        return combine(metric) { $1 / $0 }
    }

    /// Largest difference of mean logits between groups: the paper's constraint. Says nothing about decisions.
    public var meanLogitGap: MetricValue { difference(.meanLogit) }

    /// Largest difference of selection rates: fairlearn's `demographic_parity_difference`. Says nothing about scores.
    public var demographicParityDifference: MetricValue { difference(.selectionRate) }
    public var demographicParityRatio: MetricValue { ratio(.selectionRate) }

    /// The larger of the differences of TPR and FPR: fairlearn's `equalized_odds_difference`.
    public var equalizedOddsDifference: MetricValue {
        let rates = [difference(.truePositiveRate), difference(.falsePositiveRate)]
        guard let first = rates[0].value, let second = rates[1].value else { return rates.first { $0.value == nil }! }
        return .defined(max(first, second))
    }
    public var equalOpportunityDifference: MetricValue { difference(.truePositiveRate) }
    public var worstGroupAccuracy: MetricValue { groupMin(.accuracy) }

    /// Mean absolute difference of mean logits over pairs, and how many pairs exceed the tolerance.
    public func pairwiseGaps(tolerance: Double) -> (mean: Double?, violated: Int, pairs: Int) {
        let means = presentValues(.meanLogit).compactMap(\.value)
        var total = 0.0, violated = 0, pairs = 0
        for i in means.indices {
            for j in means[(i + 1)...] {
                let gap = abs(means[i] - j)
                total += gap
                violated += gap > tolerance ? 1 : 0
                pairs += 1
            }
        }
        return (pairs > 0 ? total / Double(pairs) : nil, violated, pairs)
    }

    private func presentValues(_ metric: Metric) -> [MetricValue] {
        groupCounts.filter { $0.count > 0 }.map(metric.value)
    }

    private func extreme(_ metric: Metric, _ better: (Double, Double) -> Bool) -> MetricValue {
        let values = presentValues(metric)
        if let undefined = values.first(where: { $0.value == nil }) { return undefined }
        guard var best = values.first?.value else { return .undefined("no group has samples") }
        for value in values where better(value.value!, best) { best = value.value! }
        return .defined(best)
    }

    private func combine(_ metric: Metric, _ operation: (Double, Double) -> Double) -> MetricValue {
        let (high, low) = (groupMax(metric), groupMin(metric))
        guard let high = high.value, let low = low.value else { return high.value == nil ? high : low }
        return .defined(operation(high, low))
    }
}
