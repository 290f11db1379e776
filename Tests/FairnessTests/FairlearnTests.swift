// Sixty random tables against fairlearn and scikit-learn, empty groups and missing positives among them.
import Fairness
import Foundation
import TestSupport
import Testing

private struct Measured: Decodable {
    struct Row: Decodable {
        let overall: Double?, byGroup: [Double?], groupMin: Double?, groupMax: Double?, difference: Double?, ratio: Double?
    }
    let id: Int, groupCount: Int
    let groups: String, labels: String
    let ties: Bool
    let metrics: [String: Row]
    let aggregates: [String: Double?]

    var frame: MetricFrame {
        let groups = parseGroups(groups)
        let scores = groups.indices.map { row -> Double in
            let score = dyadic(id, row, 0)
            return ties ? (score * 2).rounded(.toNearestOrEven) / 2 : score
        }
        return MetricFrame(
            Predictions(scores: scores, labels: labels.utf8.map { Int($0) - 48 }, groups: groups), groupCount: groupCount)
    }
}

private struct Tables: Decodable { let tables: [Measured] }

struct FairlearnTests {
    @Test(arguments: 1...4) func agreesTo1e12(part: Int) throws {
        let tables = try JSONDecoder().decode(Tables.self, from: Fixture.data("audit_\(part).json")).tables
        #expect(tables.count == 15)
        var undefined = 0
        for table in tables {
            let frame = table.frame
            func check(_ actual: MetricValue, _ expected: Double?, _ what: String) {
                if let expected {
                    guard let value = actual.value else { Issue.record("table \(table.id), \(what): undefined, \(actual.reason ?? "")"); return }
                    expectClose(value, expected, rtol: 1e-12, atol: 1e-12, "table \(table.id), \(what)")
                } else {
                    undefined += 1
                    #expect(actual.value == nil && actual.reason?.isEmpty == false, "table \(table.id), \(what)")
                }
            }
            #expect(Set(table.metrics.keys) == Set(Metric.allCases.map(\.rawValue)))
            for metric in Metric.allCases {
                let row = try #require(table.metrics[metric.rawValue])
                check(frame.overall(metric), row.overall, "\(metric)")
                for (k, value) in frame.byGroup(metric).enumerated() { check(value, row.byGroup[k], "\(metric) of group \(k)") }
                check(frame.groupMin(metric), row.groupMin, "smallest \(metric)")
                check(frame.groupMax(metric), row.groupMax, "largest \(metric)")
                check(frame.difference(metric), row.difference, "difference of \(metric)")
                check(frame.ratio(metric), row.ratio, "ratio of \(metric)")
            }
            let aggregates = [
                "demographic_parity_difference": frame.demographicParityDifference,
                "demographic_parity_ratio": frame.demographicParityRatio,
                "equalized_odds_difference": frame.equalizedOddsDifference, "equalized_odds_ratio": frame.equalizedOddsRatio,
                "equal_opportunity_difference": frame.equalOpportunityDifference,
                "equal_opportunity_ratio": frame.equalOpportunityRatio, "worst_group_accuracy": frame.worstGroupAccuracy,
                "true_positive_rate_sd": frame.standardDeviation(.truePositiveRate),
                "false_positive_rate_sd": frame.standardDeviation(.falsePositiveRate),
            ]
            #expect(Set(aggregates.keys) == Set(table.aggregates.keys))
            for (name, value) in aggregates { check(value, table.aggregates[name]!, name) }
        }
        #expect(undefined > 50, "the tables hold what is undefined, too")
    }
}
