// The parity notions a model can be trained, projected and audited for.

public enum Criterion: String, CaseIterable, Codable, Sendable {
    /// All group means of the scores within ε of each other.
    case demographicParity = "demographic-parity"
}
