// Both online algorithms against a stream that is made to hurt them: their bounds hold at every step.
import Fairness
import Foundation
import TestSupport
import Testing

struct AdversaryTests {
    private static func make(_ name: OnlineName, _ groupCount: Int, _ seed: Int) -> OnlineFairness {
        let tolerance = [0, 1e-4, 0.5][seed % 3]
        return switch name {
        case .primalDual:
            .primalDual(
                PrimalDual(
                    groupCount: groupCount, tolerance: tolerance, eta0: [0.01, 0.1, 0.5][seed % 3], batchThreshold: [5, 50, 100][seed / 3 % 3],
                    pairPenalty: seed % 2 == 0 ? .max : .sum))
        case .anytime:
            .anytime(
                AnytimeParity(
                    groupCount: groupCount, tolerance: tolerance, cap: [30, 1, 0.01][seed / 3 % 3], horizon: [50, 1, 500][seed % 3],
                    priorStrength: [20, 0][seed % 2], threshold: [0, -3, 40][seed / 2 % 3]))
        }
    }

    @Test(arguments: OnlineName.allCases, 0..<12)
    func boundsHoldAtEveryStep(name: OnlineName, seed: Int) throws {
        let groupCount = 2 + seed
        var stream = Self.make(name, groupCount, seed)
        var adversary = Adversary(seed: seed, groupCount: groupCount)
        // Measured here, from the emitted scores.
        var emitted = GroupSums(groupCount: groupCount)
        var weighted = 0.0, largest = 0.0
        for number in 0..<400 {
            let batch = adversary.batch(against: emitted)
            let step = try stream.process(batch.scores, groups: batch.groups)
            let sums = try GroupSums(step.scores, groups: batch.groups, groupCount: groupCount)
            emitted.merge(sums)
            weighted += Double(sums.knownCount) * sums.gap
            largest = max(largest, batch.scores.reduce(0) { max($0, abs($1)) })
            for (row, group) in batch.groups.enumerated() where group == unknownGroup { #expect(step.scores[row] == batch.scores[row]) }
            #expect(step.scores.allSatisfy { $0.isFinite })
            // Sums of scores of up to `largest` round by their own size.
            let rounding = 1e-11 * largest + 1e-12
            switch name {
            case .primalDual:
                #expect(weighted / Double(max(emitted.knownCount, 1)) <= step.bound + rounding, "seed \(seed), batch \(number)")
            case .anytime:
                #expect(emitted.gap <= step.bound + rounding, "seed \(seed), batch \(number)")
                guard case .anytime(let state) = stream else { continue }
                for i in 0..<groupCount {
                    for j in 0..<i {
                        guard let bound = state.bound(i, j) else { continue }
                        #expect(abs(emitted.means[i]! - emitted.means[j]!) <= bound + rounding, "seed \(seed), batch \(number), \(i) and \(j)")
                    }
                }
            }
        }
    }
}
