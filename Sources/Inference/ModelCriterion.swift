// A criterion's details as the model file stores them, and back.
import Fairness
import NeuralNetwork

extension CriterionDeclaration {
    public init(_ details: CriterionDetails) {
        self.init(
            bounds: details.bounds.map { [$0.lower, $0.upper] }, conditionOn: details.conditionOn.isEmpty ? nil : details.conditionOn,
            rows: details.rows.isEmpty
                ? nil
                : details.rows.map { row in
                    let groups = row.means.keys.sorted()
                    return Row(name: row.name, groups: groups, coefficients: groups.map { row.means[$0]! }, limit: row.limit)
                })
    }

    public var details: CriterionDetails {
        CriterionDetails(
            bounds: bounds.map { .init(lower: $0[0], upper: $0[1]) }, conditionOn: conditionOn ?? [],
            rows: (rows ?? []).map { row in
                .init(
                    name: row.name, means: Dictionary(zip(row.groups, row.coefficients)) { $0 + $1 }, limit: row.limit)
            })
    }
}

extension ModelMetadata {
    /// The criterion that the model was trained for.
    ///
    /// Errors: `CheckpointError` malformed when the file names one that this version does not know.
    public func knownCriterion(file: String) throws -> Criterion {
        guard let known = Criterion(rawValue: criterion) else {
            throw CheckpointError.malformed(file, "its criterion '\(criterion)' is not known to this version")
        }
        return known
    }
}
