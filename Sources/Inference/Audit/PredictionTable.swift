// A table of anybody's predictions, as `facefair audit` takes it: who belongs to which group, what was scored and decided, what was true.
import Fairness
import Foundation

/// Which column plays which role; nil lets the reader look for the usual names.
public struct PredictionColumns: Codable, Equatable, Sendable {
    public var id: String?
    /// Sensitive features: columns, or features inside a `group` column that reads `Male=0,Young=1`.
    public var groupBy: [String]?
    /// Log-odds.
    public var logit: String?
    /// The same before a fairness layer.
    public var rawLogit: String?
    /// Probabilities.
    public var score: String?
    public var decision: String?
    public var label: String?

    public init(
        id: String? = nil, groupBy: [String]? = nil, logit: String? = nil, rawLogit: String? = nil, score: String? = nil,
        decision: String? = nil, label: String? = nil
    ) {
        (self.id, self.groupBy, self.logit, self.rawLogit) = (id, groupBy, logit, rawLogit)
        (self.score, self.decision, self.label) = (score, decision, label)
    }

    /// The names looked for, in this order.
    static let usual: [(role: String, names: [String])] = [
        ("id", ["id", "file", "file_name", "image"]), ("group", ["group", "groups", "sensitive_features", "sensitive_feature"]),
        ("logit", ["logit", "logits"]), ("logit_raw", ["logit_raw"]),
        ("score", ["score", "probability", "prob", "y_score", "y_prob"]),
        ("decision", ["decision", "prediction", "predicted", "pred", "y_pred"]), ("label", ["label", "y_true", "truth"]),
    ]
}

/// Rows in the order of the input.
public struct PredictionTable: Sendable {
    /// A sensitive feature: its values, and each row's or nil.
    public struct Feature: Sendable {
        public var name: String
        public var values: [String]
        public var rows: [Int?]
    }

    public internal(set) var ids: [String] = []
    public internal(set) var features: [Feature] = []
    public internal(set) var logits: [Double]?
    public internal(set) var rawLogits: [Double]?
    public internal(set) var probabilities: [Double]?
    public internal(set) var decisions: [Int]?
    public internal(set) var labels: [Int?] = []
    /// The columns that were read, for the record.
    public internal(set) var columns = PredictionColumns()
    /// That the decisions were made with, where the table has such a column and it says one thing.
    public internal(set) var threshold: Double?
    /// Records of a stream that were answered with an error and so have no prediction.
    public internal(set) var failedRecords = 0
    /// Of answers of `infer --stream`: how the fairness step went.
    public internal(set) var stream: StreamTrace?
    /// ε of the layer that ``project(tolerance:source:)`` applied.
    public private(set) var projectedTolerance: Double?

    public var count: Int { labels.count }

    public init() {}

    /// More groups than this are a mistake, such as an id column named as a feature.
    public static let largestGroupCount = 256

    /// The intersection of some features, values in their order, the last feature fastest.
    public func grouping(_ names: [String]) -> (features: SensitiveFeatures, groups: [Int]) {
        let chosen = names.map { name in features.first { $0.name == name }! }
        let declared = SensitiveFeatures(chosen.map { .init(name: $0.name, values: $0.values) })
        return (declared, labels.indices.map { row in declared.groupID(chosen.map { $0.rows[row] }) })
    }

    /// What the metrics take; `raw` is the state before the fairness layer.
    public func predictions(groups: [Int], raw: Bool = false) -> Predictions {
        var scores = (raw ? rawLogits : logits) ?? Array(repeating: .nan, count: count)
        if !raw && logits == nil, let probabilities { scores = probabilities.map(logOdds) }
        var predictions = Predictions(scores: scores, labels: labels, groups: groups)
        if !raw {
            predictions.decisions = decisions
            if logits == nil { predictions.probabilities = probabilities }
        }
        return predictions
    }

    /// Leaves decisions to the threshold.
    public mutating func dropDecisions() {
        decisions = nil
        columns.decision = nil
    }

    /// Applies the fairness layer to the logits, all rows at once and over the intersection of the features; what was given
    /// becomes the state before. Decisions are left to the threshold.
    ///
    /// Errors: ``ScoreTableError`` where there are no logits, or a state before already; `FairnessError`.
    public mutating func project(tolerance: Double, source: String) throws {
        guard let logits else { throw ScoreTableError(source: source, reason: "has no logits to project; name them with --logit") }
        guard rawLogits == nil else {
            throw ScoreTableError(source: source, column: columns.rawLogit, reason: "holds logits before a fairness layer already; leave --project out")
        }
        let (declared, groups) = grouping(features.map(\.name))
        let layer = FairnessLayer(groupCount: declared.groupCount, tolerance: tolerance)
        let fair = try LogitPostprocessor.projection(layer).apply(predictions(groups: groups, raw: false))
        (rawLogits, self.logits) = (logits, fair.scores)
        columns.rawLogit = columns.logit
        projectedTolerance = tolerance
        dropDecisions()
    }

    /// Labels by id, from another table.
    ///
    /// Returns the number of rows that found none. Errors: ``ScoreTableError`` for an id that stands twice there.
    public mutating func takeLabels(from other: PredictionTable, source: String) throws(ScoreTableError) -> Int {
        var known: [String: Int] = [:]
        for (row, id) in other.ids.enumerated() where known.updateValue(row, forKey: id) != nil {
            throw ScoreTableError(source: source, column: other.columns.id, value: id, reason: "stands twice, so its label is not certain; keep one row per id")
        }
        var missing = 0
        labels = ids.map { id in
            guard let row = known[id] else {
                missing += 1
                return nil
            }
            return other.labels[row]
        }
        columns.label = other.columns.label
        return missing
    }
}

/// Infinite at 0 and 1.
private func logOdds(_ probability: Double) -> Double { log(probability) - log1p(-probability) }
