// The nearest point under affine rows, exactly: features that overlap, and constraints of the user's own.

/// min Σ w_k (m_k − a_k)² subject to rows · m ≤ limits, by the dual active-set method.
///
/// Start at a; take the most violated row; move along its normal made orthogonal to the rows already held, until the row is met; a held
/// row whose multiplier reaches zero on the way is let go. Each step raises the dual objective, so no active set returns, and the
/// method ends at the optimum or with rows that contradict each other.
/// Source: Goldfarb and Idnani 1983, for a diagonal quadratic form.
struct AffineProjection {
    struct Row: Sendable {
        var coefficients: [(cell: Int, value: Double)]
        var limit: Double

        func value(at point: [Double]) -> Double { coefficients.reduce(0) { $0 + $1.value * point[$1.cell] } }
        /// What the terms of the row amount to: the scale of its rounding.
        func size(at point: [Double]) -> Double { coefficients.reduce(abs(limit)) { $0 + abs($1.value * point[$1.cell]) } }
    }

    struct Solution: Sendable {
        var point: [Double]
        /// Indices of the rows that hold with equality and press, linearly independent.
        var active: [Int]
    }

    /// No point satisfies these rows together.
    struct Contradiction: Error { var rows: [Int] }

    let weights: [Double]
    let rows: [Row]
    /// Relative: a row violated by less than this share of its terms is met.
    private let rounding = 1e-13

    /// Errors: ``Contradiction``.
    func solve(_ start: [Double]) throws(Contradiction) -> Solution {
        var point = start
        var active: [Int] = []
        var multipliers: [Double] = []
        let lengths = rows.map { product($0, $0).squareRoot() }
        // More changes than this would mean that rounding undoes what steps achieve.
        var changesLeft = 100 * (rows.count + start.count) + 1000
        while changesLeft > 0, let entering = mostViolated(point, lengths, active) {
            let row = rows[entering]
            var multiplier = 0.0
            while changesLeft > 0 {
                changesLeft -= 1
                let held = Factor(active.map { rows[$0] }, weights)
                let share = held.solve(active.map { product(rows[$0], row) })
                // The move per unit of multiplier: the row's normal without what the held rows forbid.
                var move = [Double](repeating: 0, count: point.count)
                for c in row.coefficients { move[c.cell] += c.value }
                for (index, j) in active.enumerated() {
                    for c in rows[j].coefficients { move[c.cell] -= share[index] * c.value }
                }
                for k in move.indices { move[k] /= weights[k] }
                let gain = row.value(at: move)
                let isDependent = gain <= 1e-11 * product(row, row)
                let full = isDependent ? Double.infinity : max(row.value(at: point) - row.limit, 0) / gain
                var partial = Double.infinity, leaving: Int?
                for (index, j) in active.enumerated() where share[index] > 1e-11 * lengths[entering] / lengths[j] {
                    let step = multipliers[index] / share[index]
                    if step < partial { (partial, leaving) = (step, index) }
                }
                let step = min(full, partial)
                if step == .infinity {
                    let against = active.indices.filter { abs(share[$0]) > 1e-9 * lengths[entering] / lengths[active[$0]] }.map { active[$0] }
                    throw Contradiction(rows: (against + [entering]).sorted())
                }
                if !isDependent { for k in point.indices { point[k] -= step * move[k] } }
                for index in active.indices { multipliers[index] = max(multipliers[index] - step * share[index], 0) }
                multiplier += step
                if full <= partial {
                    active.append(entering)
                    multipliers.append(multiplier)
                    break
                }
                active.remove(at: leaving!)
                multipliers.remove(at: leaving!)
            }
        }
        return Solution(point: refined(start, active), active: active)
    }

    /// The point once more from its active rows: the steps' own rounding does not add up.
    private func refined(_ start: [Double], _ active: [Int]) -> [Double] {
        guard !active.isEmpty else { return start }
        var point = start
        let factor = Factor(active.map { rows[$0] }, weights)
        for _ in 0..<2 {
            let multipliers = factor.solve(active.map { rows[$0].value(at: point) - rows[$0].limit })
            for (index, j) in active.enumerated() {
                for c in rows[j].coefficients { point[c.cell] -= multipliers[index] * c.value / weights[c.cell] }
            }
        }
        return point
    }

    private func mostViolated(_ point: [Double], _ lengths: [Double], _ active: [Int]) -> Int? {
        var worst = 0.0, found: Int?
        for (index, row) in rows.enumerated() where !active.contains(index) {
            let violation = row.value(at: point) - row.limit
            guard violation > rounding * row.size(at: point) + Double.leastNormalMagnitude else { continue }
            // A row without coefficients and a negative limit is violated everywhere.
            let distance = lengths[index] > 0 ? violation / lengths[index] : .infinity
            if distance > worst { (worst, found) = (distance, index) }
        }
        return found
    }

    /// row · W⁻¹ · otherᵀ
    private func product(_ row: Row, _ other: Row) -> Double { Factor.product(row, other, weights) }

    /// Cholesky factor of rows · W⁻¹ · rowsᵀ.
    struct Factor: Sendable {
        private var lower: [[Double]] = []

        init(_ rows: [Row], _ weights: [Double]) {
            for i in rows.indices {
                var line = [Double](repeating: 0, count: i + 1)
                for j in 0...i {
                    var value = Self.product(rows[i], rows[j], weights)
                    for l in 0..<j { value -= line[l] * (j < i ? lower[j][l] : line[l]) }
                    line[j] = j < i ? value / lower[j][j] : max(value, .leastNormalMagnitude).squareRoot()
                }
                lower.append(line)
            }
        }

        func solve(_ right: [Double]) -> [Double] {
            var x = right
            for i in x.indices {
                for j in 0..<i { x[i] -= lower[i][j] * x[j] }
                x[i] /= lower[i][i]
            }
            for i in x.indices.reversed() {
                for j in (i + 1)..<max(x.count, i + 1) { x[i] -= lower[j][i] * x[j] }
                x[i] /= lower[i][i]
            }
            return x
        }

        static func product(_ row: Row, _ other: Row, _ weights: [Double]) -> Double {
            var sum = 0.0
            for c in row.coefficients {
                for d in other.coefficients where d.cell == c.cell { sum += c.value * d.value / weights[c.cell] }
            }
            return sum
        }
    }
}
