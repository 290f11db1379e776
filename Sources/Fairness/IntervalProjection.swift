// The one exact solver behind every parity of means: the number that is nearest to several intervals at once.

/// min over c of Σ w_k · dist(c, [lower_k, upper_k])².
///
/// Clamping the means a_k into [c, c + ε] is this problem with the intervals [a_k − ε, a_k]; pulling pooled means into bands of
/// half-width h_k around c is it with [p_k − h_k, p_k + h_k]. docs/fairness-layer.md derives both.
enum IntervalProjection {
    /// All minimisers: one number, or the common part of the intervals where they have one.
    ///
    /// Half the slope, Σ w (c − upper)₊ − Σ w (lower − c)₊, rises and is linear between the ends of the intervals. Walk the ends
    /// upward to the sign change; the piece found says which intervals pull, and c is their weighted mean.
    /// Complexity: O(K log K).
    static func nearest(lower: [Double], upper: [Double], weights: [Double]) -> ClosedRange<Double> {
        var highestLower = lower[0], lowestUpper = upper[0]
        for k in 1..<lower.count {
            highestLower = max(highestLower, lower[k])
            lowestUpper = min(lowestUpper, upper[k])
        }
        if highestLower <= lowestUpper { return highestLower...lowestUpper }

        // The minimiser lies between the lowest upper and the highest lower end. A bracket of ends, halved by counting which ends lie
        // inside it: each halving evaluates one slope.
        var ends: [Double] = []
        ends.reserveCapacity(2 * lower.count)
        for k in lower.indices {
            if lower[k] > lowestUpper { ends.append(lower[k]) }
            if upper[k] < highestLower { ends.append(upper[k]) }
        }
        ends.sort()
        var below = 0, above = ends.count - 1  // slope(ends[below]) ≤ 0 ≤ slope(ends[above])
        while above - below > 1 {
            let middle = (below + above) / 2
            var slope = 0.0
            for k in lower.indices {
                if ends[middle] > upper[k] { slope += weights[k] * (ends[middle] - upper[k]) }
                if ends[middle] < lower[k] { slope -= weights[k] * (lower[k] - ends[middle]) }
            }
            if slope < 0 { below = middle } else { above = middle }
        }
        var weight = 0.0, total = 0.0
        for k in lower.indices {
            if upper[k] <= ends[below] {
                weight += weights[k]
                total += weights[k] * (upper[k] - ends[below])
            } else if lower[k] >= ends[above] {
                weight += weights[k]
                total += weights[k] * (lower[k] - ends[below])
            }
        }
        let nearest = min(max(ends[below] + total / weight, ends[below]), ends[above])
        return nearest...nearest
    }
}
