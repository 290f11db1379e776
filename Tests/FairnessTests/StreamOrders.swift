// The streams that both online algorithms must bear: five groups, in every unkind order we could think of.
import Fairness
import TestSupport

enum StreamOrder: CaseIterable, Sendable {
    case random, sorted, drifting, mixed, tiny, singly, withUnknown
    /// Two groups only for most of the stream; the others arrive at the end, one of them in a single batch of 200.
    case lateGroups
    /// One group only for 1000 rows between ordinary stretches.
    case oneGroupForLong
    /// Each batch is of one group and pulls as far as it can in the direction that the last one made worst.
    case alternatingExtremes

    /// Batches whose sizes and group offsets depend on the order.
    func batches(seed: Int) -> [(scores: [Double], groups: [Int])] {
        var random = TestRandom(UInt64(seed))
        var rows = randomBatch(seed, rows: 3000, groupCount: 5, unknown: self == .withUnknown ? 0.4 : 0)
        let n = rows.scores.count
        switch self {
        case .sorted:
            let sorted = rows.groups.indices.sorted { (rows.groups[$0], $0) < (rows.groups[$1], $1) }
            rows = (sorted.map { rows.scores[$0] }, sorted.map { rows.groups[$0] })
        case .drifting:
            for i in 0..<n { rows.scores[i] += Double(rows.groups[i]) * Double(i) / 1000 }
        case .lateGroups:
            for i in 0..<n { rows.groups[i] = i < 2400 ? i % 2 : i < 2600 ? 4 : 2 + i % 3 }
            for i in 0..<n { rows.scores[i] += 2 * Double(rows.groups[i]) }
        case .oneGroupForLong:
            for i in 1000..<2000 { rows.groups[i] = 3 }
        case .alternatingExtremes:
            for i in 0..<n { rows.groups[i] = (i / 20) % 5 }
            for i in 0..<n { rows.scores[i] = (i / 100) % 2 == 0 ? 50 : -50 }
        default: break
        }
        var result: [(scores: [Double], groups: [Int])] = []
        var start = 0
        while start < n {
            let size =
                switch self {
                case .tiny: Int.random(in: 1...14, using: &random)
                case .singly: 1
                case .mixed: Int.random(in: 1...120, using: &random)
                case .lateGroups where start >= 2400 && start < 2600: 2600 - start
                case .alternatingExtremes: 20
                default: Int.random(in: 1...64, using: &random)
                }
            let end = min(start + size, n)
            result.append((Array(rows.scores[start..<end]), Array(rows.groups[start..<end])))
            start = end
        }
        return result
    }
}
