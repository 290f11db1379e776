// Count and sum of scores per group: additive, and all that constraints and penalties on group means need to know.

public struct GroupSums: Codable, Equatable, Sendable {
    public private(set) var counts: [Int]
    public private(set) var sums: [Double]
    /// Rows of ``unknownGroup``: counted, but in no sum.
    public private(set) var unknownCount = 0

    public init(groupCount: Int) {
        counts = Array(repeating: 0, count: groupCount)
        sums = Array(repeating: 0, count: groupCount)
    }

    /// Sums of one batch.
    ///
    /// Errors: ``FairnessError`` for a score that is not finite or beyond ``largestScore``, or a group outside `0..<groupCount`.
    public init(_ scores: [Double], groups: [Int], groupCount: Int) throws {
        precondition(scores.count == groups.count, "\(scores.count) scores, \(groups.count) groups")
        self.init(groupCount: groupCount)
        for (row, (score, group)) in zip(scores, groups).enumerated() {
            guard score.isFinite else { throw FairnessError.notFinite(row: row, value: score) }
            guard abs(score) <= largestScore else { throw FairnessError.tooLarge(row: row, value: score) }
            if group == unknownGroup {
                unknownCount += 1
            } else if counts.indices.contains(group) {
                counts[group] += 1
                sums[group] += score
            } else {
                throw FairnessError.groupOutOfRange(row: row, group: group, groupCount: groupCount)
            }
        }
    }

    public mutating func merge(_ other: GroupSums) {
        precondition(other.counts.count == counts.count, "merging sums of \(other.counts.count) groups into \(counts.count)")
        for k in counts.indices {
            counts[k] += other.counts[k]
            sums[k] += other.sums[k]
        }
        unknownCount += other.unknownCount
    }

    /// The same rows with other scores: sums anew, counts as they are.
    mutating func replaceSums(_ scores: [Double], groups: [Int]) {
        for k in sums.indices { sums[k] = 0 }
        for row in scores.indices where groups[row] != unknownGroup { sums[groups[row]] += scores[row] }
    }

    /// Whether sums read from a file can be those of `groupCount` groups.
    func isPossible(_ groupCount: Int) -> Bool {
        counts.count == groupCount && sums.count == groupCount && counts.allSatisfy { $0 >= 0 } && sums.allSatisfy(\.isFinite)
            && unknownCount >= 0
    }

    public var groupCount: Int { counts.count }
    public var knownCount: Int { counts.reduce(0, +) }

    /// Groups that have samples, ascending.
    public var present: [Int] { counts.indices.filter { counts[$0] > 0 } }

    /// Mean score per group, nil where a group is absent.
    public var means: [Double?] { zip(counts, sums).map { $0 > 0 ? $1 / Double($0) : nil } }

    /// Largest minus smallest group mean ("mean-logit gap"), 0 with fewer than two groups. Units: logits.
    public var gap: Double {
        let known = means.compactMap { $0 }
        guard let low = known.min(), let high = known.max() else { return 0 }
        return high - low
    }
}

/// The largest magnitude of a score: finite scores beyond it could overflow in sums and squares and come out as NaN.
package let largestScore = 1e100

/// What makes a batch of scores unusable; nothing is emitted for it.
public enum FairnessError: Error, Equatable, CustomStringConvertible {
    case notFinite(row: Int, value: Double)
    case tooLarge(row: Int, value: Double)
    case groupOutOfRange(row: Int, group: Int, groupCount: Int)

    public var description: String {
        switch self {
        case .notFinite(let row, let value):
            "score \(value) in row \(row) of the batch is not a finite number; remove the row or repair the model that made it"
        case .tooLarge(let row, let value):
            "score \(value) in row \(row) of the batch is larger than \(largestScore); no logit is, so repair the model that made it"
        case .groupOutOfRange(let row, let group, let groupCount):
            "group \(group) in row \(row) of the batch is outside 0..<\(groupCount); use \(unknownGroup) for an unknown group"
        }
    }
}
