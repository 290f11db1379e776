// The parity notions a model can be trained, projected and audited for, and where each of them can be used.

public enum Criterion: String, CaseIterable, Codable, Sendable {
    /// All group means of the scores within ε of each other.
    case demographicParity = "demographic-parity"
    /// The same inside every stratum of a legitimate feature.
    case conditionalParity = "conditional-parity"
    /// The same inside label 0 and inside label 1.
    case equalizedOdds = "equalized-odds"
    /// The same inside label 1.
    case equalOpportunity = "equal-opportunity"
    /// Each group's mean score within ε of its mean label.
    case equalizedResiduals = "equalized-residuals"
    /// Parity of means for each sensitive feature by itself, not for their intersections.
    case marginalParity = "marginal-parity"
    /// Affine rows of the user's own: ``CustomRow``.
    case custom

    /// Whether the constraint speaks of labels. Such a criterion trains, evaluates and projects labelled tables; at inference there is
    /// no label to speak of.
    public var needsLabels: Bool {
        switch self {
        case .equalizedOdds, .equalOpportunity, .equalizedResiduals: true
        case .demographicParity, .conditionalParity, .marginalParity, .custom: false
        }
    }

    /// Why faces without labels cannot be made fair by this criterion; nil where they can.
    public var inferenceRefusal: String? {
        needsLabels
            ? "\(rawValue) compares groups among samples of the same label, and at inference no label is known; train, evaluate or project labelled tables with it"
            : nil
    }

    /// Why an online algorithm cannot follow this criterion; nil where it can.
    public var onlineRefusal: String? {
        switch self {
        case .demographicParity: nil
        case .equalizedOdds, .equalOpportunity, .equalizedResiduals: inferenceRefusal
        case .conditionalParity, .marginalParity, .custom:
            "the online algorithms keep the means of groups together (demographic-parity); \(rawValue) is a constraint of whole batches: leave --online out"
        }
    }
}

/// One batch as a criterion sees it. What a criterion does not ask for may stay empty.
public struct FairnessBatch: Sendable {
    public var scores: [Double]
    /// `0..<groupCount`, or ``unknownGroup``.
    public var groups: [Int]
    /// One per row, NaN where unknown; empty: none are known.
    public var labels: [Double]
    /// Values of the legitimate feature, numbered from 0, −1 where unknown; empty: there is none.
    public var strata: [Int]

    public init(scores: [Double], groups: [Int], labels: [Double] = [], strata: [Int] = []) {
        precondition(scores.count == groups.count, "\(scores.count) scores, \(groups.count) groups")
        precondition(labels.isEmpty || labels.count == scores.count, "\(scores.count) scores, \(labels.count) labels")
        precondition(strata.isEmpty || strata.count == scores.count, "\(scores.count) scores, \(strata.count) strata")
        self.scores = scores
        self.groups = groups
        self.labels = labels
        self.strata = strata
    }

    /// The rows of a range, renumbered from 0.
    public subscript(rows: Range<Int>) -> FairnessBatch {
        FairnessBatch(
            scores: Array(scores[rows]), groups: Array(groups[rows]), labels: labels.isEmpty ? [] : Array(labels[rows]),
            strata: strata.isEmpty ? [] : Array(strata[rows]))
    }
}

extension FairnessBatch {
    /// Predictions with what they know: groups and labels.
    public init(_ predictions: Predictions) {
        self.init(
            scores: predictions.scores, groups: predictions.groups,
            labels: predictions.labels.contains { $0 != nil } ? predictions.labels.map { $0.map(Double.init) ?? .nan } : [])
    }
}
