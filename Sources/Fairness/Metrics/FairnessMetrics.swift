// Single numbers that say how unequal groups are treated. Scores and decisions never share a name: parity of one says nothing
// about the other.

extension MetricFrame {
    /// Largest difference of mean logits between groups: the paper's constraint. Says nothing about decisions.
    public var meanLogitGap: MetricValue { difference(.meanLogit) }

    /// Largest difference of selection rates: fairlearn's `demographic_parity_difference`. Says nothing about scores.
    public var demographicParityDifference: MetricValue { difference(.selectionRate) }
    public var demographicParityRatio: MetricValue { ratio(.selectionRate) }

    /// The larger of the differences of TPR and FPR: fairlearn's `equalized_odds_difference`.
    public var equalizedOddsDifference: MetricValue {
        both(difference(.truePositiveRate), difference(.falsePositiveRate), max)
    }
    /// The smaller of the ratios of TPR and FPR: fairlearn's `equalized_odds_ratio`.
    public var equalizedOddsRatio: MetricValue { both(ratio(.truePositiveRate), ratio(.falsePositiveRate), min) }

    public var equalOpportunityDifference: MetricValue { difference(.truePositiveRate) }
    public var equalOpportunityRatio: MetricValue { ratio(.truePositiveRate) }
    public var worstGroupAccuracy: MetricValue { groupMin(.accuracy) }

    /// Standard deviation of a metric over the groups that have samples, dividing by their number: they are all there are.
    public func standardDeviation(_ metric: Metric) -> MetricValue {
        if let missing = [groupMin(metric)].first(where: { $0.value == nil }) { return missing }
        let values = present.compactMap { metric.value(tally.groups[$0]).value }
        let mean = values.reduce(0, +) / Double(values.count)
        return .defined((values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(values.count)).squareRoot())
    }

    /// Mean absolute difference of mean logits over pairs, and how many pairs exceed the tolerance.
    public func pairwiseGaps(tolerance: Double) -> (mean: Double?, violated: Int, pairs: Int) {
        let means = present.compactMap { Metric.meanLogit.value(tally.groups[$0]).value }
        var total = 0.0, violated = 0, pairs = 0
        for i in means.indices {
            for j in means[(i + 1)...] {
                let gap = abs(means[i] - j)
                total += gap
                violated += gap > tolerance ? 1 : 0
                pairs += 1
            }
        }
        return (pairs > 0 ? total / Double(pairs) : nil, violated, pairs)
    }

    private func both(_ a: MetricValue, _ b: MetricValue, _ choose: (Double, Double) -> Double) -> MetricValue {
        guard let first = a.value, let second = b.value else { return a.value == nil ? a : b }
        return .defined(choose(first, second))
    }
}
