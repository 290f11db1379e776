// The fairness layer: the exact, differentiable projection onto parity of group means.

/// min ‖ŷ − z‖² subject to `max_k mean_k(ŷ) − min_k mean_k(ŷ) ≤ tolerance`.
///
/// Source: arXiv 2605.17118 (demographic parity in expectation on logits); closed form in docs/fairness-layer.md.
public struct FairnessLayer: Sendable {
    public let groupCount: Int
    /// ε, in logits.
    public let tolerance: Double

    public init(groupCount: Int, tolerance: Double) {
        precondition(tolerance >= 0 && tolerance.isFinite, "tolerance \(tolerance) must be a finite number ≥ 0")
        self.groupCount = groupCount
        self.tolerance = tolerance
    }

    /// Projects one batch. Unknown groups pass through; one present group is the identity.
    ///
    /// Errors: ``FairnessError``. Complexity: O(n + K log K).
    public func forward(_ scores: [Double], groups: [Int]) throws -> Projection {
        let sums = try GroupSums(scores, groups: groups, groupCount: groupCount)
        let present = sums.present
        guard present.count > 1, sums.gap >= tolerance else {
            return Projection(identity: scores, groups: groups, sums: sums)
        }
        var means = sums.means.map { $0 ?? 0 }
        let low = intervalStart(means: present.map { means[$0] }, counts: present.map { Double(sums.counts[$0]) })
        // Groups at or beyond an end of [low, low + ε] are clamped; since the end is their pooled mean, they move as one set.
        var fusedSet = [Int?](repeating: nil, count: groupCount)
        for k in present {
            if means[k] <= low {
                (means[k], fusedSet[k]) = (low, 0)
            } else if means[k] >= low + tolerance {
                (means[k], fusedSet[k]) = (low + tolerance, 0)
            }
        }
        return Projection(scores, groups: groups, sums: sums, means: means, fusedSet: fusedSet)
    }

    /// c with Σ n_k (c − a_k)₊ = Σ n_k (a_k − c − ε)₊, for means that are not all inside one interval of width ε.
    ///
    /// The difference of the two sides rises piecewise linearly in c: walk its breakpoints `a_k − ε` (the group stops being
    /// above) and `a_k` (it starts being below) until the sign changes, then solve that piece.
    private func intervalStart(means: [Double], counts: [Double]) -> Double {
        var breakpoints: [(at: Double, slope: Double)] = []
        for (mean, count) in zip(means, counts) {
            breakpoints.append((mean - tolerance, -count))
            breakpoints.append((mean, count))
        }
        breakpoints.sort { $0.at < $1.at }

        var slope = counts.reduce(0, +)
        var position = breakpoints[0].at
        var value = zip(means, counts).reduce(0.0) { $0 + $1.1 * (position + tolerance - $1.0) }
        for breakpoint in breakpoints {
            let next = value + slope * (breakpoint.at - position)
            if next >= 0 { break }
            (value, position) = (next, breakpoint.at)
            slope += breakpoint.slope
        }
        let root = slope > 0 ? position - value / slope : position
        // The walk loses digits with many groups; the clamped groups it found give the root as one weighted mean.
        var weight = 0.0, total = 0.0
        for (mean, count) in zip(means, counts) where mean <= root || mean >= root + tolerance {
            weight += count
            total += count * (mean <= root ? mean : mean - tolerance)
        }
        return weight > 0 ? total / weight : root
    }
}
