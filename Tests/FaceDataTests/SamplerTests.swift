// No sample lost, none repeated, ratios kept in every batch, the same for the same seed and epoch.
import FaceData
import TensorCore
import TestSupport
import Testing

@Suite struct SamplerTests {
    static let cases: [(counts: [Int], batch: Int)] = [
        ([10], 3), ([100, 100], 16), ([997, 31, 211], 64), ([500, 3, 1, 70, 70, 9], 32), ([1, 1, 1], 1), ([17, 2], 128),
        (Array(stride(from: 7, to: 217, by: 15)), 14), ([13_000, 17_000, 40_000, 92_000], 128), ([5, 4], 4),
    ]

    @Test(arguments: cases)
    func everySampleOnceAndRatiosKept(counts: [Int], batch: Int) {
        var random = RandomSource(seed: 5)
        let groups = counts.enumerated().flatMap { [Int](repeating: $0 - 1, count: $1) }  // from -1: unknown is a group too
        let shuffled = random.permutation(groups.count).map { groups[$0] }
        let total = groups.count
        let sampler = StratifiedBatchSampler(groups: shuffled, batchSize: batch, random: RandomSource(seed: 1))
        for epoch in 0..<2 {
            let batches = sampler.epoch(epoch)
            #expect(batches.count == sampler.batchCount)
            #expect(batches.joined().sorted() == Array(0..<total))
            var worst = 0.0
            let sizes = batches.map(\.count)
            #expect(sizes.max()! - sizes.min()! <= 1 && sizes.max()! <= max(batch, 3))
            for indices in batches {
                for (group, count) in counts.enumerated() {
                    let share = Double(count) / Double(total) * Double(indices.count)
                    let found = indices.reduce(0) { $0 + (shuffled[$1] == group - 1 ? 1 : 0) }
                    worst = max(worst, abs(Double(found) - share))
                }
            }
            #expect(worst < 2, "a group is \(worst) samples off its share")
            if batch > 1 && total > 1 { #expect(batches.allSatisfy { $0.count > 1 }) }
        }
    }

    @Test func aPureFunctionOfSeedAndEpoch() {
        let groups = (0..<300).map { $0 % 7 == 0 ? 1 : 0 }
        func epoch(_ seed: UInt64, _ number: Int) -> [[Int]] {
            StratifiedBatchSampler(groups: groups, batchSize: 32, random: RandomSource(seed: seed)).epoch(number)
        }
        let sampler = StratifiedBatchSampler(groups: groups, batchSize: 32, random: RandomSource(seed: 3))
        _ = sampler.epoch(9)
        #expect(sampler.epoch(4) == epoch(3, 4))
        #expect(epoch(3, 4) != epoch(3, 5) && epoch(3, 4) != epoch(4, 4))
    }

    @Test func sequentialBatchesKeepOrderAndRest() {
        #expect(SequentialBatches.order(count: 7, batchSize: 3) == [[0, 1, 2], [3, 4, 5], [6]])
        #expect(SequentialBatches.order(count: 0, batchSize: 3).isEmpty)
    }
}
