// The order in which training sees the samples: every one once per epoch, every batch a small copy of the whole.
import TensorCore

/// Batches that mirror the group ratios.
///
/// The paper's sampler gives each group max(1, round(ratio·b)) places in every batch and starts a group again when it runs out, so
/// small groups repeat and large ones lose samples. Here every sample comes exactly once per epoch instead: the groups are merged
/// into one sequence in which, after any number of places, each group is less than one sample away from its share (the chairman
/// assignment; Tijdeman, Discrete Mathematics 32, 1980), and the sequence is cut into batches. In every batch a group is therefore
/// less than two samples away from ratio·b. A group with fewer samples than there are batches is spread evenly, so some batches
/// lack it. Which sample of a group takes which of its places is drawn anew each epoch.
///
/// Batches hold at most the batch size and differ by at most one sample, so that no small left-over batch falls below the fairness
/// layer's threshold or has poor batch statistics. None holds a single sample, even if one then is larger by one: batch
/// normalisation has no variance over one sample, and a batch of one has no gap.
public struct StratifiedBatchSampler: Sendable {
    public let batchSize: Int
    private let random: RandomSource
    /// Sample indices per group, unknown (-1) as a group of its own.
    private let members: [[Int]]
    /// The group at every place of the sequence; the same in every epoch.
    private let sequence: [Int32]

    /// Errors: traps when batchSize < 1.
    public init(groups: [Int], batchSize: Int, random: RandomSource) {
        precondition(batchSize > 0, "a batch of \(batchSize) samples")
        self.batchSize = batchSize
        self.random = random
        var byGroup: [Int: [Int]] = [:]
        for (index, group) in groups.enumerated() { byGroup[group, default: []].append(index) }
        members = byGroup.sorted { $0.key < $1.key }.map(\.value)
        sequence = StratifiedBatchSampler.chairmanAssignment(members.map(\.count))
    }

    public var batchCount: Int { Batches.bounds(sequence.count, batchSize).count }

    /// The batches of one epoch as indices into `groups`: a pure function of the random source and the epoch.
    public func epoch(_ epoch: Int) -> [[Int]] {
        let source = random.fork(UInt64(bitPattern: Int64(epoch)))
        let orders = members.enumerated().map { group, samples in
            var random = source.fork(UInt64(group))
            return random.permutation(samples.count).map { samples[$0] }
        }
        var next = [Int](repeating: 0, count: members.count)
        let merged = sequence.map { group in
            defer { next[Int(group)] += 1 }
            return orders[Int(group)][next[Int(group)]]
        }
        return Batches.bounds(merged.count, batchSize).map { Array(merged[$0]) }
    }

    /// Places 0..<n for groups of the given sizes, every prefix less than one sample from every group's share.
    ///
    /// Among the groups whose share of the places filled so far, plus this one, is far enough ahead of what they got, the one that
    /// would be overdue first takes the place. All in integers times 2(K-1)·n, so the order is the same everywhere.
    private static func chairmanAssignment(_ sizes: [Int]) -> [Int32] {
        let total = sizes.reduce(0, +)
        guard sizes.count > 1 else { return [Int32](repeating: 0, count: total) }
        let slack = 2 * (sizes.count - 1)
        var given = [Int](repeating: 0, count: sizes.count)
        var sequence: [Int32] = []
        sequence.reserveCapacity(total)
        for place in 1...total {
            var best = -1
            var bestDeadline = Double.infinity
            for (group, size) in sizes.enumerated() where given[group] < size {
                let credit = size * place - total * given[group]  // share minus given, times total
                guard slack * credit >= total else { continue }
                // Places until the group lags by 1 - 1/slack.
                let deadline = (Double(total) * (1 - 1 / Double(slack)) - Double(credit)) / Double(size)
                if deadline < bestDeadline {
                    best = group
                    bestDeadline = deadline
                }
            }
            precondition(best >= 0, "no group is due at place \(place) of \(total)")
            given[best] += 1
            sequence.append(Int32(best))
        }
        return sequence
    }
}

/// Batches in the order of the samples, for evaluation: every sample exactly once, the last batch as short as it comes out.
public enum SequentialBatches {
    /// Errors: traps when batchSize < 1.
    public static func order(count: Int, batchSize: Int) -> [[Int]] {
        precondition(batchSize > 0, "a batch of \(batchSize) samples")
        return stride(from: 0, to: count, by: batchSize).map { Array($0..<min($0 + batchSize, count)) }
    }
}

enum Batches {
    /// Cuts 0..<count into as few batches as the size allows, of equal length but for one sample.
    static func bounds(_ count: Int, _ batchSize: Int) -> [Range<Int>] {
        let fewest = (count + batchSize - 1) / batchSize
        let batches = batchSize > 1 ? min(fewest, max(1, count / 2)) : fewest
        return (0..<batches).map { $0 * count / batches..<($0 + 1) * count / batches }.filter { !$0.isEmpty }
    }
}
