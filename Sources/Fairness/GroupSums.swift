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
    /// Errors: ``FairnessError`` for a score that is not finite or beyond `largestScore`, or a group outside `0..<groupCount`.
    public init(_ scores: [Double], groups: [Int], groupCount: Int) throws {
        precondition(scores.count == groups.count, "\(scores.count) scores, \(groups.count) groups")
        self.init(groupCount: groupCount)
        // One pass; which row was not valid is looked up only where one was not.
        let isValid = scores.withUnsafeBufferPointer { scores in
            groups.withUnsafeBufferPointer { groups in
                sums.withUnsafeMutableBufferPointer { sums in
                    counts.withUnsafeMutableBufferPointer { counts in
                        for row in scores.indices {
                            let (score, group) = (scores[row], groups[row])
                            // False for NaN too.
                            guard abs(score) <= largestScore && group >= unknownGroup && group < groupCount else { return false }
                            if group >= 0 {
                                counts[group] += 1
                                sums[group] += score
                            }
                        }
                        return true
                    }
                }
            }
        }
        guard isValid else { throw Self.firstError(scores, groups: groups, groupCount: groupCount) }
        unknownCount = scores.count - knownCount
    }

    private static func firstError(_ scores: [Double], groups: [Int], groupCount: Int) -> FairnessError {
        for (row, (score, group)) in zip(scores, groups).enumerated() {
            if !score.isFinite { return .notFinite(row: row, value: score) }
            if abs(score) > largestScore { return .tooLarge(row: row, value: score) }
            if group < unknownGroup || group >= groupCount { return .groupOutOfRange(row: row, group: group, groupCount: groupCount) }
        }
        preconditionFailure("called for a batch without an error")
    }

    /// Adds rows that are known to be valid; a negative group is unknown.
    mutating func add(_ scores: [Double], groups: [Int]) {
        sums.withUnsafeMutableBufferPointer { sums in
            counts.withUnsafeMutableBufferPointer { counts in
                for (score, group) in zip(scores, groups) {
                    if group >= 0 {
                        counts[group] += 1
                        sums[group] += score
                    } else {
                        unknownCount += 1
                    }
                }
            }
        }
    }

    /// Mean score per group, 0 where a group is absent.
    var plainMeans: [Double] {
        var means = sums
        for k in means.indices { means[k] = counts[k] > 0 ? sums[k] / Double(counts[k]) : 0 }
        return means
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

    mutating func addToSum(of group: Int, _ amount: Double) { sums[group] += amount }

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

/// The rows of each group, in order.
struct GroupRows {
    private var order: [Int]
    private var starts: [Int]

    init(_ groups: [Int], _ counts: [Int]) {
        starts = [0]
        starts.reserveCapacity(counts.count + 1)
        for count in counts { starts.append(starts.last! + count) }
        var next = starts
        order = Array(repeating: 0, count: starts.last!)
        for (row, group) in groups.enumerated() where group != unknownGroup {
            order[next[group]] = row
            next[group] += 1
        }
    }

    subscript(group: Int) -> ArraySlice<Int> { order[starts[group]..<starts[group + 1]] }
}

/// The largest magnitude of a score: finite scores beyond it could overflow in sums and squares and come out as NaN.
package let largestScore = 1e100

/// What makes a batch of scores unusable; nothing is emitted for it.
public enum FairnessError: Error, Equatable, CustomStringConvertible {
    case notFinite(row: Int, value: Double)
    case tooLarge(row: Int, value: Double)
    case groupOutOfRange(row: Int, group: Int, groupCount: Int)
    /// A criterion's label is neither 0 nor 1 (or, for residuals, not a number).
    case badLabel(row: Int, value: Double)
    /// The batch lacks what the criterion compares.
    case missing(String, Criterion)
    /// Custom rows that no scores satisfy together.
    case contradiction(rows: [String])
    case unsupported(String)

    public var description: String {
        switch self {
        case .notFinite(let row, let value):
            "score \(value) in row \(row) of the batch is not a finite number; remove the row or repair the model that made it"
        case .tooLarge(let row, let value):
            "score \(value) in row \(row) of the batch is larger than \(largestScore); no logit is, so repair the model that made it"
        case .groupOutOfRange(let row, let group, let groupCount):
            "group \(group) in row \(row) of the batch is outside 0..<\(groupCount); use \(unknownGroup) for an unknown group"
        case .badLabel(let row, let value):
            "label \(value) in row \(row) of the batch is neither 0 nor 1; leave it out where it is unknown"
        case .missing(let what, let criterion):
            "\(criterion.rawValue) needs \(what), and the batch has none"
        case .contradiction(let rows):
            "no scores satisfy these rows together: \(rows.joined(separator: ", ")); loosen the limit of one of them or drop it"
        case .unsupported(let reason): reason
        }
    }
}
