// The one exact solver behind every parity of means: the number that is nearest to several intervals at once.

enum IntervalProjection {
    /// All minimisers c of Σ w_k · dist(c, [lower_k, upper_k])²: one number, or the common part of the intervals where they have one.
    ///
    /// Half the slope, Σ w (c − upper)₊ − Σ w (lower − c)₊, rises and is linear between the ends of the intervals. Halving the sorted
    /// ends finds the piece with the sign change; the piece says which intervals pull, and c is their weighted mean.
    /// Shape: K numbers each, K ≥ 1. Complexity: O(K log K).
    static func nearest(lower: [Double], upper: [Double], weights: [Double]) -> ClosedRange<Double> {
        var highestLower = lower[0], lowestUpper = upper[0]
        for k in 1..<lower.count {
            highestLower = max(highestLower, lower[k])
            lowestUpper = min(lowestUpper, upper[k])
        }
        if highestLower <= lowestUpper { return highestLower...lowestUpper }

        // Outside these two numbers the slope has one sign.
        var ends: [Double] = []
        ends.reserveCapacity(2 * lower.count)
        for k in lower.indices {
            if lower[k] >= lowestUpper { ends.append(lower[k]) }
            if upper[k] <= highestLower { ends.append(upper[k]) }
        }
        ends.sort()
        var below = 0, above = ends.count - 1  // slope(ends[below]) ≤ 0 ≤ slope(ends[above])
        while above - below > 1 {
            let middle = (below + above) / 2
            let at = ends[middle]
            var slope = 0.0
            for k in lower.indices {
                if at > upper[k] { slope += weights[k] * (at - upper[k]) }
                if at < lower[k] { slope -= weights[k] * (lower[k] - at) }
            }
            if slope < 0 { below = middle } else { above = middle }
        }
        let origin = ends[below]
        var weight = 0.0, total = 0.0
        for k in lower.indices {
            if upper[k] <= origin {
                weight += weights[k]
                total += weights[k] * (upper[k] - origin)
            } else if lower[k] >= ends[above] {
                weight += weights[k]
                total += weights[k] * (lower[k] - origin)
            }
        }
        let nearest = min(max(origin + total / weight, origin), ends[above])
        return nearest...nearest
    }

    /// Clamps the means of the listed cells into the best interval [c, c + ε], and says which cells move as the set `set`.
    ///
    /// Clamping a_k costs n_k · dist(c, [a_k − ε, a_k])², so c is ``nearest(lower:upper:weights:)``; cells at or beyond an end of the
    /// interval are clamped, and since the end is their pooled mean, they move as one set.
    static func clamp(
        _ cells: [Int], counts: [Int], tolerance: Double, set: Int, means: inout [Double], sets: inout [Int]
    ) {
        guard cells.count > 1 else { return }
        let upper = cells.map { means[$0] }
        guard upper.max()! - upper.min()! >= tolerance else { return }
        let low = nearest(lower: upper.map { $0 - tolerance }, upper: upper, weights: cells.map { Double(counts[$0]) }).lowerBound
        for k in cells {
            if means[k] <= low {
                (means[k], sets[k]) = (low, set)
            } else if means[k] >= low + tolerance {
                (means[k], sets[k]) = (low + tolerance, set)
            }
        }
    }
}
