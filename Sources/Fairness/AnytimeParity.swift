// The anytime stream: group means of everything emitted so far stay together at every moment, whatever the batch sizes.
import Foundation

/// Online algorithm that shifts each group by what the past says of it, and corrects what the future would not.
///
/// Guarantee, deterministic, after every batch, for any stream and any batch sizes including 1: the emitted means of any two groups
/// with N_i and N_j samples so far differ by at most ε + C/N_i + C/N_j (docs/streaming.md). ``bound`` is the largest of these.
/// A batch (1) takes the shift that would make the past fair, with means shrunk toward the overall one; that settles its decisions.
/// It then (2) pays a share of what its groups owe the common level, and (3) is moved as little as the guarantee asks, both by scores
/// that can move without crossing the decision threshold, as long as there are any.
/// Only samples of known groups count; others pass through unchanged.
public struct AnytimeParity: OnlineAlgorithm {
    public let groupCount: Int
    /// ε, in logits.
    public let tolerance: Double
    /// C: how far, in logits times samples, a group's emitted sum may stray from the common level beyond ε/2 per sample.
    public let cap: Double
    /// τ: the most samples over which a group's debt is paid back; a young group pays faster, over N_k/32.
    public let horizon: Double
    /// n₀: the samples of overall mean that each group's past is mixed with.
    public let priorStrength: Double
    /// θ: the score from which on a decision is positive. Units: logits.
    public let threshold: Double

    /// Counts and sums of the scores as they came, and as they were emitted.
    public private(set) var raw: GroupSums
    public private(set) var pooled: GroupSums
    /// c: the middle of the bands that hold the emitted means.
    public private(set) var centre = 0.0
    public private(set) var updates = 0
    public private(set) var samples = 0
    /// Σ b · gap of the batches.
    public private(set) var gapSum = 0.0

    public init(
        groupCount: Int, tolerance: Double, cap: Double = 30, horizon: Double = 50, priorStrength: Double = 20, threshold: Double = 0
    ) {
        precondition(tolerance >= 0 && tolerance.isFinite, "tolerance \(tolerance) must be a finite number ≥ 0")
        precondition(cap > 0 && cap.isFinite, "cap \(cap) must be a finite number > 0")
        precondition(horizon >= 1 && horizon.isFinite, "horizon \(horizon) must be a finite number ≥ 1")
        precondition(priorStrength >= 0 && priorStrength.isFinite, "prior strength \(priorStrength) must be a finite number ≥ 0")
        precondition(threshold.isFinite, "threshold \(threshold) must be a finite number")
        self.groupCount = groupCount
        self.tolerance = tolerance
        self.cap = cap
        self.horizon = horizon
        self.priorStrength = priorStrength
        self.threshold = threshold
        raw = GroupSums(groupCount: groupCount)
        pooled = GroupSums(groupCount: groupCount)
    }

    /// The threshold on scores for one on probabilities; 0 and 1 leave no decision to spare, and count as the last number before them.
    public static func threshold(ofProbability probability: Double) -> Double {
        let inside = min(max(probability, 1e-15), 1 - 1e-15)
        return log(inside / (1 - inside))
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
            groupCount: groupCount, tolerance: tolerance, cap: cap, horizon: horizon, priorStrength: priorStrength,
            threshold: threshold)
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
        var fair = scores
        let rows = GroupRows(groups, batch.counts)
        takePastShift(&fair, groups: groups)
        var planned = batch
        planned.replaceSums(fair, groups: groups)
        if samples > 0 { payDebts(&fair, &planned, rows) }
        centre = holdBands(&fair, planned, rows)

        // Summed from the emitted scores, row by row, so that the state speaks of what was emitted and not of what was planned.
        var emitted = planned
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

    // MARK: The three steps

    /// Step 1: the shift that projects the past, by shrunk means; of an unseen group that is the overall mean.
    private func takePastShift(_ fair: inout [Double], groups: [Int]) {
        guard samples > 0 else { return }
        let overall = raw.sums.reduce(0, +) / Double(samples)
        var ends: (lower: [Double], upper: [Double], weights: [Double]) = ([], [], [])
        ends.lower.reserveCapacity(groupCount)
        ends.upper.reserveCapacity(groupCount)
        ends.weights.reserveCapacity(groupCount)
        var shift = [Double](repeating: overall, count: groupCount)  // the means first
        for k in 0..<groupCount where raw.counts[k] > 0 {
            let mean = (raw.sums[k] + priorStrength * overall) / (Double(raw.counts[k]) + priorStrength)
            shift[k] = mean
            ends.lower.append(mean - tolerance)
            ends.upper.append(mean)
            ends.weights.append(Double(raw.counts[k]))
        }
        let best = IntervalProjection.nearest(lower: ends.lower, upper: ends.upper, weights: ends.weights)
        let low = best.lowerBound + (best.upperBound - best.lowerBound) / 2
        for k in 0..<groupCount { shift[k] = min(max(shift[k], low), low + tolerance) - shift[k] }
        for row in fair.indices where groups[row] != unknownGroup { fair[row] += shift[groups[row]] }
    }

    /// Step 2: each group of the batch pays a share of what separates its emitted sum from the mean of everything emitted.
    private func payDebts(_ fair: inout [Double], _ planned: inout GroupSums, _ rows: GroupRows) {
        let total = Double(samples + planned.counts.reduce(0, +))
        let level = (pooled.sums.reduce(0, +) + planned.sums.reduce(0, +)) / total
        for k in 0..<groupCount where planned.counts[k] > 0 {
            let count = Double(pooled.counts[k] + planned.counts[k])
            let debt = level * count - pooled.sums[k] - planned.sums[k]
            let due = max(abs(debt) - tolerance * count / 2, 0) * (debt < 0 ? -1 : 1)
            let horizon = min(max(Double(pooled.counts[k]) / 32, 1), horizon)
            let payment = due * min(1, Double(planned.counts[k]) / horizon)
            planned.addToSum(of: k, payment - move(&fair, rows[k], by: payment))
        }
    }

    /// Step 3: the least change that puts every emitted mean into its band around one centre; returns the centre.
    ///
    /// Groups outside the batch cannot move, so the centre has to suit them; the old centre does, as their bands are unchanged.
    private func holdBands(_ fair: inout [Double], _ planned: GroupSums, _ rows: GroupRows) -> Double {
        var lowest = -Double.infinity, highest = Double.infinity
        var ends: (lower: [Double], upper: [Double], weights: [Double]) = ([], [], [])
        ends.lower.reserveCapacity(groupCount)
        ends.upper.reserveCapacity(groupCount)
        ends.weights.reserveCapacity(groupCount)
        for k in 0..<groupCount where pooled.counts[k] + planned.counts[k] > 0 {
            let count = pooled.counts[k] + planned.counts[k]
            let mean = (pooled.sums[k] + planned.sums[k]) / Double(count)
            let reach = reach(count)
            if planned.counts[k] == 0 {
                lowest = max(lowest, mean - reach)
                highest = min(highest, mean + reach)
            } else {
                ends.lower.append(mean - reach)
                ends.upper.append(mean + reach)
                // Moving n of N samples by s moves the mean by ns/N and costs ns².
                ends.weights.append(Double(count) * Double(count) / Double(planned.counts[k]))
            }
        }
        if lowest > highest { (lowest, highest) = (centre, centre) }  // only by rounding: the old centre suits all of them
        let best = IntervalProjection.nearest(lower: ends.lower, upper: ends.upper, weights: ends.weights)
        let wanted = min(max(centre, best.lowerBound), best.upperBound)
        let new = samples == 0 ? best.lowerBound + (best.upperBound - best.lowerBound) / 2 : min(max(wanted, lowest), highest)
        for k in 0..<groupCount where planned.counts[k] > 0 {
            let count = pooled.counts[k] + planned.counts[k]
            let mean = (pooled.sums[k] + planned.sums[k]) / Double(count)
            let reach = reach(count)
            let owed = (min(max(mean, new - reach), new + reach) - mean) * Double(count)
            let rest = move(&fair, rows[k], by: owed)
            if rest != 0 { for row in rows[k] { fair[row] += rest / Double(planned.counts[k]) } }
        }
        return new
    }

    /// Moves the scores of these rows by `total` together, all by the same step but for those that would cross the threshold: they
    /// keep a tenth of their distance to it. Returns what of the total no score could take.
    private func move(_ fair: inout [Double], _ rows: ArraySlice<Int>, by total: Double) -> Double {
        guard total != 0 else { return 0 }
        let sign: Double = total < 0 ? -1 : 1
        func room(_ score: Double) -> Double {
            (score < threshold) == (total > 0) ? 0.9 * abs(score - threshold) : .infinity
        }
        var left = abs(total)
        if rows.count == 1 {
            let row = rows[rows.startIndex]
            let step = min(room(fair[row]), left)
            fair[row] += sign * step
            return sign * (left - step)
        }
        // Fill the smallest rooms first: what they cannot take is shared by the others.
        var step = 0.0, open = Double(rows.count)
        for room in rows.map({ room(fair[$0]) }).sorted() {
            if (room - step) * open >= left {
                step += left / open
                left = 0
                break
            }
            left -= (room - step) * open
            step = room
            open -= 1
        }
        for row in rows { fair[row] += sign * min(room(fair[row]), step) }
        return sign * left
    }

    private enum CodingKeys: CodingKey {
        case groupCount, tolerance, cap, horizon, priorStrength, threshold, raw, pooled, centre, updates, samples, gapSum
    }

    /// Errors: `DecodingError` for a state that no stream can be in.
    public init(from decoder: any Decoder) throws {
        let saved = try decoder.container(keyedBy: CodingKeys.self)
        groupCount = try saved.decode(Int.self, forKey: .groupCount)
        tolerance = try saved.decode(Double.self, forKey: .tolerance)
        cap = try saved.decode(Double.self, forKey: .cap)
        horizon = try saved.decode(Double.self, forKey: .horizon)
        priorStrength = try saved.decode(Double.self, forKey: .priorStrength)
        threshold = try saved.decode(Double.self, forKey: .threshold)
        raw = try saved.decode(GroupSums.self, forKey: .raw)
        pooled = try saved.decode(GroupSums.self, forKey: .pooled)
        centre = try saved.decode(Double.self, forKey: .centre)
        updates = try saved.decode(Int.self, forKey: .updates)
        samples = try saved.decode(Int.self, forKey: .samples)
        gapSum = try saved.decode(Double.self, forKey: .gapSum)
        let settings =
            tolerance.isFinite && tolerance >= 0 && cap.isFinite && cap > 0 && horizon.isFinite && horizon >= 1
            && priorStrength.isFinite && priorStrength >= 0 && threshold.isFinite
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
