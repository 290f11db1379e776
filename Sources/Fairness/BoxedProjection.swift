// Parity of means when every score must also stay in a box: lower ≤ ŷ ≤ upper.

/// min ‖ŷ − z‖² subject to the box and to the cells' means within one interval of width ε, or each in a band of its own.
///
/// The optimum moves all free scores of a cell alike and clips the rest: ŷ_i = clip(z_i + ν_k). A cell's mean is then a rising,
/// piecewise linear function of ν_k, and its inverse ν_k(mean) is one too. In parity, the moves of the clamped cells balance,
/// Σ n_k ν_k(c) = 0, which is one rising piecewise linear equation for c; in bands, each cell goes to the nearest mean allowed.
/// Complexity: O(n log n).
struct BoxedProjection {
    let box: ClosedRange<Double>

    /// A cell's mean as a function of the common move ν of its scores.
    private struct Response {
        let count: Double
        /// Moves at which a score meets or leaves the box, ascending, and the mean there.
        private(set) var moves: [Double] = []
        private(set) var means: [Double] = []
        /// The mean of the clipped scores as they are, to the last digit the one of the table above.
        private(set) var natural = 0.0

        init(_ values: [Double], _ box: ClosedRange<Double>) {
            count = Double(values.count)
            let enter = values.map { box.lowerBound - $0 }.sorted()
            let leave = values.map { box.upperBound - $0 }.sorted()
            moves.reserveCapacity(2 * values.count)
            means.reserveCapacity(2 * values.count)
            var (i, j, mean, last) = (0, 0, box.lowerBound, enter[0])
            while j < leave.count {
                let isEnter = i < enter.count && enter[i] <= leave[j]
                let next = isEnter ? enter[i] : leave[j]
                mean += Double(i - j) / count * (next - last)
                moves.append(next)
                means.append(min(max(mean, means.last ?? box.lowerBound), box.upperBound))
                last = next
                if isEnter { i += 1 } else { j += 1 }
            }
            means[means.count - 1] = box.upperBound
            let next = partition { moves[$0] >= 0 }
            if next == moves.count {
                natural = box.upperBound
            } else if next == 0 || moves[next] == 0 || means[next] == means[next - 1] {
                natural = means[next]
            } else {
                let clipped = values.reduce(0) { $0 + min(max($1, box.lowerBound), box.upperBound) } / count
                natural = min(max(clipped, means[next - 1]), means[next])
            }
        }

        /// The moves that bring the mean to `target`; an interval where no score is free there.
        func moves(to target: Double) -> ClosedRange<Double> {
            if target == natural, isFlat(at: 0) == false { return 0...0 }
            let first = partition { means[$0] >= target }  // the first point at or above
            let beyond = partition { means[$0] > target }
            if first == moves.count { return moves[first - 1]...Double.infinity }
            let low =
                means[first] == target || first == 0
                ? (first == 0 ? -Double.infinity : moves[first])
                : moves[first - 1] + (target - means[first - 1]) / (means[first] - means[first - 1]) * (moves[first] - moves[first - 1])
            guard means[first] == target else { return low...low }
            let high = beyond == moves.count ? Double.infinity : moves[beyond - 1]
            return min(low, high)...max(low, high)
        }

        private func isFlat(at move: Double) -> Bool {
            let next = partition { moves[$0] > move }
            return next == 0 || next == moves.count || means[next] == means[next - 1]
        }

        private func partition(_ holds: (Int) -> Bool) -> Int {
            var low = 0, high = moves.count
            while low < high {
                let middle = (low + high) / 2
                if holds(middle) { high = middle } else { low = middle + 1 }
            }
            return low
        }
    }

    /// What each cell does: the move of its scores, and the set it moves in.
    struct Solution {
        var moves: [Double]
        var sets: [Int]
    }

    private let responses: [Response]

    /// - Parameter cells: the scores of each cell; empty for a cell without samples.
    init(_ cells: [[Double]], box: ClosedRange<Double>) {
        self.box = box
        responses = cells.map { $0.isEmpty ? Response([0], box) : Response($0, box) }
    }

    /// Each listed cell's mean to the nearest point of its band, which must meet the box.
    func bands(_ cells: [Int], _ band: (Int) -> ClosedRange<Double>, into solution: inout Solution) {
        for k in cells {
            let natural = responses[k].natural
            let target = min(max(natural, band(k).lowerBound), band(k).upperBound)
            if target != natural {
                solution.moves[k] = smallest(responses[k].moves(to: min(max(target, box.lowerBound), box.upperBound)))
                solution.sets[k] = Projection.pinned
            }
        }
    }

    /// The listed cells' means into one interval of width ε.
    func parity(_ cells: [Int], tolerance: Double, set: Int, into solution: inout Solution) {
        let naturals = cells.map { responses[$0].natural }
        guard cells.count > 1, naturals.max()! - naturals.min()! >= tolerance else { return }
        let (low, high) = level(cells, tolerance)
        for k in cells {
            let natural = responses[k].natural
            if natural <= low {
                solution.moves[k] = smallest(responses[k].moves(to: min(low, box.upperBound)))
            } else if natural >= high {
                solution.moves[k] = smallest(responses[k].moves(to: max(high, box.lowerBound)))
            } else {
                continue
            }
            solution.sets[k] = set
        }
    }

    /// The interval c...c + ε as two numbers: where one of them is a mean at which a cell has no free score, it is that mean to the last
    /// digit, and c ± ε recomputed would miss it.
    private typealias Interval = (low: Double, high: Double)

    /// The interval with Σ n_k ν_k = 0 over the cells clamped to its ends.
    private func level(_ cells: [Int], _ tolerance: Double) -> Interval {
        var ends: [Interval] = []
        func add(_ mean: Double) { ends += [(mean, mean + tolerance), (mean - tolerance, mean)] }
        add(box.lowerBound)
        add(box.upperBound)
        for k in cells {
            add(responses[k].natural)
            responses[k].means.forEach(add)
        }
        // Beyond these nobody is raised, or nobody is lowered: the balance changes sign between them.
        ends = ends.filter { $0.low >= box.lowerBound - tolerance && $0.low <= box.upperBound }.sorted { ($0.low, $0.high) < ($1.low, $1.high) }
        var below = 0, above = ends.count - 1
        while above - below > 1 {
            let middle = (below + above) / 2
            let balance = balance(cells, ends[middle])
            if balance.contains(0) { return ends[middle] }
            if balance.upperBound < 0 { below = middle } else { above = middle }
        }
        for end in [below, above] where balance(cells, ends[end]).contains(0) { return ends[end] }
        let (start, stop) = (balance(cells, ends[below]).upperBound, balance(cells, ends[above]).lowerBound)
        let low = ends[below].low + (ends[above].low - ends[below].low) * min(max(start / (start - stop), 0), 1)
        return (low, low + tolerance)
    }

    private func balance(_ cells: [Int], _ ends: Interval) -> ClosedRange<Double> {
        var least = 0.0, most = 0.0
        for k in cells {
            let response = responses[k]
            // A cell is raised only to c and lowered only to c + ε: the part of its moves with that sign.
            if response.natural <= ends.low {
                let moves = response.moves(to: min(ends.low, box.upperBound))
                least += response.count * max(moves.lowerBound, 0)
                most += response.count * max(moves.upperBound, 0)
            } else if response.natural >= ends.high {
                let moves = response.moves(to: max(ends.high, box.lowerBound))
                least += response.count * min(moves.lowerBound, 0)
                most += response.count * min(moves.upperBound, 0)
            }
        }
        return least...most
    }

    private func smallest(_ moves: ClosedRange<Double>) -> Double { min(max(0, moves.lowerBound), moves.upperBound) }
}
