// The metrics of one set of predictions, each a value or the reason why there is none.

/// A metric's value, or the reason why it has none. Undefined is never reported as 0.
///
/// As JSON: `{"value":0.5}` or `{"value":null,"reason":"no positive samples"}`.
public struct MetricValue: Sendable, Equatable {
    public let value: Double?
    public let reason: String?

    public static func defined(_ value: Double) -> MetricValue { MetricValue(value: value, reason: nil) }
    public static func undefined(_ reason: String) -> MetricValue { MetricValue(value: nil, reason: reason) }
}

extension MetricValue: Codable {
    private enum CodingKeys: String, CodingKey { case value, reason }

    public init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        value = try container.decodeIfPresent(Double.self, forKey: .value)
        reason = try container.decodeIfPresent(String.self, forKey: .reason)
    }

    public func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(value, forKey: .value)  // null is written, not left out
        try container.encodeIfPresent(reason, forKey: .reason)
    }
}

/// The metrics of a ``MetricFrame``, with the names of fairlearn and scikit-learn.
public enum Metric: String, CaseIterable, Codable, Sendable {
    case count, accuracy
    case balancedAccuracy = "balanced_accuracy"
    case selectionRate = "selection_rate"
    case truePositiveRate = "true_positive_rate"
    case falsePositiveRate = "false_positive_rate"
    case trueNegativeRate = "true_negative_rate"
    case falseNegativeRate = "false_negative_rate"
    case precision, f1
    /// Area under the ROC curve; ties count half.
    case auc = "roc_auc"
    /// Mean probability.
    case meanPrediction = "mean_prediction"
    /// Mean logit: what the fairness layer constrains.
    case meanLogit = "mean_logit"
    /// Binary cross-entropy from logits, mean over labelled samples.
    case bce

    /// The unit of differences: a share of one for rates, logits for scores.
    public var isRate: Bool { ![.count, .meanLogit, .bce].contains(self) }

    func value(_ c: Counts) -> MetricValue {
        func ratio(_ numerator: Double, _ denominator: Int, _ missing: String) -> MetricValue {
            denominator > 0 ? .defined(numerator / Double(denominator)) : .undefined("no \(missing)")
        }
        func rows(_ count: Int, _ lack: String) -> MetricValue {
            .undefined("\(count) row\(count == 1 ? " has" : "s have") no \(lack)")
        }
        let m = c.confusion
        switch self {
        case .count: return .defined(Double(c.count))
        case .meanLogit:
            return c.withoutLogit > 0 ? rows(c.withoutLogit, "finite logit") : ratio(c.logitSum, c.count, "samples")
        case .meanPrediction:
            return c.withoutProbability > 0 ? rows(c.withoutProbability, "probability") : ratio(c.probabilitySum, c.count, "samples")
        case .bce where c.labelledWithoutLogit > 0: return rows(c.labelledWithoutLogit, "finite logit")
        case .auc where c.concordance == nil: return .undefined("some rows have no score")
        default: break
        }
        if c.undecided > 0 { return rows(c.undecided, "decision") }
        switch self {
        case .accuracy: return ratio(Double(m.right), m.labelled, "labelled samples")
        case .selectionRate: return ratio(Double(m.selected), c.count, "samples")
        case .truePositiveRate: return ratio(Double(m.truePositives), m.positives, "positive samples")
        case .falseNegativeRate: return ratio(Double(m.falseNegatives), m.positives, "positive samples")
        case .falsePositiveRate: return ratio(Double(m.falsePositives), m.negatives, "negative samples")
        case .trueNegativeRate: return ratio(Double(m.trueNegatives), m.negatives, "negative samples")
        case .precision: return ratio(Double(m.truePositives), m.truePositives + m.falsePositives, "labelled samples that are selected")
        case .f1:
            return ratio(
                Double(2 * m.truePositives), 2 * m.truePositives + m.falsePositives + m.falseNegatives,
                "positive samples and none that are selected")
        case .balancedAccuracy:
            guard m.positives > 0 else { return .undefined("no positive samples") }
            guard m.negatives > 0 else { return .undefined("no negative samples") }
            return .defined(
                (Double(m.truePositives) / Double(m.positives) + Double(m.trueNegatives) / Double(m.negatives)) / 2)
        case .auc:
            guard m.positives > 0 else { return .undefined("no positive samples") }
            guard m.negatives > 0 else { return .undefined("no negative samples") }
            return .defined(c.concordance! / (Double(m.positives) * Double(m.negatives)))
        case .bce: return ratio(c.lossSum, c.labelled, "labelled samples")
        case .count, .meanLogit, .meanPrediction: preconditionFailure("answered above")
        }
    }
}
