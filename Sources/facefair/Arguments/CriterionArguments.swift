// The flags of a criterion beyond its name and ε.
import ArgumentParser
import Fairness
import Foundation
import Inference

struct CriterionArguments: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "For conditional-parity: the sensitive features inside whose values groups are compared, separated by commas.", valueName: "names"))
    var conditionOn: String?

    @Option(
        parsing: .unconditional,
        help: ArgumentHelp("What every fair logit must lie in, such as -4,4.", valueName: "lower,upper"))
    var bounds: String?

    @Option(
        help: ArgumentHelp(
            """
            For custom: a JSON file, or JSON in place of it, with rows [{"name", "means": {group: coefficient}, "limit"}, …]: the sum of \
            coefficient times mean score of the group is at most the limit.
            """, valueName: "file"))
    var rows: String?

    func validate() throws {
        _ = try boundsAndFeatures()
    }

    /// nil where no flag was given.
    ///
    /// Errors: `FileError` and `CriterionRowsError` for the file of rows.
    func details() throws -> CriterionDetails? {
        var details = try boundsAndFeatures()
        if let rows {
            let isText = rows.drop { $0.isWhitespace }.first == "["
            details.rows = try CriterionDetails.Row.read(isText ? Array(rows.utf8) : ByteFiles.read(rows), source: isText ? "--rows" : rows)
        }
        return details.isEmpty ? nil : details
    }

    private func boundsAndFeatures() throws -> CriterionDetails {
        var details = CriterionDetails()
        if let bounds {
            let parts = bounds.split(separator: ",", omittingEmptySubsequences: false).map { Double($0.trimmingCharacters(in: .whitespaces)) }
            guard parts.count == 2, let lower = parts[0], let upper = parts[1], lower.isFinite, upper.isFinite, lower <= upper else {
                throw ValidationError("--bounds \(bounds): must be two finite numbers separated by a comma, the lower first, such as -4,4")
            }
            details.bounds = .init(lower: lower, upper: upper)
        }
        if let conditionOn {
            let names = conditionOn.split(separator: ",", omittingEmptySubsequences: false).map { $0.trimmingCharacters(in: .whitespaces) }
            guard !names.contains("") else { throw ValidationError("--condition-on '\(conditionOn)': a name is empty") }
            guard Set(names).count == names.count else { throw ValidationError("--condition-on '\(conditionOn)': a name stands there twice") }
            details.conditionOn = names
        }
        return details
    }

    /// The flags that give these details again.
    static func flags(_ details: CriterionDetails) -> [(key: String, value: String)] {
        var flags: [(key: String, value: String)] = []
        if let bounds = details.bounds { flags.append(("bounds", "\(bounds.lower),\(bounds.upper)")) }
        if !details.conditionOn.isEmpty { flags.append(("condition-on", details.conditionOn.joined(separator: ","))) }
        if !details.rows.isEmpty { flags.append(("rows", CriterionDetails.Row.write(details.rows))) }
        return flags
    }
}
