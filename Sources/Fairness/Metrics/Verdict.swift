// What the data allow to say about a gap.

public enum Verdict: String, Codable, CaseIterable, Sendable {
    /// Every pair's interval lies within the tolerance.
    case pass
    /// Some pair's interval lies beyond it.
    case fail
    /// Neither: the intervals are too wide, or some group has no value.
    case insufficientData = "insufficient_data"

    /// - Parameter isComplete: whether every pair of groups that has samples has an interval; a missing one can only be a `fail`
    ///   by the others.
    init(_ pairs: [PairInterval], tolerance: Double, isComplete: Bool) {
        if pairs.contains(where: { $0.lowerGap > tolerance }) {
            self = .fail
        } else {
            self = isComplete && pairs.allSatisfy { $0.upperGap <= tolerance } ? .pass : .insufficientData
        }
    }
}

/// A difference between two groups with its interval; simultaneous with the other pairs of the same measure.
public struct PairInterval: Codable, Equatable, Sendable {
    /// Names of the groups; the difference is first − second.
    public var first: String
    public var second: String
    /// The rate that differs, where a measure speaks of two (equalized odds).
    public var metric: Metric
    public var difference: Double
    public var lower: Double
    public var upper: Double

    /// The least and the largest absolute difference within the interval.
    public var lowerGap: Double { max(0, lower, -upper) }
    public var upperGap: Double { max(abs(lower), abs(upper)) }
}

/// Rows of successes out of trials, one per group.
struct RateTable {
    let metric: Metric
    var successes: [Int]
    var trials: [Int]

    init(_ metric: Metric, _ matrices: [ConfusionMatrix]) {
        self.metric = metric
        switch metric {
        case .selectionRate: (successes, trials) = (matrices.map(\.selected), matrices.map(\.count))
        case .truePositiveRate: (successes, trials) = (matrices.map(\.truePositives), matrices.map(\.positives))
        case .falsePositiveRate: (successes, trials) = (matrices.map(\.falsePositives), matrices.map(\.negatives))
        case .accuracy: (successes, trials) = (matrices.map(\.right), matrices.map(\.labelled))
        default: preconditionFailure("\(metric.rawValue) is no quotient of counts")
        }
    }
}

/// Wilson's score interval of one rate; nil without trials. Not simultaneous with anything.
public func wilsonInterval(successes: Int, trials: Int, confidence: Double) -> (lower: Double, upper: Double)? {
    guard trials > 0 else { return nil }
    let z = normalQuantile(0.5 + confidence / 2)
    let n = Double(trials), p = Double(successes) / n
    let centre = (p + z * z / (2 * n)) / (1 + z * z / n)
    let half = z / (1 + z * z / n) * (p * (1 - p) / n + z * z / (4 * n * n)).squareRoot()
    return (successes == 0 ? 0 : max(0, centre - half), successes == trials ? 1 : min(1, centre + half))
}
