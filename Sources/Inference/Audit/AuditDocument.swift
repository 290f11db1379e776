// What an audit finds, as one value that is printed, written as JSON, and read again by `facefair report`.
import Fairness
import Foundation

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
    /// By the raw value of `Metric`.
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

/// One row of the table, for people who want to look.
public struct AuditedRecord: Codable, Equatable, Sendable {
    public var id: String
    /// Absent when unknown.
    public var group: String?
    /// Before the fairness layer, where there was one.
    public var rawLogit: Double?
    public var logit: Double?
    /// Where it was given instead of a logit.
    public var probability: Double?
    public var decision: Int
    public var label: Int?
}

/// Records whose decision the fairness layer changed.
public struct FlipReport: Codable, Equatable, Sendable {
    public var count: Int
    public var rows: Int
    /// Of those with labels: wrong before and right after, and the reverse.
    public var corrected: Int
    public var spoilt: Int
    public var byGroup: [Int]
    /// Those that were most certain on both sides, the most certain first.
    public var records: [AuditedRecord]
}

/// Records whose decision and label disagree.
public struct MistakeReport: Codable, Equatable, Sendable {
    public var count: Int
    public var labelled: Int
    /// The most certain mistakes first; empty for tables without scores, which know no certainty.
    public var records: [AuditedRecord]
}

public struct AuditDocument: Codable, Equatable, Sendable {
    public struct Source: Codable, Equatable, Sendable {
        public var file: String
        /// Size and fingerprint of what was read.
        public var bytes: Int
        public var sha256: String
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
        /// ε of the layer that the audit itself applied to the table. Units: logits.
        public var projected: Double?
        public var gateRule: Audit.GateRule
    }

    static let kindName = "facefair-audit", currentVersion = 1

    public var kind = kindName
    public var version = currentVersion
    public var command: ShellCommand
    public var environment: RunEnvironment
    public var source: Source
    public var settings: Settings
    /// The intersection of all features first, then each feature alone.
    public var groupings: [GroupingReport]
    public var gates: [GateReport]
    public var flips: FlipReport?
    public var mistakes: MistakeReport
    /// Of answers of `infer --stream`.
    public var stream: StreamTrace?

    public var main: GroupingReport { groupings[0] }
}

extension AuditDocument {
    /// Reads what `facefair audit --format json` wrote.
    ///
    /// Errors: ``ScoreTableError`` for anything else.
    public static func read(_ bytes: [UInt8], source: String) throws(ScoreTableError) -> AuditDocument {
        let decoder = JSONDecoder()
        decoder.keyDecodingStrategy = .convertFromSnakeCase
        struct Stamp: Decodable { let kind: String, version: Int }
        guard let stamp = try? decoder.decode(Stamp.self, from: Data(bytes)), stamp.kind == AuditDocument.kindName else {
            throw ScoreTableError(source: source, reason: "is no audit; make one with facefair audit --format json")
        }
        guard stamp.version == AuditDocument.currentVersion else {
            throw ScoreTableError(
                source: source, reason: "is an audit of version \(stamp.version), this is facefair \(facefairVersionText) for version \(currentVersion); make it anew")
        }
        do { return try decoder.decode(AuditDocument.self, from: Data(bytes)) } catch {
            throw ScoreTableError(source: source, reason: "is a damaged audit (\(error)); make it anew with facefair audit --format json")
        }
    }

    /// Whether `bytes` claim to be an audit rather than a table.
    public static func isAudit(_ bytes: [UInt8]) -> Bool {
        struct Kind: Decodable { let kind: String }
        return (try? JSONDecoder().decode(Kind.self, from: Data(bytes)))?.kind == kindName
    }
}
