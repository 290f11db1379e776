// What an audit finds, as one value that is printed, written as JSON, and read again by `facefair report`.
import Fairness

/// One metric: overall, by group, and how far the groups are apart.
public struct MetricReport: Codable, Equatable, Sendable {
    public var overall: MetricValue
    /// In the order of the result's groups.
    public var byGroup: [MetricValue]
    /// Of rows whose group is unknown; absent when there are none.
    public var unknown: MetricValue?
    public var groupMin: MetricValue
    public var groupMax: MetricValue
    public var difference: MetricValue
    public var ratio: MetricValue
}

/// All metrics, gaps and confusion matrices of one set of decisions.
public struct FrameReport: Codable, Equatable, Sendable {
    /// By ``Metric`` name.
    public var metrics: [String: MetricReport]
    /// Single numbers, by fairlearn's names where it has them.
    public var aggregates: [String: MetricValue]
    /// Pairs of groups whose mean logits are further apart than ε, of all pairs; absent without logits or ε.
    public var pairsViolated: Int?
    public var pairs: Int?
    public var gaps: [GapMeasure]
    public var confusion: ConfusionMatrix
    public var confusionByGroup: [ConfusionMatrix]
    public var confusionOfUnknown: ConfusionMatrix?
    /// Wilson interval of overall accuracy, for itself and not simultaneous.
    public var accuracyLower: Double?
    public var accuracyUpper: Double?

    public subscript(metric: Metric) -> MetricReport { metrics[metric.rawValue]! }
    public subscript(measure: Measure) -> GapMeasure { gaps.first { $0.measure == measure }! }
}

/// One way of making groups: an intersection of features, or a feature alone.
public struct GroupingReport: Codable, Equatable, Sendable {
    public var features: [String]
    public var groups: [String]
    /// As given: after the fairness layer, where there was one.
    public var after: FrameReport
    /// From the raw logits; absent where the table has none.
    public var before: FrameReport?

    public var title: String { features.joined(separator: " × ") }
}

/// A limit that the command line set.
public struct GateReport: Codable, Equatable, Sendable {
    public var name: String
    public var limit: Double
    public var value: MetricValue
    public var passed: Bool
    /// One sentence.
    public var text: String
}

/// Records whose decision the fairness layer changed.
public struct FlipReport: Codable, Equatable, Sendable {
    public struct Record: Codable, Equatable, Sendable {
        public var id: String
        /// Absent when unknown.
        public var group: String?
        public var rawLogit: Double
        public var logit: Double
        public var label: Int?
    }
    public var count: Int
    public var rows: Int
    /// Of those with labels: wrong before and right after, and the reverse.
    public var corrected: Int
    public var spoilt: Int
    public var byGroup: [Int]
    /// Those that were most certain on both sides, the most certain first.
    public var records: [Record]
}

public struct AuditDocument: Codable, Equatable, Sendable {
    public struct Source: Codable, Equatable, Sendable {
        public var file: String
        public var rows: Int
        public var labelled: Int
        /// Records of a stream without a prediction.
        public var failedRecords: Int
        public var columns: PredictionColumns
        /// Where labels came from, if from another file; and the rows that found none there.
        public var labelFile: String?
        public var unmatched: Int?
        /// Drawn faces, no real people; absent where nobody said.
        public var synthetic: Bool?
    }
    public struct Settings: Codable, Equatable, Sendable {
        public var threshold: Double
        /// `column` or `threshold`: who decided.
        public var decisions: String
        public var intervals: IntervalSettings
        /// ε of the mean-logit gap. Units: logits.
        public var epsilon: Double?
        public var tolerances: [String: Double]
    }

    public var kind = "facefair-audit"
    public var version = 1
    public var facefairVersion = facefairVersionText
    public var command: [String]
    public var source: Source
    public var settings: Settings
    /// The intersection of all features first, then each feature alone.
    public var groupings: [GroupingReport]
    public var gates: [GateReport]
    public var flips: FlipReport?

    public var main: GroupingReport { groupings[0] }
}

/// The version that files are stamped with.
private let facefairVersionText = "0.1.0"
