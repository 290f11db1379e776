// Metrics against fairlearn, and what is undefined.
import Fairness
import Foundation
import TestSupport
import Testing

private struct Table: Decodable {
    struct Row: Decodable {
        let overall: Double, byGroup: [Double], groupMin: Double, groupMax: Double, difference: Double, ratio: Double
    }
    let groupCount: Int
    let groups: String
    let labels: String
    let metrics: [String: Row]
    let aggregates: [String: Double]
}

struct MetricFrameTests {
    @Test func agreesWithFairlearn() throws {
        let table = try JSONDecoder().decode(Table.self, from: Fixture.data("fairness_metrics.json"))
        let groups = parseGroups(table.groups)
        let frame = MetricFrame(
            Predictions(
                scores: groups.indices.map { dyadic(7, $0, 0) }, labels: table.labels.utf8.map { Int($0) - 48 }, groups: groups),
            groupCount: table.groupCount)
        #expect(table.metrics.count == 11)
        for (name, row) in table.metrics {
            let metric = try #require(Metric(rawValue: name))
            expectClose(frame.overall(metric).value!, row.overall, atol: 1e-12, name)
            expectClose(frame.byGroup(metric).map { $0.value! }, row.byGroup, atol: 1e-12, name)
            expectClose(frame.groupMin(metric).value!, row.groupMin, atol: 1e-12, name)
            expectClose(frame.groupMax(metric).value!, row.groupMax, atol: 1e-12, name)
            expectClose(frame.difference(metric).value!, row.difference, atol: 1e-12, name)
            if metric != .meanLogit { expectClose(frame.ratio(metric).value!, row.ratio, atol: 1e-12, name) }
        }
        let aggregates = [
            "demographic_parity_difference": frame.demographicParityDifference, "demographic_parity_ratio": frame.demographicParityRatio,
            "equalized_odds_difference": frame.equalizedOddsDifference, "equal_opportunity_difference": frame.equalOpportunityDifference,
        ]
        #expect(Set(aggregates.keys) == Set(table.aggregates.keys))
        for (name, value) in aggregates { expectClose(value.value!, table.aggregates[name]!, atol: 1e-12, name) }
        expectClose(frame.worstGroupAccuracy.value!, table.metrics["accuracy"]!.groupMin, atol: 1e-12)
        expectClose(frame.meanLogitGap.value!, table.metrics["mean_logit"]!.difference, atol: 1e-12)
    }

    @Test func pairs() {
        let frame = MetricFrame(Predictions(scores: [0, 1, 3], labels: [nil, nil, nil], groups: [0, 1, 3]), groupCount: 4)
        let gaps = frame.pairwiseGaps(tolerance: 1)
        #expect(gaps.mean == 2 && gaps.violated == 2 && gaps.pairs == 3)
        #expect(MetricFrame(Predictions(scores: [0], labels: [nil], groups: [0]), groupCount: 2).pairwiseGaps(tolerance: 1).mean == nil)
    }

    @Test func undefinedHasAReason() {
        // Group 0: both labels; group 1: negatives only; group 2: absent; one unlabelled row in group 3.
        let frame = MetricFrame(
            Predictions(scores: [1, -1, 2, 0.5], labels: [1, 0, 0, nil], groups: [0, 0, 1, 3]), groupCount: 4)
        let rates = frame.byGroup(.truePositiveRate)
        #expect(rates[0] == .defined(1) && rates[1] == .undefined("no positive samples"))
        #expect(frame.byGroup(.selectionRate)[2] == .undefined("no samples"))
        #expect(frame.byGroup(.accuracy)[3] == .undefined("no labelled samples"))
        #expect(frame.byGroup(.bce)[3].reason == "no labelled samples")
        #expect(frame.byGroup(.balancedAccuracy)[1] == .undefined("no positive samples"))
        #expect(frame.byGroup(.falsePositiveRate).map(\.value) == [0, 1, nil, nil])
        // An absent group has no part in differences; a present one without a value makes them undefined.
        #expect(frame.difference(.selectionRate).value == 0.5)
        #expect(frame.equalOpportunityDifference == .undefined("group 1: no positive samples"))
        #expect(frame.ratio(.meanLogit).value == nil && frame.byGroup(.precision)[0] == .defined(1))
        #expect(frame.byGroup(.auc) == [.defined(1), .undefined("no positive samples"), .undefined("no positive samples"), .undefined("no positive samples")])
        #expect(frame.equalizedOddsDifference.value == nil && frame.worstGroupAccuracy.value == nil)
        #expect(frame.byGroup(.count).map(\.value) == [2, 1, 0, 1])
    }

    @Test func emptyTable() {
        let frame = MetricFrame(Predictions(), groupCount: 2)
        #expect(frame.overall(.accuracy) == .undefined("no labelled samples"))
        #expect(frame.difference(.meanLogit) == .undefined("no group has samples"))
        #expect(frame.overall(.count) == .defined(0))
    }

    @Test func unknownIsARowOfItsOwn() {
        let frame = MetricFrame(Predictions(scores: [1, 1, -9], labels: [1, 1, 1], groups: [0, 1, unknownGroup]), groupCount: 2)
        #expect(frame.unknown(.accuracy) == .defined(0) && frame.unknown(.count) == .defined(1))
        #expect(frame.difference(.accuracy) == .defined(0) && frame.meanLogitGap == .defined(0))
        expectClose(frame.overall(.accuracy).value!, 2.0 / 3, atol: 1e-15)
    }

    @Test func ratioOfZeros() {
        let frame = MetricFrame(Predictions(scores: [-1, -1], labels: [0, 0], groups: [0, 1]), groupCount: 2)
        #expect(frame.demographicParityRatio == .undefined("the largest group value is 0"))
        #expect(frame.demographicParityDifference == .defined(0))
    }

    @Test func scoresThatAreNoNumbersLeaveMetricsUndefined() {
        let frame = MetricFrame(Predictions(scores: [1, .nan, 2], labels: [1, 1, 0], groups: [0, 0, 1]), groupCount: 2)
        #expect(frame.overall(.accuracy) == .undefined("1 row has no decision"))
        #expect(frame.overall(.meanLogit) == .undefined("1 row has no finite logit"))
        #expect(frame.byGroup(.accuracy)[1] == .defined(0) && frame.overall(.count) == .defined(3))
    }

    @Test func decisionsOfOthersAndProbabilities() {
        var p = Predictions(scores: [.nan, .nan, .nan, .nan], labels: [1, 0, 1, nil], groups: [0, 0, 1, 1])
        p.decisions = [1, 1, 0, 1]
        var frame = MetricFrame(p, groupCount: 2)
        #expect(frame.byGroup(.selectionRate) == [.defined(1), .defined(0.5)] && frame.byGroup(.accuracy) == [.defined(0.5), .defined(0)])
        #expect(frame.overall(.meanLogit).value == nil && frame.overall(.auc) == .undefined("some rows have no score"))
        let matrix = frame.confusionByGroup[1]
        #expect(matrix.falseNegatives == 1 && matrix.unlabelledSelected == 1 && matrix.count == 2 && matrix.labelled == 1)
        // Probabilities of 0 and 1 have no logit, but they are ranked, averaged and decided.
        p = Predictions(scores: [.infinity, -.infinity, 0], labels: [1, 0, 1], groups: [0, 0, 1])
        p.probabilities = [1, 0, 0.5]
        frame = MetricFrame(p, groupCount: 2)
        #expect(frame.overall(.meanPrediction) == .defined(0.5) && frame.overall(.auc) == .defined(1))
        #expect(frame.overall(.accuracy) == .defined(1) && frame.overall(.meanLogit) == .undefined("2 rows have no finite logit"))
    }

    @Test func thresholdAndExtremes() {
        let predictions = Predictions(scores: [0, 0.1, -800, 800], labels: [1, 1, 0, 1], groups: [0, 0, 1, 1])
        #expect(MetricFrame(predictions, groupCount: 2).overall(.selectionRate) == .defined(0.75))
        #expect(MetricFrame(predictions, groupCount: 2, threshold: 0.51).overall(.selectionRate) == .defined(0.5))
        #expect(MetricFrame(predictions, groupCount: 2).byGroup(.bce)[1] == .defined(0))
        #expect(sigmoid(-800) == 0 && sigmoid(800) == 1 && sigmoid(0) == 0.5)
    }
}
