// fairlearn's view of a metric: overall, by group, and how far the groups are apart.

/// Every ``Metric`` overall and per group. The unknown group has its row but no part in differences.
///
/// A group without samples takes no part in minima, maxima, differences and ratios; a group that has samples but no value makes
/// them undefined. (fairlearn reports 0 for such a group.)
/// Source: fairlearn.metrics.MetricFrame.
public struct MetricFrame: Sendable {
    let tally: Tally
    /// For reasons; `group 3` where no names were given.
    public let groupNames: [String]

    public init(_ predictions: Predictions, groupCount: Int, groupNames: [String]? = nil, threshold: Double = 0.5) {
        precondition(groupNames == nil || groupNames!.count == groupCount, "names of another number of groups")
        tally = Tally(predictions, groupCount: groupCount, threshold: threshold)
        self.groupNames = groupNames ?? (0..<groupCount).map { "group \($0)" }
    }

    public var groupCount: Int { tally.groups.count }
    public func overall(_ metric: Metric) -> MetricValue { metric.value(tally.overall) }
    public func byGroup(_ metric: Metric) -> [MetricValue] { tally.groups.map(metric.value) }
    public func unknown(_ metric: Metric) -> MetricValue { metric.value(tally.unknown) }

    public var confusion: ConfusionMatrix { tally.overall.confusion }
    public var confusionByGroup: [ConfusionMatrix] { tally.groups.map(\.confusion) }
    public var confusionOfUnknown: ConfusionMatrix { tally.unknown.confusion }

    /// Smallest and largest value over groups with samples; undefined if any of them is.
    public func groupMin(_ metric: Metric) -> MetricValue { extreme(metric, <) }
    public func groupMax(_ metric: Metric) -> MetricValue { extreme(metric, >) }

    /// `groupMax − groupMin`; 0 is parity. (fairlearn: `difference(method="between_groups")`.)
    public func difference(_ metric: Metric) -> MetricValue { combine(metric) { $0 - $1 } }

    /// `groupMin / groupMax`; 1 is parity.
    public func ratio(_ metric: Metric) -> MetricValue {
        if metric == .meanLogit { return .undefined("logits have no ratio: 0 is no special value of theirs") }
        guard groupMax(metric).value != 0 else { return .undefined("the largest group value is 0") }
        return combine(metric) { $1 / $0 }
    }

    /// Numbers of the groups that have samples.
    public var present: [Int] { tally.groups.indices.filter { tally.groups[$0].count > 0 } }

    private func extreme(_ metric: Metric, _ better: (Double, Double) -> Bool) -> MetricValue {
        var best: Double?
        for k in present {
            let value = metric.value(tally.groups[k])
            guard let number = value.value else { return .undefined("\(groupNames[k]): \(value.reason ?? "undefined")") }
            if best.map({ better(number, $0) }) ?? true { best = number }
        }
        return best.map(MetricValue.defined) ?? .undefined("no group has samples")
    }

    private func combine(_ metric: Metric, _ operation: (Double, Double) -> Double) -> MetricValue {
        let (high, low) = (groupMax(metric), groupMin(metric))
        guard let high = high.value, let low = low.value else { return high.value == nil ? high : low }
        return .defined(operation(high, low))
    }
}
