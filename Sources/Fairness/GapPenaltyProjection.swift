// The primal step of the online algorithm: scores pulled toward parity by a penalty on the gap, solved exactly.

/// Which gap of the group means is penalised.
public enum PairPenalty: String, Codable, CaseIterable, Sendable {
    /// The largest gap (the paper's released package).
    case max
    /// The sum over all pairs (the paper's image experiments).
    case sum
}

/// min ‖ŷ − z‖² + weight · G(group means of ŷ), G by ``PairPenalty``.
///
/// Source: arXiv 2605.17118, small-batch regime; closed forms in docs/streaming.md.
public struct GapPenaltyProjection: Sendable {
    public let groupCount: Int
    public let penalty: PairPenalty

    public init(groupCount: Int, penalty: PairPenalty) {
        self.groupCount = groupCount
        self.penalty = penalty
    }

    /// Errors: ``FairnessError``. Complexity: O(n + K log K) for `.max`, O(n + K² log K) for `.sum`.
    public func forward(_ scores: [Double], groups: [Int], weight: Double) throws -> Projection {
        precondition(weight >= 0 && weight.isFinite, "penalty weight \(weight) must be a finite number ≥ 0")
        let sums = try GroupSums(scores, groups: groups, groupCount: groupCount)
        let present = sums.present
        guard present.count > 1, weight > 0 else { return Projection(identity: scores, cells: groups, sums: sums, gap: sums.gap) }

        var means = sums.plainMeans
        let a = present.map { means[$0] }
        let n = present.map { Double(sums.counts[$0]) }
        let solution =
            switch penalty {
            case .max: pullEnds(a, n, weight: weight)
            case .sum: pullPairs(a, n, weight: weight)
            }
        var sets = [Int](repeating: Projection.alone, count: groupCount)
        for (index, k) in present.enumerated() {
            means[k] = solution.means[index]
            sets[k] = solution.sets[index]
        }
        return Projection(
            scores, cells: groups, sums: sums, means: means, motion: .sets(sets), gapBefore: sums.gap,
            gapAfter: solution.means.max()! - solution.means.min()!)
    }

    private typealias Solution = (means: [Double], sets: [Int])

    /// Maximum gap: clamp into [low, high] with 2 Σ n_k (low − a_k)₊ = weight = 2 Σ n_k (a_k − high)₊.
    private func pullEnds(_ a: [Double], _ n: [Double], weight: Double) -> Solution {
        let order = a.indices.sorted { a[$0] < a[$1] }
        let low = raisedFloor(order.map { (a[$0], n[$0]) }, by: weight / 2)
        let high = -raisedFloor(order.reversed().map { (-a[$0], n[$0]) }, by: weight / 2)
        if low >= high {
            let mean = zip(a, n).reduce(0) { $0 + $1.0 * $1.1 } / n.reduce(0, +)
            return (a.map { _ in mean }, a.map { _ in 0 })
        }
        return (
            a.map { Swift.min(Swift.max($0, low), high) },
            a.map { $0 <= low ? 0 : $0 >= high ? 1 : Projection.alone }
        )
    }

    /// The level L with Σ n (L − value)₊ = volume, for values in ascending order.
    private func raisedFloor(_ ascending: [(value: Double, count: Double)], by volume: Double) -> Double {
        var count = 0.0, total = 0.0, level = ascending[0].value
        for (index, item) in ascending.enumerated() {
            count += item.count
            total += item.count * item.value
            level = (total + volume) / count
            if index + 1 == ascending.count || level <= ascending[index + 1].value { break }
        }
        return level
    }

    /// Sum over pairs: min Σ n_k (m_k − a_k)² + weight · Σ |m_i − m_j|, exactly, by splitting.
    ///
    /// Take groups of which all that stand higher, `above` of them, are known. If they agreed, they would stand at their pooled mean
    /// plus the pull of the others. Lifting a subset T out of them then changes the objective at the rate
    /// `2 Σ_T n (level − a) + weight · (h(above + |T|) − h(above))`, where `h(s) = s (K − s)` is the number of pairs that s groups on
    /// top are parted from. For each size the best T is read off a sort by n (level − a). If no rate is negative, the groups are one
    /// set; else the steepest T stands above the rest, and both parts are solved alone: at most K − 1 splits, whatever the counts.
    /// Sorting by mean and merging neighbours would be wrong: with unequal counts the optimum can reverse the order of two groups.
    /// Source: the decomposition algorithm for separable convex functions on a base polytope (Groenevelt 1991; Fujishige 2005, §8.2).
    private func pullPairs(_ a: [Double], _ n: [Double], weight: Double) -> Solution {
        let total = a.count
        let centre = zip(a, n).reduce(0) { $0 + $1.0 * $1.1 } / n.reduce(0, +)
        func parted(_ top: Int) -> Double { weight * Double(top * (total - top)) }

        var means = a
        var sets = [Int](repeating: Projection.alone, count: total)
        var open = [(members: Array(a.indices), above: 0)]
        var setCount = 0
        while let (members, above) = open.popLast() {
            let pull = parted(above) - parted(above + members.count)
            let level = (members.reduce(0) { $0 + n[$1] * (a[$1] - centre) } + pull / 2) / members.reduce(0) { $0 + n[$1] }
            let order = members.map { (group: $0, cost: 2 * n[$0] * (level - (a[$0] - centre))) }
                .sorted { ($0.cost, $0.group) < ($1.cost, $1.group) }
            // A rate below the rounding of its own sum is no reason to split.
            var steepest = -8 * Double.ulpOfOne * order.reduce(0) { $0 + abs($1.cost) }
            var lifted = 0
            var sum = 0.0
            for size in 1..<order.count {
                sum += order[size - 1].cost
                let rate = sum + parted(above + size) - parted(above)
                if rate < steepest { (steepest, lifted) = (rate, size) }
            }
            if lifted > 0 {
                open.append((order[..<lifted].map(\.group), above))
                open.append((order[lifted...].map(\.group), above + lifted))
            } else {
                for k in members { (means[k], sets[k]) = (level + centre, setCount) }
                setCount += 1
            }
        }
        return (means, sets)
    }
}
