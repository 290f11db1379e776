// The file of custom rows: JSON, one object per constraint.
import Fairness

/// What is wrong with a file of custom rows.
public struct CriterionRowsError: Error, Equatable, CustomStringConvertible {
    public let description: String
}

extension CriterionDetails.Row {
    /// Reads `[{"name": "…", "means": {"Male=0,Young=1": 1, "Male=1,Young=1": -1}, "scores": {"id": 1}, "limit": 0.1}, …]`.
    ///
    /// A row says: the sum of coefficient times mean score of a group, and of coefficient times score of a row, is at most the limit.
    /// Errors: ``CriterionRowsError`` naming the source, the row and what to change.
    public static func read(_ bytes: [UInt8], source: String) throws(CriterionRowsError) -> [CriterionDetails.Row] {
        func fail(_ reason: String) -> CriterionRowsError { CriterionRowsError(description: "\(source): \(reason)") }
        let value: JSONValue
        do throws(JSONError) {
            value = try bytes.withUnsafeBufferPointer { (buffer) throws(JSONError) in try JSONValue.parse(buffer) }
        } catch { throw fail("is \(error)") }
        guard case .array(let items) = value else {
            throw fail(#"is \#(value.kind); expected a list such as [{"name": "a near b", "means": {"Male=0": 1, "Male=1": -1}, "limit": 0.1}]"#)
        }
        guard !items.isEmpty else { throw fail("has no rows") }
        var rows: [CriterionDetails.Row] = []
        var names: Set<String> = []
        for (index, item) in items.enumerated() {
            let row: CriterionDetails.Row
            do throws(CriterionRowsError) { row = try CriterionDetails.Row(item, number: index + 1) } catch { throw fail(error.description) }
            guard names.insert(row.name).inserted else { throw fail("two rows are called '\(row.name)'; messages name rows, so give each its own name") }
            rows.append(row)
        }
        return rows
    }

    private init(_ value: JSONValue, number: Int) throws(CriterionRowsError) {
        func fail(_ name: String, _ reason: String) -> CriterionRowsError { CriterionRowsError(description: "row \(name): \(reason)") }
        guard case .object(let members) = value else { throw fail("\(number)", "is \(value.kind), not an object") }
        var name = "\(number)"
        if case .string(let text)? = value["name"], !text.isEmpty { name = text }
        var (means, scores, limit) = ([String: Double](), [String: Double](), Double?.none)
        for member in members {
            switch member.key {
            case "name":
                guard case .string(let text) = member.value, !text.isEmpty else { throw fail("\(number)", "a name is a text that is not empty") }
            case "limit":
                guard let number = member.value.double else { throw fail(name, "limit is \(member.value.kind), not a finite number") }
                limit = number
            case "means", "scores":
                guard case .object(let terms) = member.value else {
                    throw fail(name, "\(member.key) is \(member.value.kind); expected an object of names and coefficients")
                }
                for term in terms {
                    guard let coefficient = term.value.double else { throw fail(name, "the coefficient of '\(term.key)' is not a finite number") }
                    if member.key == "means" { means[term.key] = coefficient } else { scores[term.key] = coefficient }
                }
            default: throw fail(name, "'\(member.key)' is none of name, means, scores, limit")
            }
        }
        guard let limit else { throw fail(name, "has no limit") }
        guard means.values.contains(where: { $0 != 0 }) || scores.values.contains(where: { $0 != 0 }) else {
            throw fail(name, "has no coefficient but 0, so it speaks of no score")
        }
        self.init(name: name, means: means, scores: scores, limit: limit)
    }

    /// The rows as ``read(_:source:)`` takes them back.
    public static func write(_ rows: [CriterionDetails.Row]) -> String {
        var writer = JSONWriter()
        writer.array { list in
            for row in rows {
                list.object { object in
                    object.field("name", row.name)
                    for (key, terms) in [("means", row.means), ("scores", row.scores)] where !terms.isEmpty {
                        object.object(key) { object in
                            for (name, coefficient) in terms.sorted(by: { $0.key < $1.key }) { object.field(name, coefficient) }
                        }
                    }
                    object.field("limit", row.limit)
                }
            }
        }
        return writer.text
    }
}
