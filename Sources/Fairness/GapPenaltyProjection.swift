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

    /// Errors: ``FairnessError``. Complexity: O(n + K log K) for `.max`, O(n + K²) per sweep for `.sum`.
    public func forward(_ scores: [Double], groups: [Int], weight: Double) throws -> Projection {
        precondition(weight >= 0 && weight.isFinite, "penalty weight \(weight) must be a finite number ≥ 0")
        let sums = try GroupSums(scores, groups: groups, groupCount: groupCount)
        let present = sums.present
        guard present.count > 1, weight > 0 else { return Projection(identity: scores, groups: groups, sums: sums) }

        let before = sums.means
        let a = present.map { before[$0]! }
        let n = present.map { Double(sums.counts[$0]) }
        let solution =
            switch penalty {
            case .max: pullEnds(a, n, weight: weight)
            case .sum: try pullPairs(a, n, weight: weight)
            }
        var means = before.map { $0 ?? 0 }
        var fusedSet = [Int?](repeating: nil, count: groupCount)
        for (index, k) in present.enumerated() {
            means[k] = solution.means[index]
            fusedSet[k] = solution.sets[index]
        }
        return Projection(scores, groups: groups, sums: sums, means: means, fusedSet: fusedSet)
    }

    private typealias Solution = (means: [Double], sets: [Int?])

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
            a.map { $0 <= low ? 0 : $0 >= high ? 1 : nil }
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

    /// Sum over pairs, by its box-constrained dual: one flow u_ij ∈ [−weight, weight] per pair, m_k = a_k − Σ_j u_kj / 2n_k.
    ///
    /// Sorting and merging neighbours would be wrong: with unequal counts the optimum can reverse the order of two groups.
    private func pullPairs(_ a: [Double], _ n: [Double], weight: Double) throws -> Solution {
        let count = a.count
        let give = n.map { 1 / (2 * $0) }  // how far a unit of flow moves a group
        let scale = Swift.max(a.max()! - a.min()!, 1e-300)
        var m = a
        var flow = [Double](repeating: 0, count: count * count)
        var move = Double.infinity
        var sweep = 0
        while move > 1e-13 * scale {
            guard sweep < 100_000 else { throw FairnessError.notConverged(residual: move) }
            sweep += 1
            move = 0
            for i in 0..<count {
                for j in i + 1..<Swift.max(count, i + 1) {
                    let old = flow[i * count + j]
                    let new = Swift.min(Swift.max(old + (m[i] - m[j]) / (give[i] + give[j]), -weight), weight)
                    guard new != old else { continue }
                    flow[i * count + j] = new
                    m[i] -= (new - old) * give[i]
                    m[j] += (new - old) * give[j]
                    move = Swift.max(move, abs(new - old) * Swift.max(give[i], give[j]))
                }
            }
        }
        return polish(m, a, n, weight: weight, tie: 1e-9 * scale)
    }

    /// Groups whose means agree are one set; given the sets and their order, each set's mean is one division.
    private func polish(_ m: [Double], _ a: [Double], _ n: [Double], weight: Double, tie: Double) -> Solution {
        let order = m.indices.sorted { m[$0] < m[$1] }
        var sets = [Int](repeating: 0, count: m.count)
        for (previous, k) in zip(order, order.dropFirst()) {
            sets[k] = sets[previous] + (m[k] - m[previous] > tie ? 1 : 0)
        }
        var means = m
        for set in 0...sets.max()! {
            let members = sets.indices.filter { sets[$0] == set }
            let below = Double(sets.count { $0 < set }), above = Double(sets.count { $0 > set })
            let total = members.reduce(0.0) { $0 + n[$1] * a[$1] }
            let pull = weight / 2 * Double(members.count) * (above - below)
            let mean = (total + pull) / members.reduce(0.0) { $0 + n[$1] }
            for k in members { means[k] = mean }
        }
        return (means, sets)
    }
}
