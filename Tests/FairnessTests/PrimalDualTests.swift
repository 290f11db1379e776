// The stream: its guarantee on every kind of order, its state, and two steps by hand; the training penalty.
import Fairness
import Foundation
import TestSupport
import Testing

struct PrimalDualTests {
    @Test(arguments: StreamOrder.allCases, PairPenalty.allCases)
    func averageGapStaysUnderTheBound(order: StreamOrder, penalty: PairPenalty) throws {
        for (eta0, tolerance) in [(0.1, 1e-3), (0.5, 0), (0.5, 0.3)] {
            var stream = PrimalDual(groupCount: 5, tolerance: tolerance, eta0: eta0, batchThreshold: 60, pairPenalty: penalty)
            var weighted = 0.0, samples = 0, updates = 0
            var regimes: Set<Regime> = []
            var everything = (scores: [Double](), groups: [Int]())
            for batch in order.batches(seed: 4) {
                let before = stream
                let step = try stream.process(batch.scores, groups: batch.groups)
                // Measured from the emitted scores, not from what the stream says of itself.
                let emitted = try GroupSums(step.scores, groups: batch.groups, groupCount: 5)
                let known = batch.groups.count { $0 != unknownGroup }
                weighted += Double(known) * emitted.gap
                samples += known
                everything.scores += step.scores
                everything.groups += batch.groups
                regimes.insert(step.regime)
                #expect(step.regime == (known == 0 ? .passthrough : known >= 60 ? .hard : .primalDual))
                if step.regime == .hard { #expect(emitted.gap <= tolerance + 1e-12 && stream.multiplier == before.multiplier) }
                if step.regime == .primalDual { updates += 1 }
                #expect(step.multiplier == before.multiplier && step.updates == updates && stream.samples == samples)
                guard samples > 0 else { continue }
                // A hard batch whose gap is under ε helps the average; rounding apart the two averages are one.
                expectClose(step.averageGap, weighted / Double(samples), atol: 1e-10, "average, \(order)")
                #expect(weighted / Double(samples) <= step.bound + 1e-10, "\(order), step \(updates)")
                expectClose(step.pooledGap, try GroupSums(everything.scores, groups: everything.groups, groupCount: 5).gap, atol: 1e-10)
                #expect(stream.maxMultiplier >= stream.multiplier)
            }
            if order == .mixed { #expect(regimes == [.hard, .primalDual]) }
        }
    }

    @Test func averageGapFallsOnALongStream() throws {
        var stream = PrimalDual(groupCount: 5, tolerance: 0.01, eta0: 0.5, batchThreshold: 64)
        let (z, groups) = randomBatch(8, rows: 20_000, groupCount: 5, unknown: 0)
        var early = 0.0
        for start in stride(from: 0, to: z.count, by: 20) {
            let step = try stream.process(Array(z[start..<start + 20]), groups: Array(groups[start..<start + 20]))
            if step.updates == 10 { early = step.averageGap }
        }
        #expect(stream.averageGap < 0.2 * early && stream.averageGap <= stream.bound)
    }

    /// Two steps worked by hand, with a group missing from the second batch's top.
    @Test func handTrace() throws {
        var stream = PrimalDual(groupCount: 3, tolerance: 0.2, eta0: 0.5, batchThreshold: 50)
        // Batch 1: λ = 0, so nothing moves. Means 3, 1, −1; gap 4; violation 4·(4 − 0.2) = 15.2; λ = 0.5·15.2 = 7.6.
        let first = try stream.process([3, 0, 2, -1], groups: [0, 1, 1, 2])
        #expect(first.scores == [3, 0, 2, -1] && first.regime == .primalDual)
        expectClose([first.violation, stream.multiplier, first.averageGap, first.bound], [15.2, 7.6, 4, 0.2 + 7.6 / (0.5 * 4)], atol: 1e-12)
        expectClose(first.pooledGap, 4, atol: 1e-12)
        // Batch 2: λb = 7.6·2 = 15.2, ends pulled by 7.6 per sample each: they meet in the middle at 0. Gap 0; violation 2·(0 − 0.2) = −0.4;
        // λ = 7.6 − 0.5/√2·0.4; W = 14.8, N = 6, average 14.8/6 + 0.2; bound 0.2 + λ·√2/(0.5·6).
        let second = try stream.process([1, -1, 50], groups: [0, 2, unknownGroup])
        expectClose(second.scores, [0, 0, 50], atol: 1e-12)
        let multiplier = 7.6 - 0.2 / 2.0.squareRoot()
        expectClose(
            [second.multiplier, second.violation, stream.multiplier, second.averageGap, second.bound],
            [7.6, -0.4, multiplier, 14.8 / 6 + 0.2, 0.2 + multiplier * 2.0.squareRoot() / 3], atol: 1e-12)
        // Pooled: group 0 has 3 and 0, group 1 has 0 and 2, group 2 has −1 and 0.
        expectClose(second.pooledGap, 2, atol: 1e-12)
        #expect(stream.updates == 2 && stream.samples == 6 && stream.maxMultiplier == 7.6 && stream.pooled.unknownCount == 1)
    }

    @Test func nothingKnownIsPassedThrough() throws {
        var stream = PrimalDual(groupCount: 2, tolerance: 0.1)
        _ = try stream.process([1, -1], groups: [0, 1])
        let before = stream
        let step = try stream.process([7, 8], groups: [unknownGroup, unknownGroup])
        #expect(step.regime == .passthrough && step.scores == [7, 8] && step.violation == 0)
        #expect(stream.multiplier == before.multiplier && stream.samples == 2 && stream.updates == 1)
        #expect(stream.pooled.unknownCount == 2)
        var fresh = PrimalDual(groupCount: 2, tolerance: 0.1)
        let empty = try fresh.process([], groups: [])
        #expect(empty.regime == .passthrough && empty.bound == 0.1 && empty.averageGap == 0)
    }

    @Test(arguments: [1, 200])
    func aThrowingStepChangesNothing(threshold: Int) throws {
        for penalty in PairPenalty.allCases {
            var stream = PrimalDual(groupCount: 2, tolerance: 0.1, batchThreshold: threshold, pairPenalty: penalty)
            _ = try stream.process([3, -1, 2], groups: [0, 1, 1])
            let before = stream
            #expect(throws: FairnessError.self) { try stream.process([0, .nan], groups: [0, 1]) }
            #expect(throws: FairnessError.self) { try stream.process([0, 1], groups: [0, 2]) }
            #expect(throws: FairnessError.self) { try stream.process([.infinity], groups: [unknownGroup]) }
            #expect(stream == before)
        }
    }

    @Test func savedStreamGoesOn() throws {
        var stream = PrimalDual(groupCount: 5, tolerance: 0.01, eta0: 0.3, batchThreshold: 30, pairPenalty: .sum)
        let all = StreamOrder.random.batches(seed: 9)
        for batch in all[..<20] { _ = try stream.process(batch.scores, groups: batch.groups) }
        let json = try JSONEncoder().encode(stream)
        var copy = try JSONDecoder().decode(PrimalDual.self, from: json)
        #expect(copy == stream)
        for batch in all[20..<30] {
            let (a, b) = (try stream.process(batch.scores, groups: batch.groups), try copy.process(batch.scores, groups: batch.groups))
            #expect(a.scores == b.scores && a.bound == b.bound)
        }
        #expect(copy == stream)
        stream.reset()
        #expect(stream == PrimalDual(groupCount: 5, tolerance: 0.01, eta0: 0.3, batchThreshold: 30, pairPenalty: .sum))
    }

    @Test(arguments: ["\"multiplier\":-1", "\"eta0\":0", "\"tolerance\":-0.5", "\"groupCount\":3", "\"samples\":77", "\"updates\":-1"])
    func damagedStateIsRefused(damage: String) throws {
        var stream = PrimalDual(groupCount: 2, tolerance: 0.5, eta0: 0.25)
        _ = try stream.process([3, -1], groups: [0, 1])
        try expectRefused(damage, in: stream)
    }
}

struct GapPenaltyTests {
    @Test func valueByHand() throws {
        // Gaps of the example's means 1/3, 1.4, −0.8, 1.1 over six pairs.
        let (value, gradient) = try GapPenalty(groupCount: 4, weight: 0.5).valueAndGradient(exampleScores, groups: exampleGroups)
        let gaps = [1.4 - 1.0 / 3, 1.0 / 3 + 0.8, 1.1 - 1.0 / 3, 2.2, 0.3, 1.9]
        expectClose(value, 0.5 * gaps.reduce(0) { $0 + $1 * $1 }, atol: 1e-12)
        #expect(gradient[3] == gradient[4] && gradient[5] == gradient[8])
        expectClose(gradient.reduce(0, +), 0, atol: 1e-12)
    }

    @Test func gradientIsTheDifferenceQuotient() throws {
        for seed in 0..<5 {
            let (z, groups) = randomBatch(seed, rows: 40, groupCount: 6)
            let penalty = GapPenalty(groupCount: 7, weight: 3)
            let gradient = try penalty.valueAndGradient(z, groups: groups).gradient
            let numeric = try z.indices.map { i in
                var (up, down) = (z, z)
                up[i] += 1e-3
                down[i] -= 1e-3
                return (try penalty.valueAndGradient(up, groups: groups).value - penalty.valueAndGradient(down, groups: groups).value) / 2e-3
            }
            expectClose(gradient, numeric, atol: 1e-9)  // quadratic: central differences are exact
        }
    }

    @Test func degenerateBatches() throws {
        let penalty = GapPenalty(groupCount: 3, weight: 2)
        #expect(try penalty.valueAndGradient([1, 5], groups: [1, 1]) == (0, [0, 0]))
        #expect(try penalty.valueAndGradient([1, 5], groups: [1, unknownGroup]) == (0, [0, 0]))
        #expect(throws: FairnessError.self) { try penalty.valueAndGradient([.nan], groups: [0]) }
    }
}
