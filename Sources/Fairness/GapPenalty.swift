// The penalty methods' objective: a price on the gaps between group means, added to the training loss.

/// λ · Σ over pairs of squared differences of group means. The paper's "Penalty"; with λ = 10⁴ its "Strict Penalty".
///
/// Source: arXiv 2605.17118, image experiments.
public struct GapPenalty: Sendable {
    public let groupCount: Int
    public let weight: Double

    public init(groupCount: Int, weight: Double) {
        self.groupCount = groupCount
        self.weight = weight
    }

    /// The penalty of one batch and its gradient with respect to the scores.
    ///
    /// Errors: ``FairnessError``.
    public func valueAndGradient(_ scores: [Double], groups: [Int]) throws -> (value: Double, gradient: [Double]) {
        let sums = try GroupSums(scores, groups: groups, groupCount: groupCount)
        let present = sums.present
        let means = sums.means
        var value = 0.0
        var dMean = [Double](repeating: 0, count: groupCount)
        for (index, i) in present.enumerated() {
            for j in present[(index + 1)...] {
                let gap = means[i]! - means[j]!
                value += weight * gap * gap
                dMean[i] += 2 * weight * gap
                dMean[j] -= 2 * weight * gap
            }
        }
        return (value, groups.map { $0 == unknownGroup ? 0 : dMean[$0] / Double(sums.counts[$0]) })
    }
}
