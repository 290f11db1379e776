// Simultaneous intervals for differences of mean logits between groups. Counts do not hold means, so these are drawn from the
// groups' means and variances: each mean normal about its value, each variance with its chi-square error, variances unequal.
// The largest studentised difference over pairs gives the quantile, as for the counts. Exact for normal scores up to the estimated
// variances, and by the central limit theorem for others once groups have some tens of rows.
//
// Source: Krishnamoorthy, Lu and Mathew, A parametric bootstrap approach for ANOVA with unequal variances,
// Comput. Stat. Data Anal. 51 (2007); pairs studentised as in the Games-Howell procedure.

public struct MeanBootstrap: Sendable {
    private let names: [String]
    private let means: [Double]
    /// Squared standard error per group.
    private let variances: [Double]
    /// Groups with samples but no interval, and why.
    public let missing: [String]
    /// Sorted largest |t| per draw.
    private let statistics: [Double]
    private let confidence: Double

    /// Undefined logits make the result empty, with the reason in ``missing``.
    public init(_ frame: MetricFrame, confidence: Double = 0.95, draws: Int = 10_000, seed: UInt64 = 0) {
        precondition(confidence > 0 && confidence < 1 && draws >= 1, "confidence \(confidence), \(draws) draws")
        self.confidence = confidence
        var names: [String] = [], means: [Double] = [], variances: [Double] = [], degrees: [Int] = [], missing: [String] = []
        for k in frame.present {
            let counts = frame.tally.groups[k]
            let value = Metric.meanLogit.value(counts)
            guard let mean = value.value else {
                missing.append("\(frame.groupNames[k]): \(value.reason ?? "undefined")")
                continue
            }
            guard counts.count > 1 else {
                missing.append("\(frame.groupNames[k]): one row has no variance")
                continue
            }
            names.append(frame.groupNames[k])
            means.append(mean)
            variances.append(frame.tally.squaredDeviations[k] / Double(counts.count - 1) / Double(counts.count))
            degrees.append(counts.count - 1)
        }
        (self.names, self.means, self.variances, self.missing) = (names, means, variances, missing)
        var random = SampleRandom(seed: seed, stream: 2)
        var statistics: [Double] = []
        if names.count > 1 {
            var shift = means, variance = means
            for _ in 0..<draws {
                for k in means.indices {
                    shift[k] = random.normal() * variances[k].squareRoot()
                    variance[k] = variances[k] * random.varianceRatio(degrees[k])
                }
                var largest = 0.0
                for i in means.indices {
                    for j in means.indices.dropFirst(i + 1) where variance[i] + variance[j] > 0 {
                        let difference = shift[i] - shift[j]
                        largest = max(largest, difference * difference / (variance[i] + variance[j]))
                    }
                }
                statistics.append(largest.squareRoot())
            }
        }
        self.statistics = statistics.sorted()
    }

    public var pairs: [PairInterval] {
        guard !statistics.isEmpty else { return [] }
        let critical = statistics[min(statistics.count, Int((Double(statistics.count + 1) * confidence).rounded(.up))) - 1]
        var pairs: [PairInterval] = []
        for i in means.indices {
            for j in means.indices.dropFirst(i + 1) {
                let difference = means[i] - means[j]
                let half = critical * (variances[i] + variances[j]).squareRoot()
                pairs.append(
                    PairInterval(
                        first: names[i], second: names[j], metric: .meanLogit, difference: difference, lower: difference - half,
                        upper: difference + half))
            }
        }
        return pairs
    }

    /// How often draws without any gap show one as large as the observed, in standard errors. nil with fewer than two groups.
    public var pValue: Double? {
        guard !statistics.isEmpty else { return nil }
        var observed = 0.0
        for i in means.indices {
            for j in means.indices.dropFirst(i + 1) {
                let difference = means[i] - means[j], variance = variances[i] + variances[j]
                if difference != 0 { observed = max(observed, variance > 0 ? difference * difference / variance : .infinity) }
            }
        }
        let t = observed.squareRoot()
        let larger = statistics.count { $0 >= t }
        return Double(larger + 1) / Double(statistics.count + 1)
    }
}
