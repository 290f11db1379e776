// How a criterion divides a batch into cells, the sets of scores that move alike, and what it asks of the cells' means.

extension FairnessLayer {
    struct Cells {
        /// The cell of each row, or −1 for a row that no constraint touches.
        var ofRow: [Int]
        var sums: GroupSums
        /// For parity: cells `b · groupCount ..< (b + 1) · groupCount` are compared with each other.
        var blocks = 1
        /// For equalized residuals.
        var labelMeans: [Double] = []
        /// For marginal parity: per feature, the cells of each value that is present.
        var margins: [[[Int]]] = []
        /// For marginal parity and custom rows.
        var rows: [(name: String, row: AffineProjection.Row)] = []
    }

    func sums(_ batch: FairnessBatch) throws -> GroupSums {
        try GroupSums(batch.scores, groups: batch.groups, groupCount: groupCount)
    }

    /// Errors: ``FairnessError`` for bad scores and groups, and for labels or strata that the criterion needs and the batch lacks.
    func cells(_ batch: FairnessBatch) throws -> Cells {
        let plain = try sums(batch)
        switch criterion {
        case .demographicParity: return Cells(ofRow: batch.groups, sums: plain)
        case .conditionalParity:
            let strata = batch.strata.isEmpty && !conditionOn.isEmpty ? batch.groups.map(stratum(of:)) : batch.strata
            guard !strata.isEmpty || batch.scores.isEmpty else { throw FairnessError.missing("a stratum for each row", criterion) }
            return blocked(batch, count: (strata.max() ?? -1) + 1) { strata[$0] }
        case .equalizedOdds, .equalOpportunity:
            let labels = try binaryLabels(batch)
            return criterion == .equalizedOdds
                ? blocked(batch, count: 2) { labels[$0] } : blocked(batch, count: 1) { labels[$0] == 1 ? 0 : -1 }
        case .equalizedResiduals: return try residualCells(batch)
        case .marginalParity:
            var cells = Cells(ofRow: batch.groups, sums: plain)
            cells.margins = margins(plain)
            cells.rows = marginRows(cells)
            return cells
        case .custom: return customCells(batch, plain)
        }
    }

    /// The stratum that a group's values of the conditioning features make.
    private func stratum(of group: Int) -> Int {
        guard group != unknownGroup else { return -1 }
        var (stratum, stride) = (0, groupCount)
        for (feature, size) in featureSizes.enumerated() {
            stride /= size
            if conditionOn.contains(feature) { stratum = stratum * size + group / stride % size }
        }
        return stratum
    }

    private func blocked(_ batch: FairnessBatch, count: Int, _ block: (Int) -> Int) -> Cells {
        let ofRow = batch.groups.indices.map { row -> Int in
            let block = block(row), group = batch.groups[row]
            return group == unknownGroup || block < 0 ? -1 : block * groupCount + group
        }
        var sums = GroupSums(groupCount: count * groupCount)
        sums.add(batch.scores, groups: ofRow)
        return Cells(ofRow: ofRow, sums: sums, blocks: count)
    }

    /// Labels 0 and 1, −1 where unknown.
    private func binaryLabels(_ batch: FairnessBatch) throws -> [Int] {
        guard !batch.labels.isEmpty || batch.scores.isEmpty else { throw FairnessError.missing("labels", criterion) }
        return try batch.labels.enumerated().map { row, label in
            switch label {
            case 0: 0
            case 1: 1
            default:
                if label.isNaN { -1 } else { throw FairnessError.badLabel(row: row, value: label) }
            }
        }
    }

    private func residualCells(_ batch: FairnessBatch) throws -> Cells {
        guard !batch.labels.isEmpty || batch.scores.isEmpty else { throw FairnessError.missing("labels", criterion) }
        let ofRow = try batch.groups.indices.map { row -> Int in
            guard batch.labels[row].isNaN || abs(batch.labels[row]) <= largestScore else {
                throw FairnessError.badLabel(row: row, value: batch.labels[row])
            }
            return batch.labels[row].isNaN ? -1 : batch.groups[row]
        }
        var sums = GroupSums(groupCount: groupCount), labels = sums
        sums.add(batch.scores, groups: ofRow)
        labels.add(batch.labels, groups: ofRow)
        return Cells(ofRow: ofRow, sums: sums, labelMeans: labels.plainMeans)
    }

    /// Where equalized residuals allow a group's mean.
    func band(_ group: Int, _ cells: Cells) -> ClosedRange<Double> {
        cells.labelMeans[group] - tolerance...cells.labelMeans[group] + tolerance
    }

    // MARK: Marginal parity

    private func margins(_ sums: GroupSums) -> [[[Int]]] {
        var stride = groupCount
        return featureSizes.map { size in
            stride /= size
            let values = (0..<size).map { value in sums.present.filter { $0 / stride % size == value } }
            return values.filter { !$0.isEmpty }
        }
    }

    /// One row per ordered pair of a feature's values: mean of one − mean of the other ≤ ε.
    private func marginRows(_ cells: Cells) -> [(name: String, row: AffineProjection.Row)] {
        var rows: [(name: String, row: AffineProjection.Row)] = []
        for (feature, values) in cells.margins.enumerated() {
            for (i, upper) in values.enumerated() {
                for (j, lower) in values.enumerated() where i != j {
                    let row = AffineProjection.Row(
                        coefficients: shares(upper, cells.sums, 1) + shares(lower, cells.sums, -1), limit: tolerance)
                    rows.append(("feature \(feature), values \(i) and \(j)", row))
                }
            }
        }
        return rows
    }

    /// The mean over several cells, as coefficients of their means.
    private func shares(_ members: [Int], _ sums: GroupSums, _ sign: Double) -> [(cell: Int, value: Double)] {
        let total = members.reduce(0) { $0 + sums.counts[$1] }
        return members.map { ($0, sign * Double(sums.counts[$0]) / Double(total)) }
    }

    // MARK: Custom rows

    /// Groups as cells, and a cell of its own for each row that a constraint names.
    private func customCells(_ batch: FairnessBatch, _ plain: GroupSums) -> Cells {
        var ofRow = batch.groups
        var membersOf = (0..<groupCount).map { [$0] }
        var cellOfRow: [Int: Int] = [:]
        for row in Set(customRows.flatMap(\.scores.keys)).sorted() {
            precondition(ofRow.indices.contains(row), "custom row names score \(row) of \(ofRow.count)")
            let cell = groupCount + cellOfRow.count
            cellOfRow[row] = cell
            if ofRow[row] >= 0 { membersOf[ofRow[row]].append(cell) }
            ofRow[row] = cell
        }
        var sums = GroupSums(groupCount: groupCount + cellOfRow.count)
        sums.add(batch.scores, groups: ofRow)
        var cells = Cells(ofRow: ofRow, sums: sums)
        for custom in customRows where custom.means.keys.allSatisfy({ plain.counts[$0] > 0 }) {
            var coefficients: [Int: Double] = [:]
            for (group, coefficient) in custom.means {
                for share in shares(membersOf[group].filter { sums.counts[$0] > 0 }, sums, coefficient) {
                    coefficients[share.cell, default: 0] += share.value
                }
            }
            for (row, coefficient) in custom.scores { coefficients[cellOfRow[row]!, default: 0] += coefficient }
            let sorted = coefficients.filter { $0.value != 0 }.sorted { $0.key < $1.key }
            cells.rows.append((custom.name, .init(coefficients: sorted.map { ($0.key, $0.value) }, limit: custom.limit)))
        }
        return cells
    }

    // MARK: Gaps

    func spread(_ means: [Double], _ members: [Int]) -> Double {
        var low = Double.infinity, high = -Double.infinity
        for k in members { (low, high) = (min(low, means[k]), max(high, means[k])) }
        return members.isEmpty ? 0 : high - low
    }

    /// The smallest tolerance that these means of the cells meet.
    func gap(_ means: [Double], _ cells: Cells) -> Double {
        switch criterion {
        case .demographicParity, .conditionalParity, .equalizedOdds, .equalOpportunity:
            (0..<cells.blocks).map { block in
                spread(means, (block * groupCount..<(block + 1) * groupCount).filter { cells.sums.counts[$0] > 0 })
            }.max() ?? 0
        case .equalizedResiduals: cells.sums.present.map { abs(means[$0] - cells.labelMeans[$0]) }.max() ?? 0
        case .marginalParity:
            cells.margins.map { values in
                let sides = values.map { members in
                    members.reduce(0) { $0 + Double(cells.sums.counts[$1]) * means[$1] }
                        / Double(members.reduce(0) { $0 + cells.sums.counts[$1] })
                }
                return spread(sides, Array(sides.indices))
            }.max() ?? 0
        case .custom: cells.rows.map { max($0.row.value(at: means) - $0.row.limit, 0) }.max() ?? 0
        }
    }
}
