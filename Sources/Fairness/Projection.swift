// The result of moving means, and its gradient. Every problem of this module ends here: it only decides where the means of
// which cells go, and which of them move together.

public struct Projection: Sendable {
    /// The fair scores, in the order of the input.
    public let scores: [Double]
    /// Sums of the input by cell. A cell is what moves alike: a group, or a group inside a stratum or label.
    public let sums: GroupSums
    /// Means of the cells before and after; nil where a cell is empty.
    public var meansBefore: [Double?] { sums.means }
    public var meansAfter: [Double?] { means.indices.map { sums.counts[$0] > 0 ? means[$0] : nil } }
    /// The smallest tolerance that the criterion would have found met, before and after; for demographic parity the mean-logit gap.
    /// Units: logits.
    public let gapBefore: Double
    public let gapAfter: Double

    private let cells: [Int]
    private let means: [Double]
    private let motion: Motion

    /// How the means answer to a change of the scores.
    enum Motion: Sendable {
        /// Cells of one set keep their distances and move as their pooled mean; see ``alone`` and ``pinned``.
        case sets([Int])
        /// The means keep what these rows say of them.
        case rows([AffineProjection.Row], AffineProjection.Factor)
        /// As `sets`, but clipped scores do not move at all.
        case boxed([Int], isFree: [Bool])
    }

    /// In place of a set: the cell moves alone, or its mean does not move.
    static let alone = -1
    static let pinned = -2

    /// - Parameter means: the new mean per cell; entries of empty cells are ignored.
    init(
        _ raw: [Double], cells: [Int], sums: GroupSums, means: [Double], motion: Motion, gapBefore: Double, gapAfter: Double
    ) {
        var shift = means
        for k in shift.indices { shift[k] = sums.counts[k] > 0 ? means[k] - sums.sums[k] / Double(sums.counts[k]) : 0 }
        self.init(
            raw, moved: Self.adding(shift, to: raw, cells), cells: cells, sums: sums, means: means, motion: motion,
            gapBefore: gapBefore, gapAfter: gapAfter)
    }

    /// The scores as moved by the caller.
    init(
        _ raw: [Double], moved: [Double], cells: [Int], sums: GroupSums, means: [Double], motion: Motion, gapBefore: Double,
        gapAfter: Double
    ) {
        scores = moved
        self.cells = cells
        self.sums = sums
        self.means = means
        self.motion = motion
        self.gapBefore = gapBefore
        self.gapAfter = gapAfter
    }

    /// Nothing moves.
    init(identity raw: [Double], cells: [Int], sums: GroupSums, gap: Double) {
        self.init(
            raw, moved: raw, cells: cells, sums: sums, means: sums.plainMeans,
            motion: .sets(Array(repeating: Self.alone, count: sums.groupCount)), gapBefore: gap, gapAfter: gap)
    }

    /// The gradient with respect to the input scores, from that with respect to ``scores``.
    ///
    /// A score of a fused cell gives up its cell's mean gradient and takes its set's: `dz = dŷ − mean_k(dŷ) + mean_S(dŷ)`; every other
    /// score passes its gradient, and a clipped one has none. The Jacobian is an orthogonal projection in every case.
    /// Complexity: O(n). Source: fairness.md §2 (implicit differentiation of the KKT system).
    public func backward(_ dScores: [Double]) -> [Double] {
        precondition(dScores.count == scores.count, "\(dScores.count) gradients for \(scores.count) scores")
        switch motion {
        case .sets(let sets):
            let correction = Self.fuse(sets, gradientSums(dScores), free: sums.counts, counts: sums.counts)
            return correction.map { Self.adding($0, to: dScores, cells) } ?? dScores
        case .rows(let rows, let factor):
            var sum = gradientSums(dScores)
            for k in sum.indices { sum[k] /= Double(max(sums.counts[k], 1)) }
            let pull = factor.solve(rows.map { $0.value(at: sum) })
            var correction = [Double](repeating: 0, count: sum.count)
            for (row, pull) in zip(rows, pull) {
                for c in row.coefficients { correction[c.cell] -= pull * c.value / Double(sums.counts[c.cell]) }
            }
            return Self.adding(correction, to: dScores, cells)
        case .boxed(let sets, let isFree):
            var inside = dScores
            var free = [Int](repeating: 0, count: sums.groupCount)
            for row in inside.indices {
                if !isFree[row] { inside[row] = 0 } else if cells[row] >= 0 { free[cells[row]] += 1 }
            }
            guard var moved = Self.fuse(sets, gradientSums(inside), free: free, counts: sums.counts).map({ Self.adding($0, to: inside, cells) })
            else { return inside }
            for row in moved.indices where !isFree[row] { moved[row] = 0 }
            return moved
        }
    }

    private func gradientSums(_ dScores: [Double]) -> [Double] {
        // One place before the cells for the rows of none, so that the loop has no branch.
        var sum = [Double](repeating: 0, count: sums.groupCount + 1)
        sum.withUnsafeMutableBufferPointer { sum in
            dScores.withUnsafeBufferPointer { dScores in
                cells.withUnsafeBufferPointer { cells in
                    for row in dScores.indices { sum[cells[row] + 1] += dScores[row] }
                }
            }
        }
        sum.removeFirst()
        return sum
    }

    /// What each cell's free scores add to their gradient so that the cell's mean moves as its set does; nil: nothing.
    ///
    /// A set moves by dc with Σ n_k ν_k = 0 and n_k dc = Σ_free d + f_k ν_k; without clipped scores, f = n, that is the pooled mean. A
    /// set with a cell that has no free score cannot move.
    private static func fuse(_ sets: [Int], _ sum: [Double], free: [Int], counts: [Int]) -> [Double]? {
        guard let last = sets.max(), last >= 0 || sets.contains(pinned) else { return nil }
        var pull = [Double](repeating: 0, count: max(last + 1, 0)), weight = pull
        for k in sets.indices where sets[k] >= 0 && counts[k] > 0 {
            let share = Double(counts[k]) / Double(free[k])
            pull[sets[k]] += free[k] > 0 ? share * sum[k] : 0
            weight[sets[k]] += share * Double(counts[k])
        }
        return sets.indices.map { k in
            guard sets[k] != alone, free[k] > 0 else { return 0 }
            let common = sets[k] == pinned ? 0 : pull[sets[k]] / weight[sets[k]]
            return (common * Double(counts[k]) - sum[k]) / Double(free[k])
        }
    }

    /// values + shift of their cell; rows of no cell as they are.
    private static func adding(_ shift: [Double], to values: [Double], _ cells: [Int]) -> [Double] {
        // Adding −0 changes no number, so that the loop has no branch.
        let shift = [-0.0] + shift
        return Array(unsafeUninitializedCapacity: values.count) { result, count in
            values.withUnsafeBufferPointer { values in
                shift.withUnsafeBufferPointer { shift in
                    cells.withUnsafeBufferPointer { cells in
                        for row in values.indices { result.initializeElement(at: row, to: values[row] + shift[cells[row] + 1]) }
                    }
                }
            }
            count = values.count
        }
    }
}
