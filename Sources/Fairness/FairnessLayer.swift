// The fairness layer: the exact, differentiable projection of a batch onto what a criterion allows.

/// min ‖ŷ − z‖² subject to the criterion's constraint on means, and to a box where one is given.
///
/// Source: arXiv 2605.17118; closed forms in docs/fairness-layer.md.
public struct FairnessLayer: Sendable {
    public let criterion: Criterion
    public let groupCount: Int
    /// ε, in logits.
    public let tolerance: Double
    /// What every score must lie in, unknown groups too; nil: no box. Units: logits.
    public let box: ClosedRange<Double>?
    /// Numbers of values of the sensitive features, the last one fastest: what groups are taken apart by.
    let featureSizes: [Int]
    /// For conditional parity: the features, by their place, whose values are the stratum of a row that is given none.
    let conditionOn: [Int]
    let customRows: [CustomRow]

    /// Demographic parity: `max_k mean_k(ŷ) − min_k mean_k(ŷ) ≤ tolerance`.
    public init(groupCount: Int, tolerance: Double) {
        precondition(tolerance >= 0 && tolerance.isFinite, "tolerance \(tolerance) must be a finite number ≥ 0")
        (criterion, self.groupCount, self.tolerance) = (.demographicParity, groupCount, tolerance)
        (box, featureSizes, conditionOn, customRows) = (nil, [], [], [])
    }

    /// - Parameters:
    ///   - criterion: the notion of parity.
    ///   - groupCount: K.
    ///   - tolerance: ε, in logits.
    ///   - featureSizes: for marginal parity, the number of values of each sensitive feature; their product is `groupCount`.
    ///   - conditionOn: for conditional parity, the features, by their place in `featureSizes`, whose values are the stratum of a row;
    ///     none where batches bring strata of their own.
    ///   - box: what every score must lie in.
    ///   - customRows: for `custom`; ε plays no part there.
    ///
    /// Errors: ``FairnessError/unsupported(_:)`` for a box with marginal parity or custom rows.
    public init(
        _ criterion: Criterion, groupCount: Int, tolerance: Double, featureSizes: [Int] = [], conditionOn: [Int] = [],
        box: ClosedRange<Double>? = nil, customRows: [CustomRow] = []
    ) throws {
        precondition(tolerance >= 0 && tolerance.isFinite, "tolerance \(tolerance) must be a finite number ≥ 0")
        if criterion == .marginalParity || !conditionOn.isEmpty {
            let product = featureSizes.reduce(1, *)
            precondition(product == groupCount, "features of \(featureSizes) values make \(product) groups, not \(groupCount)")
        }
        if box != nil, criterion == .marginalParity || criterion == .custom { throw FairnessError.unsupported(Self.boxRefusal(criterion)) }
        self.criterion = criterion
        self.groupCount = groupCount
        self.tolerance = tolerance
        self.box = box
        self.featureSizes = featureSizes
        self.conditionOn = conditionOn
        self.customRows = customRows
    }

    static func boxRefusal(_ criterion: Criterion) -> String {
        "bounds on scores together with \(criterion.rawValue) are not solved; write bounds and constraint as custom rows on scores"
    }

    /// Projects one batch. Unknown groups pass through; one present group is the identity.
    ///
    /// Errors: ``FairnessError``. Complexity: O(n + K log K); O(n log n) with a box.
    public func forward(_ scores: [Double], groups: [Int]) throws -> Projection {
        try forward(FairnessBatch(scores: scores, groups: groups))
    }

    /// Projects one batch with what the criterion asks for: labels, strata.
    ///
    /// Errors: ``FairnessError``.
    public func forward(_ batch: FairnessBatch) throws -> Projection {
        if criterion == .demographicParity && box == nil {
            return parity(batch.scores, cells: batch.groups, try sums(batch), blocks: 1)
        }
        let cells = try cells(batch)
        let sums = cells.sums
        if let box { return try boxed(batch, cells, box) }
        switch criterion {
        case .demographicParity, .conditionalParity, .equalizedOdds, .equalOpportunity:
            return parity(batch.scores, cells: cells.ofRow, sums, blocks: cells.blocks)
        case .equalizedResiduals:
            var means = sums.plainMeans
            var sets = [Int](repeating: Projection.alone, count: groupCount)
            for k in sums.present {
                let band = band(k, cells)
                guard means[k] <= band.lowerBound || means[k] >= band.upperBound else { continue }
                means[k] = min(max(means[k], band.lowerBound), band.upperBound)
                sets[k] = Projection.pinned
            }
            return Projection(
                batch.scores, cells: cells.ofRow, sums: sums, means: means, motion: .sets(sets),
                gapBefore: gap(sums.plainMeans, cells), gapAfter: gap(means, cells))
        case .marginalParity, .custom:
            return try affine(batch, cells)
        }
    }

    /// The smallest tolerance that the batch would meet as it is; for `custom` the largest violation of a row. Units: logits.
    ///
    /// Errors: ``FairnessError``.
    public func gap(_ batch: FairnessBatch) throws -> Double {
        let cells = try cells(batch)
        return gap(cells.sums.plainMeans, cells)
    }

    // MARK: Solvers

    /// Parity inside each block of `groupCount` cells.
    private func parity(_ scores: [Double], cells: [Int], _ sums: GroupSums, blocks: Int) -> Projection {
        var means = sums.plainMeans
        var sets = [Int](repeating: Projection.alone, count: means.count)
        var before = 0.0, after = 0.0
        for block in 0..<blocks {
            let members = (block * groupCount..<(block + 1) * groupCount).filter { sums.counts[$0] > 0 }
            guard members.count > 1 else { continue }
            before = max(before, spread(means, members))
            IntervalProjection.clamp(
                members, counts: sums.counts, tolerance: tolerance, set: block, means: &means, sets: &sets)
            after = max(after, spread(means, members))
        }
        return Projection(
            scores, cells: cells, sums: sums, means: means, motion: .sets(sets), gapBefore: before, gapAfter: after)
    }

    private func affine(_ batch: FairnessBatch, _ cells: Cells) throws -> Projection {
        let rows = cells.rows
        let start = cells.sums.plainMeans
        let weights = cells.sums.counts.map { Double(max($0, 1)) }
        let solution: AffineProjection.Solution
        do throws(AffineProjection.Contradiction) {
            solution = try AffineProjection(weights: weights, rows: rows.map(\.row)).solve(start)
        } catch {
            throw FairnessError.contradiction(rows: error.rows.map { rows[$0].name })
        }
        let active = solution.active.map { rows[$0].row }
        return Projection(
            batch.scores, cells: cells.ofRow, sums: cells.sums, means: solution.point,
            motion: .rows(active, AffineProjection.Factor(active, weights)), gapBefore: gap(start, cells),
            gapAfter: gap(solution.point, cells))
    }

    private func boxed(_ batch: FairnessBatch, _ cells: Cells, _ box: ClosedRange<Double>) throws -> Projection {
        var members = [[Double]](repeating: [], count: cells.sums.groupCount)
        for (score, cell) in zip(batch.scores, cells.ofRow) where cell >= 0 { members[cell].append(score) }
        let solver = BoxedProjection(members, box: box)
        var solution = BoxedProjection.Solution(
            moves: Array(repeating: 0, count: members.count), sets: Array(repeating: Projection.alone, count: members.count))
        if criterion == .equalizedResiduals {
            for k in cells.sums.present where !band(k, cells).overlaps(box) {
                throw FairnessError.unsupported(
                    "no score in \(box.lowerBound)...\(box.upperBound) has group \(k)'s residual within \(tolerance): its mean label is \(cells.labelMeans[k]); widen the bounds or the tolerance")
            }
            solver.bands(cells.sums.present, { band($0, cells) }, into: &solution)
        } else {
            for block in 0..<cells.blocks {
                let present = (block * groupCount..<(block + 1) * groupCount).filter { cells.sums.counts[$0] > 0 }
                solver.parity(present, tolerance: tolerance, set: block, into: &solution)
            }
        }
        var fair = batch.scores
        var isFree = [Bool](repeating: true, count: fair.count)
        for row in fair.indices {
            let cell = cells.ofRow[row]
            let move = cell >= 0 ? solution.moves[cell] : 0
            let moved = fair[row] + move
            // A move that ends where this score meets the box does so but for rounding.
            let rounding = 4 * Double.ulpOfOne * (abs(fair[row]) + abs(move))
            isFree[row] = moved > box.lowerBound + rounding && moved < box.upperBound - rounding
            fair[row] = isFree[row] ? moved : moved - box.lowerBound < box.upperBound - moved ? box.lowerBound : box.upperBound
        }
        var after = GroupSums(groupCount: members.count)
        after.add(fair, groups: cells.ofRow)
        return Projection(
            batch.scores, moved: fair, cells: cells.ofRow, sums: cells.sums, means: after.plainMeans,
            motion: .boxed(solution.sets, isFree: isFree), gapBefore: gap(cells.sums.plainMeans, cells),
            gapAfter: gap(after.plainMeans, cells))
    }
}
