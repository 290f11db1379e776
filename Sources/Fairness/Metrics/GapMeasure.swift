// One gap, said in full: its value, how sure that is, and the verdict against a tolerance.

/// What can be tolerated, gated and reported. Scores and decisions are measured apart: parity of one implies nothing about the other.
public enum Measure: String, CaseIterable, Codable, Sendable {
    case meanLogitGap = "mean_logit_gap"
    case demographicParityDifference = "demographic_parity_difference"
    case equalOpportunityDifference = "equal_opportunity_difference"
    case equalizedOddsDifference = "equalized_odds_difference"
    case accuracyDifference = "accuracy_difference"

    /// The word for flags: `mean-logit`, `demographic-parity`, …
    public var flag: String {
        switch self {
        case .meanLogitGap: "mean-logit"
        case .demographicParityDifference: "demographic-parity"
        case .equalOpportunityDifference: "equal-opportunity"
        case .equalizedOddsDifference: "equalized-odds"
        case .accuracyDifference: "accuracy"
        }
    }

    public init?(flag: String) {
        guard let measure = Measure.allCases.first(where: { $0.flag == flag }) else { return nil }
        self = measure
    }

    /// nil for the one measure of scores.
    var family: CountBootstrap.Family? { CountBootstrap.Family(rawValue: rawValue) }

    func value(_ frame: MetricFrame) -> MetricValue {
        switch self {
        case .meanLogitGap: frame.meanLogitGap
        case .demographicParityDifference: frame.demographicParityDifference
        case .equalOpportunityDifference: frame.equalOpportunityDifference
        case .equalizedOddsDifference: frame.equalizedOddsDifference
        case .accuracyDifference: frame.difference(.accuracy)
        }
    }
}

/// A measure of one table.
public struct GapMeasure: Codable, Equatable, Sendable {
    public var measure: Measure
    /// The largest gap over pairs in this table.
    public var value: MetricValue
    /// With the stated confidence, the largest gap in the population that the rows were drawn from lies between these; undefined
    /// where no pair has an interval. A bootstrap of the largest gap itself would lie too high, so it is not used.
    public var lower: MetricValue
    public var upper: MetricValue
    /// Of the test for any gap at all.
    public var pValue: MetricValue
    public var tolerance: Double?
    /// nil without a tolerance.
    public var verdict: Verdict?
    public var pairs: [PairInterval]
    /// Groups with rows but no interval, and why.
    public var missing: [String]
}

/// How sure an audit is to be.
public struct IntervalSettings: Codable, Equatable, Sendable {
    public var confidence: Double
    /// Resamples, and shuffles of the permutation test.
    public var draws: Int
    public var seed: UInt64

    public init(confidence: Double = 0.95, draws: Int = 10_000, seed: UInt64 = 0) {
        (self.confidence, self.draws, self.seed) = (confidence, draws, seed)
    }
}

extension MetricFrame {
    /// All measures with their intervals, tests and verdicts.
    public func gaps(tolerances: [Measure: Double] = [:], settings: IntervalSettings = IntervalSettings()) -> [GapMeasure] {
        let isDecided = tally.overall.undecided == 0
        let counts = CountBootstrap(
            self, families: isDecided ? CountBootstrap.Family.allCases : [], confidence: settings.confidence, draws: settings.draws,
            seed: settings.seed)
        let means = MeanBootstrap(self, confidence: settings.confidence, draws: settings.draws, seed: settings.seed)
        return Measure.allCases.map { measure in
            let value = measure.value(self)
            let pairs: [PairInterval], missing: [String]
            let pValue: Double?
            if let family = measure.family {
                (pairs, missing) = isDecided ? counts.intervals(family) : ([], ["\(tally.overall.undecided) rows have no decision"])
                pValue = isDecided ? PermutationTest.pValue(self, family, draws: settings.draws, seed: settings.seed) : nil
            } else {
                (pairs, missing) = (means.pairs, means.missing)
                pValue = means.pValue
            }
            let reason = missing.first ?? "fewer than two groups have rows"
            func limit(_ values: [Double]) -> MetricValue { values.max().map(MetricValue.defined) ?? .undefined(reason) }
            let tolerance = tolerances[measure]
            return GapMeasure(
                measure: measure, value: value, lower: limit(pairs.map(\.lowerGap)),
                upper: missing.isEmpty ? limit(pairs.map(\.upperGap)) : .undefined(reason),
                pValue: pValue.map(MetricValue.defined) ?? .undefined(reason), tolerance: tolerance,
                verdict: tolerance.map { Verdict(pairs, tolerance: $0, isComplete: missing.isEmpty && !pairs.isEmpty) },
                pairs: pairs, missing: missing)
        }
    }
}
