// A constraint of the user's own: one row of A ŷ ≤ b.

/// Σ coefficient · mean score of a group + Σ coefficient · score of a row ≤ limit.
public struct CustomRow: Equatable, Sendable {
    /// How messages call it.
    public let name: String
    /// Coefficients of group means; a group without samples in the batch makes the row void there.
    public let means: [Int: Double]
    /// Coefficients of single scores, by their index in the batch.
    public let scores: [Int: Double]
    public let limit: Double

    public init(name: String, means: [Int: Double] = [:], scores: [Int: Double] = [:], limit: Double) {
        self.name = name
        self.means = means
        self.scores = scores
        self.limit = limit
    }
}
