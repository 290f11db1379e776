// The anytime stream: its guarantee on every kind of order, its state, and what it keeps of the scores.
import Fairness
import Foundation
import TestSupport
import Testing

struct AnytimeParityTests {
    @Test(arguments: StreamOrder.allCases, [0, 1e-4, 0.3])
    func pairsStayWithinTheirBoundsAtEveryMoment(order: StreamOrder, tolerance: Double) throws {
        for (cap, horizon, prior) in [(30.0, 50.0, 20.0), (2, 20, 0), (0.1, 1, 5)] {
            var stream = AnytimeParity(groupCount: 5, tolerance: tolerance, cap: cap, horizon: horizon, priorStrength: prior)
            // Measured from the emitted scores, not from what the stream says of itself.
            var counts = [Int](repeating: 0, count: 5), sums = [Double](repeating: 0, count: 5)
            var weighted = 0.0, updates = 0
            for (number, batch) in order.batches(seed: 11).enumerated() {
                let step = try stream.process(batch.scores, groups: batch.groups)
                var within: (low: Double, high: Double) = (.infinity, -.infinity)
                var batchSums = [Double](repeating: 0, count: 5), batchCounts = batchSums
                for (row, group) in batch.groups.enumerated() {
                    guard group != unknownGroup else {
                        #expect(step.scores[row] == batch.scores[row])
                        continue
                    }
                    counts[group] += 1
                    sums[group] += step.scores[row]
                    batchCounts[group] += 1
                    batchSums[group] += step.scores[row]
                }
                for k in 0..<5 where batchCounts[k] > 0 {
                    within = (min(within.low, batchSums[k] / batchCounts[k]), max(within.high, batchSums[k] / batchCounts[k]))
                }
                let known = Int(batchCounts.reduce(0, +))
                if known > 0 { updates += 1 }
                #expect(step.regime == (known > 0 ? .anytime : .passthrough) && step.batchCount == known && step.updates == updates)
                if known > 0 { expectClose(step.batchGap, within.high - within.low, atol: 1e-9) }
                weighted += Double(known) * step.batchGap
                expectClose(step.averageGap * Double(max(stream.samples, 1)), weighted, atol: 1e-6)

                var widest = 0.0, allowed = tolerance
                for i in 0..<5 where counts[i] > 0 {
                    for j in 0..<i where counts[j] > 0 {
                        let gap = abs(sums[i] / Double(counts[i]) - sums[j] / Double(counts[j]))
                        let bound = tolerance + cap / Double(counts[i]) + cap / Double(counts[j])
                        #expect(gap <= bound + 1e-9, "\(order), batch \(number), groups \(i) and \(j)")
                        expectClose(stream.bound(i, j) ?? .nan, bound, atol: 1e-12)
                        (widest, allowed) = (max(widest, gap), max(allowed, bound))
                    }
                }
                expectClose(step.pooledGap, widest, atol: 1e-9)
                expectClose(step.bound, allowed, atol: 1e-12)
                #expect(step.pooledGap <= step.bound + 1e-9)
            }
            #expect(stream.samples > 100)
        }
    }

    /// Two batches worked by hand: ε = 0.2, C = 1, τ = 10, n₀ = 1.
    @Test func handTrace() throws {
        var stream = AnytimeParity(groupCount: 2, tolerance: 0.2, cap: 1, horizon: 10, priorStrength: 1)
        // Nothing is known yet: no shift, no debts. Bands of ±(0.1 + 1/2) around one centre: c = 0 by symmetry, so the means ±2 go to ±0.6.
        // Group 0 owes 2.8: its 1 keeps a tenth, 0.1, and gives 0.9; its 3 gives the other 1.9.
        let first = try stream.process([1, 3, -1, -3], groups: [0, 0, 1, 1])
        expectClose(first.scores, [0.1, 1.1, -0.1, -1.1], atol: 1e-12)
        expectClose([first.pooledGap, first.batchGap, first.bound, stream.centre], [1.2, 1.2, 0.2 + 0.5 + 0.5, 0], atol: 1e-12)
        // Past: r = 0, shrunk raw means ±4/3, so the interval is ±0.1 and group 0 goes down by 4/3 − 0.1: 3.766667.
        // Everything emitted has mean 3.766667/5; group 0 would be 2.706667 above it, of which 0.3 is tolerated, and is young enough to pay
        // all of 2.406667: 1.36. Its mean is then 2.56/3 = 0.853333, and c would have to be 0.853333 − 0.1 − 1/3 = 0.42.
        // Group 1 is absent with mean −0.6 and reach 0.6 and holds c at 0. So the mean becomes 0.433333 and the score 1.3 − 1.2.
        let second = try stream.process([5], groups: [0])
        expectClose(stream.centre, 0, atol: 1e-12)
        expectClose(second.scores, [0.1], atol: 1e-12)
        expectClose(second.pooledGap, 1.3 / 3 + 0.6, atol: 1e-12)
        expectClose(second.bound, 0.2 + 1.0 / 3 + 0.5, atol: 1e-12)
    }

    /// What the issue asks of it: decisions and scores near those of projecting everything at once, a pooled gap far below the raw one.
    @Test(arguments: [1, 14, 32])
    func keepsWhatTheScoresSay(batch: Int) throws {
        var random = TestRandom(5)
        let groupCount = 14, rows = 9800
        let offset = (0..<groupCount).map { 3 * Double($0) / 13 - 1.5 }
        var scores: [Double] = [], groups: [Int] = []
        for row in 0..<rows {
            groups.append(row % groupCount)
            let noise = (0..<6).reduce(0.0) { sum, _ in sum + Double.random(in: -1...1, using: &random) }
            scores.append(offset[row % groupCount] + noise)
        }
        var stream = AnytimeParity(groupCount: groupCount, tolerance: 1e-4)
        var fair: [Double] = []
        for start in stride(from: 0, to: rows, by: batch) {
            let end = min(start + batch, rows)
            fair += try stream.process(Array(scores[start..<end]), groups: Array(groups[start..<end])).scores
        }
        let whole = try FairnessLayer(groupCount: groupCount, tolerance: 1e-4).forward(scores, groups: groups)
        #expect(whole.gapBefore > 2.5 && stream.pooledGap < 0.05)
        let moved = zip(fair, whole.scores).reduce(0) { $0 + abs($1.0 - $1.1) } / Double(rows)
        #expect(moved < 0.35, "mean distance to the projection of everything: \(moved)")
        let flipped = zip(fair, whole.scores).count { ($0 >= 0) != ($1 >= 0) }
        #expect(flipped < rows / 30, "\(flipped) decisions differ from those of the projection of everything")
    }

    /// Debts are paid without crossing the threshold: where the cap does not bind, decisions are those of step 1, however fast the payment.
    @Test(arguments: [-1.5, 0, 0.7])
    func paymentsLeaveDecisionsAlone(threshold: Double) throws {
        for order in [StreamOrder.random, .singly, .lateGroups, .withUnknown] {
            var fast = AnytimeParity(groupCount: 5, tolerance: 0, cap: 1e9, horizon: 1, threshold: threshold)
            var slow = AnytimeParity(groupCount: 5, tolerance: 0, cap: 1e9, horizon: 1e9, threshold: threshold)
            var distance = 0.0, gaps = (fast: 0.0, slow: 0.0)
            for batch in order.batches(seed: 3) {
                let (a, b) = (try fast.process(batch.scores, groups: batch.groups), try slow.process(batch.scores, groups: batch.groups))
                #expect(a.scores.map { $0 >= threshold } == b.scores.map { $0 >= threshold }, "\(order)")
                distance += zip(a.scores, b.scores).reduce(0) { $0 + abs($1.0 - $1.1) }
                gaps = (gaps.fast + a.pooledGap, gaps.slow + b.pooledGap)
            }
            #expect(distance > 1 && gaps.fast < gaps.slow, "\(order)")
        }
    }

    @Test func aThrowingStepChangesNothing() throws {
        var stream = AnytimeParity(groupCount: 2, tolerance: 0.1)
        _ = try stream.process([3, -1, 2], groups: [0, 1, 1])
        let before = stream
        #expect(throws: FairnessError.self) { try stream.process([0, .nan], groups: [0, 1]) }
        #expect(throws: FairnessError.self) { try stream.process([0, 1], groups: [0, 2]) }
        #expect(throws: FairnessError.self) { try stream.process([.infinity], groups: [unknownGroup]) }
        #expect(stream == before)
    }

    @Test func anEmptyBatchAndUnknownRowsPass() throws {
        var stream = AnytimeParity(groupCount: 3, tolerance: 0.1)
        #expect(try stream.process([], groups: []).regime == .passthrough)
        let step = try stream.process([7, 8], groups: [unknownGroup, unknownGroup])
        #expect(step.scores == [7, 8] && step.bound == 0.1 && step.pooledGap == 0 && stream.samples == 0)
        #expect(stream.pooled.unknownCount == 2 && stream.raw.unknownCount == 2)
    }

    @Test(arguments: [
        "\"cap\":0", "\"horizon\":0.5", "\"tolerance\":-0.5", "\"groupCount\":3", "\"samples\":77", "\"updates\":-1", "\"gapSum\":-1",
        "\"priorStrength\":-1", "\"threshold\":null",
    ])
    func damagedStateIsRefused(damage: String) throws {
        var stream = AnytimeParity(groupCount: 2, tolerance: 0.5)
        _ = try stream.process([3, -1], groups: [0, 1])
        try expectRefused(damage, in: stream)
    }
}

struct OnlineFairnessTests {
    private static func make(_ name: OnlineName) -> OnlineFairness {
        switch name {
        case .primalDual: .primalDual(PrimalDual(groupCount: 5, tolerance: 0.01, eta0: 0.3, batchThreshold: 30, pairPenalty: .sum))
        case .anytime: .anytime(AnytimeParity(groupCount: 5, tolerance: 1e-4))
        }
    }

    @Test(arguments: OnlineName.allCases)
    func savedStreamGoesOnBitForBit(name: OnlineName) throws {
        for order in [StreamOrder.random, .mixed, .withUnknown] {
            var stream = Self.make(name)
            let all = order.batches(seed: 9)
            for (number, batch) in all.prefix(60).enumerated() {
                // Saved and read at every moment, and the copy goes on instead of the original.
                var copy = try JSONDecoder().decode(OnlineFairness.self, from: JSONEncoder().encode(stream))
                #expect(copy == stream, "batch \(number)")
                let a = try stream.process(batch.scores, groups: batch.groups)
                #expect(try copy.process(batch.scores, groups: batch.groups) == a)
                #expect(bits(copy) == bits(stream))
                stream = copy
            }
            #expect(stream.name == name && stream.updates > 5 && stream.samples == stream.pooled.knownCount)
            stream.reset()
            #expect(stream == Self.make(name))
        }
    }

    private func bits(_ stream: OnlineFairness) -> [UInt64] {
        var numbers = stream.pooled.sums + [stream.multiplier, stream.averageGap, stream.bound, stream.pooledGap]
        if case .anytime(let state) = stream { numbers += state.raw.sums + [state.centre, state.gapSum] }
        return numbers.map(\.bitPattern)
    }

    @Test func anotherAlgorithmsStateIsRefused() throws {
        let json = String(decoding: try JSONEncoder().encode(Self.make(.anytime)), as: UTF8.self)
        #expect(json.contains("\"anytime\""))
        for wrong in ["primal-dual", "isotonic"] {
            let data = Data(json.replacingOccurrences(of: "\"anytime\"", with: "\"\(wrong)\"").utf8)
            #expect(throws: DecodingError.self) { try JSONDecoder().decode(OnlineFairness.self, from: data) }
        }
    }
}
