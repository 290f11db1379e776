// The result of moving group means, and its gradient. Every problem of this module ends here: it only decides where
// the means go and which groups move together.

public struct Projection: Sendable {
    /// The fair scores, in the order of the input.
    public let scores: [Double]
    /// Group sums of the input.
    public let sums: GroupSums
    /// Group means before and after; nil where a group is absent.
    public let meansBefore: [Double?]
    public let meansAfter: [Double?]

    private let groups: [Int]
    /// Which set a group is fused into, nil for a group that moves alone (or not at all).
    private let fusedSet: [Int?]

    /// - Parameters:
    ///   - means: the new mean per group; entries of absent groups are ignored.
    ///   - fusedSet: per group the set whose pooled mean it follows.
    init(_ raw: [Double], groups: [Int], sums: GroupSums, means: [Double], fusedSet: [Int?]) {
        let before = sums.means
        let shift = before.indices.map { k in before[k].map { means[k] - $0 } ?? 0 }
        self.scores = zip(raw, groups).map { $1 == unknownGroup ? $0 : $0 + shift[$1] }
        self.sums = sums
        self.meansBefore = before
        self.meansAfter = before.indices.map { before[$0] == nil ? nil : means[$0] }
        self.groups = groups
        self.fusedSet = fusedSet
    }

    /// Nothing moves.
    init(identity raw: [Double], groups: [Int], sums: GroupSums) {
        self.init(
            raw, groups: groups, sums: sums, means: sums.means.map { $0 ?? 0 },
            fusedSet: Array(repeating: nil, count: sums.groupCount))
    }

    /// Mean-logit gap before and after. Units: logits.
    public var gapBefore: Double { sums.gap }
    public var gapAfter: Double {
        let known = meansAfter.compactMap { $0 }
        guard let low = known.min(), let high = known.max() else { return 0 }
        return high - low
    }

    /// The gradient with respect to the input scores, from that with respect to ``scores``.
    ///
    /// A sample of a fused group gives up its group's mean gradient and takes its set's: `dz = dŷ − mean_g(dŷ) + mean_S(dŷ)`;
    /// every other sample passes its gradient. Complexity: O(n). Source: fairness.md §2 (implicit differentiation of the KKT system).
    public func backward(_ dScores: [Double]) -> [Double] {
        precondition(dScores.count == scores.count, "\(dScores.count) gradients for \(scores.count) scores")
        var groupSum = [Double](repeating: 0, count: sums.groupCount)
        for (d, group) in zip(dScores, groups) where group != unknownGroup { groupSum[group] += d }

        var setSum: [Int: Double] = [:]
        var setCount: [Int: Int] = [:]
        for k in groupSum.indices where sums.counts[k] > 0 {
            guard let set = fusedSet[k] else { continue }
            setSum[set, default: 0] += groupSum[k]
            setCount[set, default: 0] += sums.counts[k]
        }
        let correction = groupSum.indices.map { k -> Double in
            guard sums.counts[k] > 0, let set = fusedSet[k] else { return 0 }
            return setSum[set]! / Double(setCount[set]!) - groupSum[k] / Double(sums.counts[k])
        }
        return zip(dScores, groups).map { $1 == unknownGroup ? $0 : $0 + correction[$1] }
    }
}
