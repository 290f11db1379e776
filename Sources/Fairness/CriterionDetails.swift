// What a criterion needs beyond its name and ε, in the words of users, and the layer that it all makes for given groups.

/// Stored by runs and model files; resolved against groups by ``FairnessLayer/init(_:features:tolerance:details:)``.
public struct CriterionDetails: Codable, Equatable, Sendable {
    /// What every score must lie in. Units: logits.
    public struct Bounds: Codable, Equatable, Sendable {
        public var lower: Double
        public var upper: Double

        public init(lower: Double, upper: Double) {
            self.lower = lower
            self.upper = upper
        }
    }

    /// A row of A ŷ ≤ b with groups and scores by name: Σ coefficient · mean of a group + Σ coefficient · score of a row ≤ limit.
    public struct Row: Codable, Equatable, Sendable {
        public var name: String
        /// Coefficients by group, such as `Male=0,Young=1`.
        public var means: [String: Double]
        /// Coefficients by the id of a row; only tables have such ids.
        public var scores: [String: Double]
        public var limit: Double

        public init(name: String, means: [String: Double] = [:], scores: [String: Double] = [:], limit: Double) {
            self.name = name
            self.means = means
            self.scores = scores
            self.limit = limit
        }
    }

    public var bounds: Bounds?
    /// For conditional parity: the sensitive features whose values are the strata.
    public var conditionOn: [String]
    /// For custom rows.
    public var rows: [Row]

    public init(bounds: Bounds? = nil, conditionOn: [String] = [], rows: [Row] = []) {
        self.bounds = bounds
        self.conditionOn = conditionOn
        self.rows = rows
    }

    public var isEmpty: Bool { bounds == nil && conditionOn.isEmpty && rows.isEmpty }

    /// What does not fit together, whatever the groups are; nil if nothing.
    public func complaint(_ criterion: Criterion) -> String? {
        if let bounds {
            guard bounds.lower.isFinite, bounds.upper.isFinite, bounds.lower <= bounds.upper else {
                return "bounds \(bounds.lower),\(bounds.upper): two finite numbers, the lower first"
            }
            if criterion == .marginalParity || criterion == .custom { return FairnessLayer.boxRefusal(criterion) }
        }
        if criterion != .conditionalParity, !conditionOn.isEmpty {
            return "a feature to condition on belongs to conditional-parity, not to \(criterion.rawValue)"
        }
        if criterion == .custom, rows.isEmpty { return "custom needs a file of rows" }
        if criterion != .custom, !rows.isEmpty { return "rows belong to custom, not to \(criterion.rawValue)" }
        return nil
    }
}

extension FairnessLayer {
    /// The layer for groups that are combinations of features.
    ///
    /// Errors: ``FairnessError/unsupported(_:)`` where criterion, details and groups do not fit, and
    /// ``FairnessError/contradiction(rows:)`` where no scores satisfy the custom rows.
    public init(_ criterion: Criterion, features: SensitiveFeatures, tolerance: Double, details: CriterionDetails?) throws {
        let details = details ?? CriterionDetails()
        if let complaint = details.complaint(criterion) { throw FairnessError.unsupported(complaint) }
        let names = features.features.map(\.name)
        if criterion == .conditionalParity && details.conditionOn.isEmpty {
            throw FairnessError.unsupported("conditional-parity needs the feature to condition on, one or some of \(names.joined(separator: ", "))")
        }
        let conditionOn = try details.conditionOn.map { name in
            guard let index = names.firstIndex(of: name) else {
                throw FairnessError.unsupported("'\(name)' to condition on is not a sensitive feature; these are \(names.joined(separator: ", "))")
            }
            return index
        }
        if criterion == .conditionalParity && Set(conditionOn).count == names.count {
            throw FairnessError.unsupported(
                "inside each stratum of \(details.conditionOn.joined(separator: ", ")) there is one group only, so nothing is compared; group by one more feature")
        }
        let rows = try details.rows.map { row in
            guard row.scores.isEmpty else {
                throw FairnessError.unsupported("row '\(row.name)' names single scores; only 'facefair project' on a table knows them")
            }
            return try row.resolved(group: features.group(parsing:))
        }
        try self.init(
            criterion, groupCount: features.groupCount, tolerance: tolerance, featureSizes: features.features.map(\.values.count),
            conditionOn: conditionOn, box: details.bounds.map { $0.lower...$0.upper }, customRows: rows)
        try checkRows()
    }

    /// Rows on group means of all groups hold in every batch or in none: found before the first batch.
    private func checkRows() throws {
        guard !customRows.isEmpty else { return }
        let groups = Array(0..<groupCount)
        _ = try forward(FairnessBatch(scores: groups.map { _ in 0 }, groups: groups))
    }
}

extension CriterionDetails.Row {
    /// The row with numbers for names.
    ///
    /// - Parameters:
    ///   - group: the number of a named group; it throws for a name that it does not know.
    ///   - score: the index of a row by its id.
    /// Errors: ``FairnessError/unsupported(_:)`` naming the row and what is wrong with it.
    public func resolved(group: (String) throws -> Int, score: (String) throws -> Int = { _ in unknownGroup }) throws -> CustomRow {
        func number(_ name: String, _ find: (String) throws -> Int) throws -> Int {
            let found: Int
            do { found = try find(name) } catch { throw FairnessError.unsupported("row '\(self.name)': \(error)") }
            guard found != unknownGroup else { throw FairnessError.unsupported("row '\(self.name)': '\(name)' is not one whole group") }
            return found
        }
        var (byGroup, byScore) = ([Int: Double](), [Int: Double]())
        for (name, coefficient) in means { byGroup[try number(name, group), default: 0] += coefficient }
        for (name, coefficient) in scores { byScore[try number(name, score), default: 0] += coefficient }
        return CustomRow(name: name, means: byGroup, scores: byScore, limit: limit)
    }
}
