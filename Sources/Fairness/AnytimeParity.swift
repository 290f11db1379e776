// The anytime stream: group means of everything emitted so far stay together at every moment, whatever the batch sizes.

/// Online algorithm that shifts each group by what the past says of it, and corrects what the future would not.
///
/// Guarantee, deterministic, after every batch, for any stream and any batch sizes including 1: the emitted means of any two groups
/// with N_i and N_j samples so far differ by at most ε + C/N_i + C/N_j (docs/streaming.md). ``bound`` is the largest of these.
/// A batch (1) takes the shift that would make the past fair, with means shrunk toward the overall one, (2) gives back a share of
/// what the emitted sums owe, and (3) is moved as little as the guarantee asks.
/// Only samples of known groups count; others pass through unchanged.
public struct AnytimeParity: OnlineAlgorithm {
    public let groupCount: Int
    /// ε, in logits.
    public let tolerance: Double
    /// C: how far, in logits times samples, a group's emitted sum may stray from the common level beyond ε/2 per sample.
    public let cap: Double
    /// τ: the samples over which a group's debt is paid back.
    public let horizon: Double
    /// n₀: the samples of overall mean that each group's past is mixed with.
    public let priorStrength: Double

    /// Counts and sums of the scores as they came, and as they were emitted.
    public private(set) var raw: GroupSums
    public private(set) var pooled: GroupSums
    /// c: the middle of the bands that hold the emitted means.
    public private(set) var centre = 0.0
    public private(set) var updates = 0
    public private(set) var samples = 0
    /// Σ b · gap of the batches.
    public private(set) var gapSum = 0.0

    public init(groupCount: Int, tolerance: Double, cap: Double = 30, horizon: Double = 50, priorStrength: Double = 20) {
        precondition(tolerance >= 0 && tolerance.isFinite, "tolerance \(tolerance) must be a finite number ≥ 0")
        precondition(cap > 0 && cap.isFinite, "cap \(cap) must be a finite number > 0")
        precondition(horizon >= 1 && horizon.isFinite, "horizon \(horizon) must be a finite number ≥ 1")
        precondition(priorStrength >= 0 && priorStrength.isFinite, "prior strength \(priorStrength) must be a finite number ≥ 0")
        self.groupCount = groupCount
        self.tolerance = tolerance
        self.cap = cap
        self.horizon = horizon
        self.priorStrength = priorStrength
        raw = GroupSums(groupCount: groupCount)
        pooled = GroupSums(groupCount: groupCount)
    }

    public var name: OnlineName { .anytime }
    public var multiplier: Double { 0 }
    public var averageGap: Double { samples > 0 ? gapSum / Double(samples) : 0 }

    /// What `pooledGap` cannot exceed: ε + C/N_i + C/N_j of the two groups with the fewest samples. Units: logits.
    public var bound: Double {
        var fewest = Int.max, second = Int.max
        for count in pooled.counts where count > 0 {
            if count < fewest { (fewest, second) = (count, fewest) } else { second = min(second, count) }
        }
        return second == .max ? tolerance : tolerance + cap / Double(fewest) + cap / Double(second)
    }

    /// What the emitted means of two groups cannot differ by more than; nil while either has no sample. Units: logits.
    public func bound(_ i: Int, _ j: Int) -> Double? {
        let (first, second) = (pooled.counts[i], pooled.counts[j])
        return first > 0 && second > 0 ? tolerance + cap / Double(first) + cap / Double(second) : nil
    }

    public mutating func reset() {
        self = AnytimeParity(
            groupCount: groupCount, tolerance: tolerance, cap: cap, horizon: horizon, priorStrength: priorStrength)
    }

    /// Half the width of the band of a group with this many samples.
    private func reach(_ count: Int) -> Double { tolerance / 2 + cap / Double(count) }

    public mutating func process(_ scores: [Double], groups: [Int]) throws -> OnlineStep {
        let batch = try GroupSums(scores, groups: groups, groupCount: groupCount)
        let known = scores.count - batch.unknownCount
        guard known > 0 else {
            pooled.merge(batch)
            raw.merge(batch)
            return OnlineStep(
                scores: scores, regime: .passthrough, batchCount: 0, multiplier: 0, batchGap: 0, violation: 0, averageGap: averageGap,
                pooledGap: pooledGap, bound: bound, updates: updates)
        }
        var shift = pastShift(batch)
        centre = holdBands(batch, &shift)
        var fair = scores
        for row in fair.indices where groups[row] != unknownGroup { fair[row] += shift[groups[row]] }

        // Summed from the emitted scores, row by row, so that the state speaks of what was emitted and not of what was planned.
        var emitted = batch
        emitted.replaceSums(fair, groups: groups)
        raw.merge(batch)
        pooled.merge(emitted)
        updates += 1
        samples += known
        let gap = emitted.gap
        gapSum += Double(known) * gap
        return OnlineStep(
            scores: fair, regime: .anytime, batchCount: known, multiplier: 0, batchGap: gap,
            violation: Double(known) * (gap - tolerance), averageGap: averageGap, pooledGap: pooledGap, bound: bound, updates: updates)
    }

    /// Steps 1 and 2 for the groups of the batch: the shift that projects the past, and a share of what the emitted sums owe.
    private func pastShift(_ batch: GroupSums) -> [Double] {
        var shift = [Double](repeating: 0, count: groupCount)
        guard samples > 0 else { return shift }
        let overall = raw.sums.reduce(0, +) / Double(samples)
        var ends: (lower: [Double], upper: [Double], weights: [Double]) = ([], [], [])
        ends.lower.reserveCapacity(groupCount)
        ends.upper.reserveCapacity(groupCount)
        ends.weights.reserveCapacity(groupCount)
        func shrunk(_ k: Int) -> Double {
            (raw.sums[k] + priorStrength * overall) / (Double(raw.counts[k]) + priorStrength)
        }
        for k in 0..<groupCount where raw.counts[k] > 0 {
            let mean = shrunk(k)
            ends.lower.append(mean - tolerance)
            ends.upper.append(mean)
            ends.weights.append(Double(raw.counts[k]))
        }
        let start = IntervalProjection.nearest(lower: ends.lower, upper: ends.upper, weights: ends.weights)
        let low = start.lowerBound + (start.upperBound - start.lowerBound) / 2
        let middle = low + tolerance / 2
        for k in 0..<groupCount where batch.counts[k] > 0 && raw.counts[k] > 0 {
            let mean = shrunk(k)
            let count = Double(raw.counts[k])
            let debt = middle * count - pooled.sums[k]
            let due = max(abs(debt) - tolerance * count / 2, 0) * (debt < 0 ? -1 : 1)
            // Never more than the whole debt at once, however many samples of the group arrive together.
            shift[k] = min(max(mean, low), low + tolerance) - mean + due / max(horizon, Double(batch.counts[k]))
        }
        return shift
    }

    /// Step 3: the least change of the shifts that puts every emitted mean into its band around one centre; returns the centre.
    ///
    /// Groups outside the batch cannot move, so the centre has to suit them; the old centre does, as their bands are unchanged.
    private func holdBands(_ batch: GroupSums, _ shift: inout [Double]) -> Double {
        var lowest = -Double.infinity, highest = Double.infinity
        var ends: (lower: [Double], upper: [Double], weights: [Double]) = ([], [], [])
        ends.lower.reserveCapacity(groupCount)
        ends.upper.reserveCapacity(groupCount)
        ends.weights.reserveCapacity(groupCount)
        func planned(_ k: Int) -> (mean: Double, count: Int) {
            let count = pooled.counts[k] + batch.counts[k]
            return ((pooled.sums[k] + batch.sums[k] + Double(batch.counts[k]) * shift[k]) / Double(count), count)
        }
        for k in 0..<groupCount where pooled.counts[k] + batch.counts[k] > 0 {
            let (mean, count) = planned(k)
            let reach = reach(count)
            if batch.counts[k] == 0 {
                lowest = max(lowest, mean - reach)
                highest = min(highest, mean + reach)
            } else {
                ends.lower.append(mean - reach)
                ends.upper.append(mean + reach)
                // Moving n of N samples by s moves the mean by ns/N and costs ns².
                ends.weights.append(Double(count) * Double(count) / Double(batch.counts[k]))
            }
        }
        if lowest > highest { (lowest, highest) = (centre, centre) }  // only by rounding: the old centre suits all of them
        let best = IntervalProjection.nearest(lower: ends.lower, upper: ends.upper, weights: ends.weights)
        let wanted = min(max(centre, best.lowerBound), best.upperBound)
        let new = samples == 0 ? best.lowerBound + (best.upperBound - best.lowerBound) / 2 : min(max(wanted, lowest), highest)
        for k in 0..<groupCount where batch.counts[k] > 0 {
            let (mean, count) = planned(k)
            let reach = reach(count)
            let move = min(max(mean, new - reach), new + reach) - mean
            shift[k] += move * Double(count) / Double(batch.counts[k])
        }
        return new
    }

    private enum CodingKeys: CodingKey {
        case groupCount, tolerance, cap, horizon, priorStrength, raw, pooled, centre, updates, samples, gapSum
    }

    /// Errors: `DecodingError` for a state that no stream can be in.
    public init(from decoder: any Decoder) throws {
        let saved = try decoder.container(keyedBy: CodingKeys.self)
        groupCount = try saved.decode(Int.self, forKey: .groupCount)
        tolerance = try saved.decode(Double.self, forKey: .tolerance)
        cap = try saved.decode(Double.self, forKey: .cap)
        horizon = try saved.decode(Double.self, forKey: .horizon)
        priorStrength = try saved.decode(Double.self, forKey: .priorStrength)
        raw = try saved.decode(GroupSums.self, forKey: .raw)
        pooled = try saved.decode(GroupSums.self, forKey: .pooled)
        centre = try saved.decode(Double.self, forKey: .centre)
        updates = try saved.decode(Int.self, forKey: .updates)
        samples = try saved.decode(Int.self, forKey: .samples)
        gapSum = try saved.decode(Double.self, forKey: .gapSum)
        let settings =
            tolerance.isFinite && tolerance >= 0 && cap.isFinite && cap > 0 && horizon.isFinite && horizon >= 1
            && priorStrength.isFinite && priorStrength >= 0
        let counters =
            updates >= 0 && updates <= samples && gapSum.isFinite && gapSum >= 0 && centre.isFinite && raw.isPossible(groupCount)
            && pooled.isPossible(groupCount) && raw.counts == pooled.counts && raw.unknownCount == pooled.unknownCount
            && pooled.knownCount == samples
        guard settings && counters else {
            throw DecodingError.dataCorruptedError(
                forKey: .centre, in: saved, debugDescription: "not the saved state of an anytime stream; start the stream anew")
        }
    }
}
