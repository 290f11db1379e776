// Simultaneous intervals for differences of rates between groups, from resampled counts of group × label × decision.
//
// A draw is one multinomial of all rows over these cells. For every pair of groups the difference is studentised with the standard
// error of its own draw; the quantile of the largest |t| over pairs makes the intervals of all pairs hold together. Rates enter with
// one success and one failure added (Agresti and Caffo): a group of three rows that were all selected must not look certain.
import Foundation

public struct CountBootstrap: Sendable {
    /// Which rates are compared; a family's intervals hold together.
    public enum Family: String, CaseIterable, Codable, Sendable {
        case demographicParity = "demographic_parity_difference"
        case equalOpportunity = "equal_opportunity_difference"
        case equalizedOdds = "equalized_odds_difference"
        case accuracy = "accuracy_difference"

        var metrics: [Metric] {
            switch self {
            case .demographicParity: [.selectionRate]
            case .equalOpportunity: [.truePositiveRate]
            case .equalizedOdds: [.truePositiveRate, .falsePositiveRate]
            case .accuracy: [.accuracy]
            }
        }
    }

    public let confidence: Double
    public let draws: Int
    public let seed: UInt64
    private let matrices: [ConfusionMatrix]
    /// Groups that have samples.
    private let present: [Int]
    private let names: [String]
    /// Sorted largest |t| per draw, for each family.
    private let statistics: [Family: [Double]]

    /// `families` are those for which ``intervals(_:)`` will be asked.
    public init(_ frame: MetricFrame, families: [Family] = Family.allCases, confidence: Double = 0.95, draws: Int = 10_000, seed: UInt64 = 0) {
        precondition(confidence > 0 && confidence < 1 && draws >= 1, "confidence \(confidence), \(draws) draws")
        (self.confidence, self.draws, self.seed) = (confidence, draws, seed)
        let matrices = frame.confusionByGroup, present = frame.present
        (self.matrices, self.present, names) = (matrices, present, frame.groupNames)
        let groups = present.map { matrices[$0] }
        var resampler = MatrixResampler(groups)
        let truths = families.map { $0.metrics.map { resampler.rates($0) } }
        let known = families.map { $0.metrics.map { RateTable($0, groups).trials.map { $0 > 0 } } }
        var results = Array(repeating: [Double](), count: families.count)
        if groups.count > 1 {
            var random = SampleRandom(seed: seed, stream: 1)
            for index in families.indices { results[index].reserveCapacity(draws) }
            for _ in 0..<draws {
                let drawn = resampler.draw(&random)
                for (index, family) in families.enumerated() {
                    var largest = 0.0
                    for (position, metric) in family.metrics.enumerated() {
                        let rates = SmoothedRates(RateTable(metric, drawn))
                        largest = max(largest, rates.largestSquaredDeviation(from: truths[index][position], known: known[index][position]))
                    }
                    results[index].append(largest.squareRoot())
                }
            }
        }
        statistics = Dictionary(uniqueKeysWithValues: zip(families, results.map { $0.sorted() }))
    }

    /// The intervals of all pairs of groups that have a rate; groups without (no positive samples) are named in `missing`.
    public func intervals(_ family: Family) -> (pairs: [PairInterval], missing: [String]) {
        guard let sorted = statistics[family] else { preconditionFailure("no draws were made for \(family.rawValue)") }
        // Never below the quantile for one pair: tiny groups have so few outcomes that the draws' own quantile may lie under it.
        let critical = max(
            normalQuantile(0.5 + confidence / 2),
            sorted.isEmpty ? 0 : sorted[min(sorted.count, Int((Double(sorted.count + 1) * confidence).rounded(.up))) - 1])
        var pairs: [PairInterval] = [], missing: [String] = []
        for metric in family.metrics {
            let table = RateTable(metric, present.map { matrices[$0] })
            let rates = SmoothedRates(table)
            for i in present.indices {
                guard table.trials[i] > 0 else {
                    missing.append("\(names[present[i]]): no \(metric == .falsePositiveRate ? "negative" : metric == .accuracy ? "labelled" : "positive") samples")
                    continue
                }
                for j in present.indices.dropFirst(i + 1) where table.trials[j] > 0 {
                    let centre = rates.rate[i] - rates.rate[j]
                    let half = critical * (rates.variance[i] + rates.variance[j]).squareRoot()
                    pairs.append(
                        PairInterval(
                            first: names[present[i]], second: names[present[j]], metric: metric,
                            difference: Double(table.successes[i]) / Double(table.trials[i]) - Double(table.successes[j]) / Double(table.trials[j]),
                            lower: max(-1, centre - half), upper: min(1, centre + half)))
                }
            }
        }
        return (pairs, missing)
    }
}

/// (k + 1) / (n + 2) per group, and the variance of that estimate.
private struct SmoothedRates {
    var rate: [Double]
    var variance: [Double]

    init(_ table: RateTable) {
        rate = zip(table.successes, table.trials).map { Double($0 + 1) / Double($1 + 2) }
        variance = zip(rate, table.trials).map { $0 * (1 - $0) / Double($1 + 2) }
    }

    /// Largest squared t of the pairs' differences against the true ones.
    func largestSquaredDeviation(from truth: [Double], known: [Bool]) -> Double {
        var largest = 0.0
        for i in rate.indices where known[i] {
            let shift = rate[i] - truth[i]
            for j in (i + 1)..<rate.count where known[j] {
                let deviation = shift - (rate[j] - truth[j])
                largest = max(largest, deviation * deviation / (variance[i] + variance[j]))
            }
        }
        return largest
    }
}

/// Draws confusion matrices of the same total as the observed ones.
private struct MatrixResampler {
    private let count: Int
    /// Expected rows per cell, six cells a group: TP, FN, FP, TN, selected and rejected without label.
    private let cells: [Double]
    /// Probability of each cell among those from it on.
    private let conditional: [Double]
    private var drawn: [ConfusionMatrix]

    init(_ matrices: [ConfusionMatrix]) {
        count = matrices.reduce(0) { $0 + $1.count }
        drawn = matrices
        // Within a group's labels, decisions are drawn with the smoothed rate, for the reason given at the top.
        var cells: [Double] = []
        for m in matrices {
            for (selected, rejected) in [
                (m.truePositives, m.falseNegatives), (m.falsePositives, m.trueNegatives), (m.unlabelledSelected, m.unlabelledRejected),
            ] {
                let total = Double(selected + rejected)
                let rate = (Double(selected) + 1) / (total + 2)
                cells += [total * rate, total * (1 - rate)]
            }
        }
        self.cells = cells
        // From the last cell that can be drawn backwards, so that it takes all that is left whatever the rounding.
        var conditional = cells, rest = 0.0
        for index in cells.indices.reversed() {
            rest += cells[index]
            conditional[index] = rest > 0 ? cells[index] / rest : 0
        }
        self.conditional = conditional
    }

    /// The rates that the draws scatter around.
    func rates(_ metric: Metric) -> [Double] {
        stride(from: 0, to: cells.count, by: 6).map { first in
            let c = Array(cells[first..<first + 6])
            let (successes, trials) =
                switch metric {
                case .selectionRate: (c[0] + c[2] + c[4], c.reduce(0, +))
                case .truePositiveRate: (c[0], c[0] + c[1])
                case .falsePositiveRate: (c[2], c[2] + c[3])
                case .accuracy: (c[0] + c[3], c[0] + c[1] + c[2] + c[3])
                default: preconditionFailure("\(metric.rawValue) is no quotient of counts")
                }
            return trials > 0 ? successes / trials : 0
        }
    }

    mutating func draw(_ random: inout SampleRandom) -> [ConfusionMatrix] {
        var left = count, next = 0
        func take() -> Int {
            defer { next += 1 }
            let number = random.binomial(left, conditional[next])
            left -= number
            return number
        }
        for k in drawn.indices {
            drawn[k].truePositives = take()
            drawn[k].falseNegatives = take()
            drawn[k].falsePositives = take()
            drawn[k].trueNegatives = take()
            drawn[k].unlabelledSelected = take()
            drawn[k].unlabelledRejected = take()
        }
        return drawn
    }
}
