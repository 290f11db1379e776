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

/// Knows the state and sends what hurts most: the group that stands highest gets high scores, or the lowest low ones, in batches of 1…64;
/// now and then a group that was not seen yet, one group for long, or scores near the limit of what is accepted.
struct Adversary {
    private var random: TestRandom
    private let groupCount: Int
    private var rest = 0, favourite = 0

    init(seed: Int, groupCount: Int) {
        random = TestRandom(UInt64(seed))
        self.groupCount = groupCount
    }

    mutating func batch(against emitted: GroupSums) -> (scores: [Double], groups: [Int]) {
        let means = emitted.means
        let present = emitted.present.sorted { means[$0]! < means[$1]! }
        let size = [1, 2, 7, 14, 64].randomElement(using: &random)!
        let reach = [0.5, 5, 5, 50, 1e6].randomElement(using: &random)!
        if rest > 0 {
            rest -= 1
        } else if Int.random(in: 0..<40, using: &random) == 0 {
            (rest, favourite) = (30, Int.random(in: 0..<groupCount, using: &random))
        }
        var scores: [Double] = [], groups: [Int] = []
        for _ in 0..<size {
            let isHigh = Bool.random(using: &random)
            let worst = (isHigh ? present.last : present.first) ?? 0
            let isAny = Int.random(in: 0..<6, using: &random) == 0
            groups.append(rest > 0 ? favourite : isAny ? Int.random(in: unknownGroup..<groupCount, using: &random) : worst)
            scores.append((isHigh ? 1 : -1) * reach * Double.random(in: 0.5...1, using: &random))
        }
        return (scores, groups)
    }
}
