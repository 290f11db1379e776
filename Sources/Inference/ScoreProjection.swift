// Makes a table of ready scores fair: the whole table or batches of it by the fairness layer, or as a stream by an online algorithm.
import Fairness

/// How a table is made fair.
public struct ScoreProjection: Sendable {
    public var criterion: Criterion
    /// ε. Units: logits.
    public var tolerance: Double
    /// Bounds, strata and rows of the criterion.
    public var details: CriterionDetails
    /// Rows per batch; nil takes the whole table as one.
    public var batchSize: Int?
    /// The online algorithm's settings; nil projects every batch hard.
    public var online: Online?

    public struct Online: Sendable {
        public var name: OnlineName
        /// Of primal-dual.
        public var batchThreshold: Int
        public var eta0: Double
        public var pairPenalty: PairPenalty
        /// Of anytime.
        public var cap: Double
        public var horizon: Double
        /// On the probability.
        public var threshold: Double

        public init(
            _ name: OnlineName = .primalDual, batchThreshold: Int = 100, eta0: Double = 0.1, pairPenalty: PairPenalty = .max,
            cap: Double = 30, horizon: Double = 50, threshold: Double = 0.5
        ) {
            self.name = name
            self.batchThreshold = batchThreshold
            self.eta0 = eta0
            self.pairPenalty = pairPenalty
            self.cap = cap
            self.horizon = horizon
            self.threshold = threshold
        }

        func start(groupCount: Int, tolerance: Double) -> OnlineFairness {
            switch name {
            case .primalDual:
                .primalDual(
                    PrimalDual(
                        groupCount: groupCount, tolerance: tolerance, eta0: eta0, batchThreshold: batchThreshold, pairPenalty: pairPenalty))
            case .anytime:
                .anytime(
                    AnytimeParity(
                        groupCount: groupCount, tolerance: tolerance, cap: cap, horizon: horizon,
                        threshold: AnytimeParity.threshold(ofProbability: threshold)))
            }
        }
    }

    public init(
        criterion: Criterion = .demographicParity, tolerance: Double = 1e-3, details: CriterionDetails = CriterionDetails(),
        batchSize: Int? = nil, online: Online? = nil
    ) {
        self.criterion = criterion
        self.tolerance = tolerance
        self.details = details
        self.batchSize = batchSize
        self.online = online
    }

    /// Projects `table`, batch after batch in its order.
    ///
    /// Errors: ``ScoreTableError`` when finite scores overflow in a sum or the table lacks what the criterion asks for, `FairnessError`.
    public func project(_ table: ScoreTable, source: String) throws -> FairScores {
        let start = ContinuousClock.now
        let (names, groups) = table.numberedGroups()
        let problem = try TableProblem(self, table, names, groups, source: source)
        var scores: [Double] = []
        scores.reserveCapacity(table.count)
        var largestBatchGap = 0.0
        var batches = 0
        var stream = online?.start(groupCount: names.count, tolerance: tolerance)
        let size = batchSize ?? max(table.count, 1)
        for first in stride(from: 0, to: table.count, by: size) {
            let rows = first..<min(first + size, table.count)
            let fair: [Double], gap: Double
            do {
                if stream != nil {
                    let step = try stream!.process(Array(table.logits[rows]), groups: Array(groups[rows]))
                    (fair, gap) = (step.scores, step.batchGap)
                } else {
                    let projection = try problem.layer.forward(problem.batch[rows])
                    (fair, gap) = (projection.scores, projection.gapAfter)
                }
            } catch FairnessError.tooLarge(let row, let value) {
                throw ScoreTableError(
                    source: source, column: "logit", value: "\(value)",
                    reason: "in row \(first + row + 1) of the data is larger than any logit is; sums of such numbers overflow, so repair the model that made it")
            }
            scores += fair
            largestBatchGap = max(largestBatchGap, gap)
            batches += 1
        }
        let before = try GroupSums(table.logits, groups: groups, groupCount: names.count)
        let after = try GroupSums(scores, groups: groups, groupCount: names.count)
        var fairBatch = problem.batch
        fairBatch.scores = scores
        return FairScores(
            settings: self, scores: scores, groupNames: names, groups: groups, before: before, after: after,
            criterionGaps: (try problem.layer.gap(problem.batch), try problem.layer.gap(fairBatch)), batches: batches,
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
    /// The smallest tolerances that the criterion would have found met by the whole table. Units: logits.
    public let criterionGaps: (before: Double, after: Double)
    public let batches: Int
    /// The largest gap that a batch was left with. Units: logits.
    public let largestBatchGap: Double
    /// The state after the last batch, with an online algorithm.
    public let stream: OnlineFairness?
    /// Numbering the groups, projecting, summing: neither reading nor writing.
    public let elapsed: Duration

    public var unknownRows: Int { before.unknownCount }

    /// Fraction of labelled rows whose decision equals the label, before and after; nil without labels of 0 and 1.
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
