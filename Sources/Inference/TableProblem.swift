// What a criterion makes of a table: the layer, and the table as its batch.
import Fairness

struct TableProblem {
    let layer: FairnessLayer
    let batch: FairnessBatch

    /// - Parameters:
    ///   - settings: criterion, tolerance, details.
    ///   - table: the rows.
    ///   - names: the groups of the table.
    ///   - groups: index into `names` per row, or `unknownGroup`.
    ///   - source: how errors call the table.
    ///
    /// Errors: ``ScoreTableError`` naming what the table lacks, `FairnessError`.
    init(_ settings: ScoreProjection, _ table: ScoreTable, _ names: [String], _ groups: [Int], source: String) throws {
        let (criterion, details) = (settings.criterion, settings.details)
        func fail(_ column: String?, _ reason: String, _ value: String? = nil) -> ScoreTableError {
            ScoreTableError(source: source, column: column, value: value, reason: reason)
        }
        if let complaint = details.complaint(criterion) { throw FairnessError.unsupported(complaint) }
        let labels =
            table.targets.isEmpty ? table.labels.map { $0.map(Double.init) ?? .nan } : table.targets.map { $0 ?? .nan }
        if criterion.needsLabels, labels.allSatisfy(\.isNaN) {
            throw fail("label", "\(criterion.rawValue) compares groups by their labels, and no row has one; add a column label")
        }
        let box = details.bounds.map { $0.lower...$0.upper }
        var (groupCount, layerGroups, sizes, strata) = (names.count, groups, [Int](), [Int]())
        var conditionOn: [Int] = []
        var rows: [CustomRow] = []
        switch criterion {
        case .conditionalParity where !table.strata.isEmpty:
            var numbers: [String: Int] = [:]
            strata = table.strata.map { value in
                guard !value.isEmpty else { return -1 }
                return numbers[value] ?? {
                    numbers[value] = numbers.count
                    return numbers.count - 1
                }()
            }
        case .conditionalParity, .marginalParity:
            let features = try TableProblem.features(names, criterion) { fail($0, $1, $2) }
            let numbers = try names.map { try features.group(parsing: $0) }
            (groupCount, sizes) = (features.groupCount, features.features.map(\.values.count))
            layerGroups = groups.map { $0 == unknownGroup ? $0 : numbers[$0] }
            conditionOn = try details.conditionOn.map { name in
                guard let index = features.features.firstIndex(where: { $0.name == name }) else {
                    throw fail(
                        nil, "has neither a column \(name) nor a feature of that name in its groups (\(features.features.map(\.name).joined(separator: ", ")))")
                }
                return index
            }
            if criterion == .conditionalParity && conditionOn.isEmpty {
                throw FairnessError.unsupported("conditional-parity needs the column or feature to condition on")
            }
            if criterion == .conditionalParity, Set(conditionOn).count == features.features.count {
                throw fail("group", "inside each stratum of \(details.conditionOn.joined(separator: ", ")) there is one group only, so nothing is compared")
            }
        case .custom:
            if settings.batchSize != nil, let row = details.rows.first(where: { !$0.scores.isEmpty }) {
                throw FairnessError.unsupported("row '\(row.name)' names single scores, which are in one batch only; leave --batch-size out")
            }
            rows = try TableProblem.resolve(details.rows, table, names)
        case .demographicParity, .equalizedOdds, .equalOpportunity, .equalizedResiduals: break
        }
        layer = try FairnessLayer(
            criterion, groupCount: groupCount, tolerance: settings.tolerance, featureSizes: sizes, conditionOn: conditionOn, box: box,
            customRows: rows)
        batch = FairnessBatch(scores: table.logits, groups: layerGroups, labels: labels, strata: strata)
    }

    /// Features and values in order of appearance, from groups such as `Male=0,Young=1`.
    private static func features(
        _ names: [String], _ criterion: Criterion, _ fail: (String?, String, String?) -> ScoreTableError
    ) throws -> SensitiveFeatures {
        var order: [String] = []
        var values: [String: [String]] = [:]
        for (number, name) in names.enumerated() {
            let pairs = name.split(separator: ",").map { $0.split(separator: "=", maxSplits: 1).map(ScoreTable.trim) }
            let features = pairs.compactMap(\.first)
            if number == 0 { order = features }
            guard pairs.allSatisfy({ $0.count == 2 }), features.sorted() == order.sorted(), Set(features).count == features.count else {
                throw fail(
                    "group", "cannot be taken apart, as \(criterion.rawValue) does: write every group as the same features, such as Male=0,Young=1", name)
            }
            for pair in pairs where !values[pair[0], default: []].contains(pair[1]) { values[pair[0], default: []].append(pair[1]) }
        }
        return SensitiveFeatures(order.map { .init(name: $0, values: values[$0]!) })
    }

    private static func resolve(_ rows: [CriterionDetails.Row], _ table: ScoreTable, _ names: [String]) throws -> [CustomRow] {
        let wanted = Set(rows.flatMap(\.scores.keys))
        var places: [String: [Int]] = [:]
        for (row, id) in table.ids.enumerated() {
            if !wanted.isEmpty, let text = id.spelling, wanted.contains(text) { places[text, default: []].append(row) }
        }
        return try rows.map { row in
            try row.resolved { name in
                guard let group = names.firstIndex(of: name) else { throw Absent("the table has no group '\(name)'; it has \(names.joined(separator: "; "))") }
                return group
            } score: { id in
                guard let found = places[id] else { throw Absent("the table has no row with id '\(id)'") }
                guard found.count == 1 else { throw Absent("\(found.count) rows of the table have the id '\(id)'") }
                return found[0]
            }
        }
    }

    private struct Absent: Error, CustomStringConvertible {
        let description: String
        init(_ description: String) { self.description = description }
    }
}

extension ScoreTable {
    fileprivate static func trim(_ text: Substring) -> String { trim(String(text)) }
}
