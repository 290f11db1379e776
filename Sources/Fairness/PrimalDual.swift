// The paper's online algorithm for batches that are too small to be made fair one by one.

/// Online primal-dual algorithm: a multiplier λ that grows while emitted batches violate ε and pays back when they do not.
///
/// Guarantee: ``averageGap`` ≤ ``bound`` = ε + λ / (η_T · N) after every batch (docs/streaming.md). It speaks of the average of
/// per-batch gaps; `pooledGap` is another quantity and is reported beside it.
/// Only samples of known groups count toward b. Hard batches enter the average with a violation ≤ 0 and leave λ alone, so the
/// bound holds for a mixed stream.
/// Source: arXiv 2605.17118, online algorithm; η_t = η₀/√t.
public struct PrimalDual: OnlineAlgorithm {
    public let groupCount: Int
    /// ε, in logits.
    public let tolerance: Double
    public let eta0: Double
    /// b_τ, in samples.
    public let batchThreshold: Int
    public let pairPenalty: PairPenalty

    /// λ and the number of its updates, t.
    public private(set) var multiplier = 0.0
    public private(set) var updates = 0
    public private(set) var maxMultiplier = 0.0
    /// N, the samples of known groups so far, and W, the sum of their batches' violations.
    public private(set) var samples = 0
    public private(set) var violationSum = 0.0
    /// Sums of the emitted scores.
    public private(set) var pooled: GroupSums

    public init(
        groupCount: Int, tolerance: Double, eta0: Double = 0.1, batchThreshold: Int = 100, pairPenalty: PairPenalty = .max
    ) {
        precondition(tolerance >= 0 && tolerance.isFinite, "tolerance \(tolerance) must be a finite number ≥ 0")
        precondition(eta0 > 0 && eta0.isFinite, "eta0 \(eta0) must be a finite number > 0")
        self.groupCount = groupCount
        self.tolerance = tolerance
        self.eta0 = eta0
        self.batchThreshold = batchThreshold
        self.pairPenalty = pairPenalty
        pooled = GroupSums(groupCount: groupCount)
    }

    /// Errors: `DecodingError` for a state that no stream can be in.
    public init(from decoder: any Decoder) throws {
        let saved = try decoder.container(keyedBy: CodingKeys.self)
        groupCount = try saved.decode(Int.self, forKey: .groupCount)
        tolerance = try saved.decode(Double.self, forKey: .tolerance)
        eta0 = try saved.decode(Double.self, forKey: .eta0)
        batchThreshold = try saved.decode(Int.self, forKey: .batchThreshold)
        pairPenalty = try saved.decode(PairPenalty.self, forKey: .pairPenalty)
        multiplier = try saved.decode(Double.self, forKey: .multiplier)
        updates = try saved.decode(Int.self, forKey: .updates)
        maxMultiplier = try saved.decode(Double.self, forKey: .maxMultiplier)
        samples = try saved.decode(Int.self, forKey: .samples)
        violationSum = try saved.decode(Double.self, forKey: .violationSum)
        pooled = try saved.decode(GroupSums.self, forKey: .pooled)
        let possible =
            tolerance.isFinite && tolerance >= 0 && eta0.isFinite && eta0 > 0 && violationSum.isFinite && updates >= 0
            && multiplier >= 0 && multiplier <= maxMultiplier && maxMultiplier.isFinite
            && pooled.isPossible(groupCount) && pooled.knownCount == samples
        guard possible else {
            throw DecodingError.dataCorruptedError(
                forKey: .multiplier, in: saved, debugDescription: "not the saved state of a primal-dual stream; start the stream anew")
        }
    }

    public var name: OnlineName { .primalDual }

    /// Mean over samples of their batch's gap, W/N + ε. Units: logits.
    public var averageGap: Double { samples > 0 ? violationSum / Double(samples) + tolerance : 0 }

    /// What ``averageGap`` cannot exceed.
    public var bound: Double {
        guard samples > 0, updates > 0 else { return tolerance }
        return tolerance + multiplier * Double(updates).squareRoot() / (eta0 * Double(samples))
    }

    public mutating func reset() {
        self = PrimalDual(
            groupCount: groupCount, tolerance: tolerance, eta0: eta0, batchThreshold: batchThreshold, pairPenalty: pairPenalty)
    }

    public mutating func process(_ scores: [Double], groups: [Int]) throws -> OnlineStep {
        try solve(scores, groups: groups).step
    }

    /// ``process(_:groups:)`` with the projection, through which a training step sends its gradient back.
    ///
    /// Errors: ``FairnessError``; the state is then as before.
    public mutating func solve(_ scores: [Double], groups: [Int]) throws -> (step: OnlineStep, projection: Projection) {
        let known = groups.count { $0 != unknownGroup }
        let used = multiplier
        let projection: Projection
        let regime: Regime
        if known == 0 || known >= batchThreshold {
            regime = known == 0 ? .passthrough : .hard
            projection = try FairnessLayer(groupCount: groupCount, tolerance: tolerance).forward(scores, groups: groups)
        } else {
            regime = .primalDual
            projection = try GapPenaltyProjection(groupCount: groupCount, penalty: pairPenalty)
                .forward(scores, groups: groups, weight: multiplier * Double(known))
        }
        let emitted = try GroupSums(projection.scores, groups: groups, groupCount: groupCount)
        let gap = projection.gapAfter
        let violation = record(gap: gap, samples: known, regime: regime)
        pooled.merge(emitted)
        let step = OnlineStep(
            scores: projection.scores, regime: regime, batchCount: known, multiplier: used, batchGap: gap, violation: violation,
            averageGap: averageGap, pooledGap: pooledGap, bound: bound, updates: updates)
        return (step, projection)
    }

    /// The dual step for an emitted batch whose gap is known; returns its violation.
    package mutating func record(gap: Double, samples batch: Int, regime: Regime) -> Double {
        guard regime != .passthrough else { return 0 }
        var violation = Double(batch) * (gap - tolerance)
        if regime == .hard {
            violation = min(violation, 0)  // above 0 only by rounding of the projection
        } else {
            updates += 1
            multiplier = max(0, multiplier + eta0 / Double(updates).squareRoot() * violation)
            maxMultiplier = max(maxMultiplier, multiplier)
        }
        samples += batch
        violationSum += violation
        return violation
    }
}
