// Makes a table of ready scores fair: the whole table or batches of it by the fairness layer, or as a stream by primal-dual.
import Fairness

/// How a table is made fair.
public struct ScoreProjection: Sendable {
    public var criterion: Criterion
    /// ε. Units: logits.
    public var tolerance: Double
    /// Rows per batch; nil takes the whole table as one.
    public var batchSize: Int?
    /// The online algorithm's settings; nil projects every batch hard.
    public var online: Online?

    public struct Online: Sendable {
        public var batchThreshold: Int
        public var eta0: Double
        public var pairPenalty: PairPenalty

        public init(batchThreshold: Int = 100, eta0: Double = 0.1, pairPenalty: PairPenalty = .max) {
            self.batchThreshold = batchThreshold
            self.eta0 = eta0
            self.pairPenalty = pairPenalty
        }
    }

    public init(criterion: Criterion = .demographicParity, tolerance: Double = 1e-3, batchSize: Int? = nil, online: Online? = nil) {
        self.criterion = criterion
        self.tolerance = tolerance
        self.batchSize = batchSize
        self.online = online
    }

    /// Projects `table`, batch after batch in its order.
    ///
    /// Errors: ``ScoreTableError`` when finite scores overflow in a sum.
    public func project(_ table: ScoreTable, source: String) throws -> FairScores {
        let start = ContinuousClock.now
        let (names, groups) = table.numberedGroups()
        var scores: [Double] = []
        scores.reserveCapacity(table.count)
        var largestBatchGap = 0.0
        var batches = 0
        var stream = online.map {
            PrimalDual(
                groupCount: names.count, tolerance: tolerance, eta0: $0.eta0, batchThreshold: $0.batchThreshold, pairPenalty: $0.pairPenalty)
        }
        let layer = FairnessLayer(groupCount: names.count, tolerance: tolerance)
        let size = batchSize ?? max(table.count, 1)
        for first in stride(from: 0, to: table.count, by: size) {
            let rows = first..<min(first + size, table.count)
            let batch = Array(table.logits[rows])
            let batchGroups = Array(groups[rows])
            let projection =
                try stream != nil ? stream!.solve(batch, groups: batchGroups).projection : layer.forward(batch, groups: batchGroups)
            if let row = projection.scores.firstIndex(where: { !$0.isFinite }) {
                throw ScoreTableError(
                    source: source, column: "logit", value: "\(batch[row])",
                    reason: "is so large that the mean of its group overflows; logits are expected between -1e300 and 1e300")
            }
            scores += projection.scores
            largestBatchGap = max(largestBatchGap, projection.gapAfter)
            batches += 1
        }
        let before = try GroupSums(table.logits, groups: groups, groupCount: names.count)
        let after = try GroupSums(scores, groups: groups, groupCount: names.count)
        return FairScores(
            settings: self, scores: scores, groupNames: names, groups: groups, before: before, after: after, batches: batches,
            largestBatchGap: largestBatchGap, stream: stream, elapsed: ContinuousClock.now - start)
    }
}

/// The fair scores of a table, and the figures of their making.
public struct FairScores: Sendable {
    public let settings: ScoreProjection
    /// Fair logits in the order of the table.
    public let scores: [Double]
    public let groupNames: [String]
    /// Index into ``groupNames`` per row, or `unknownGroup`.
    public let groups: [Int]
    /// Sums over the whole table.
    public let before: GroupSums
    public let after: GroupSums
    public let batches: Int
    /// The largest gap that a batch was left with. Units: logits.
    public let largestBatchGap: Double
    /// The state after the last batch, with the online algorithm.
    public let stream: PrimalDual?
    /// Numbering the groups, projecting, summing: neither reading nor writing.
    public let elapsed: Duration

    public var unknownRows: Int { before.unknownCount }

    /// Fraction of labelled rows whose decision equals the label, before and after; nil without labels.
    public func accuracy(_ table: ScoreTable, threshold: Double) -> (rows: Int, before: Double, after: Double)? {
        var rows = 0, rightBefore = 0, rightAfter = 0
        for (row, label) in table.labels.enumerated() {
            guard let label else { continue }
            rows += 1
            rightBefore += (sigmoid(table.logits[row]) >= threshold) == (label == 1) ? 1 : 0
            rightAfter += (sigmoid(scores[row]) >= threshold) == (label == 1) ? 1 : 0
        }
        return rows > 0 ? (rows, Double(rightBefore) / Double(rows), Double(rightAfter) / Double(rows)) : nil
    }
}
