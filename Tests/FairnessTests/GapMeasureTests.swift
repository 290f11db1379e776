// Intervals cover what they claim to cover, tests keep their level, verdicts follow from the intervals, and all of it repeats.
import Fairness
import Foundation
import TestSupport
import Testing

/// Predictions with given positives, negatives and rates per group.
private func table(
    _ groups: [(positives: Int, tpr: Double, negatives: Int, fpr: Double)], using random: inout TestRandom
) -> Predictions {
    var p = Predictions()
    for (k, g) in groups.enumerated() {
        for row in 0..<(g.positives + g.negatives) {
            let label = row < g.positives ? 1 : 0
            let isSelected = Double.random(in: 0..<1, using: &random) < (label == 1 ? g.tpr : g.fpr)
            p.append(score: isSelected ? 1 : -1, label: label, group: k)
        }
    }
    return p
}

private func normal(_ random: inout TestRandom) -> Double {
    (-2 * log(1 - Double.random(in: 0..<1, using: &random))).squareRoot() * cos(2 * .pi * Double.random(in: 0..<1, using: &random))
}

struct GapMeasureTests {
    /// 400 repetitions at 90 %: a correct method misses more than 64 (16 %) once in 10,000 times.
    private let repetitions = 400, allowedMisses = 64
    private let settings = IntervalSettings(confidence: 0.9, draws: 400, seed: 7)

    @Test func intervalsOfRatesCoverAllPairsTogether() {
        var random = TestRandom(11)
        // Small and large groups, rates near 0 and 1: where intervals from plain proportions fail.
        let groups = [(30, 0.9, 40, 0.1), (200, 0.85, 250, 0.2), (12, 0.95, 15, 0.05), (500, 0.7, 400, 0.3)]
            .map { (positives: $0.0, tpr: $0.1, negatives: $0.2, fpr: $0.3) }
        var misses: [Measure: Int] = [:], widths = 0.0
        for repetition in 0..<repetitions {
            var settings = settings
            settings.seed = UInt64(repetition)
            let gaps = MetricFrame(table(groups, using: &random), groupCount: groups.count).gaps(settings: settings)
            for gap in gaps where gap.measure != .meanLogitGap {
                let isMissed = gap.pairs.contains { pair in
                    let i = Int(pair.first.dropFirst(6))!, j = Int(pair.second.dropFirst(6))!
                    func rate(_ k: Int) -> Double {
                        let g = groups[k], n = Double(g.positives + g.negatives)
                        return switch pair.metric {
                        case .truePositiveRate: g.tpr
                        case .falsePositiveRate: g.fpr
                        case .selectionRate: (Double(g.positives) * g.tpr + Double(g.negatives) * g.fpr) / n
                        default: (Double(g.positives) * g.tpr + Double(g.negatives) * (1 - g.fpr)) / n
                        }
                    }
                    return !(pair.lower...pair.upper).contains(rate(i) - rate(j))
                }
                misses[gap.measure, default: 0] += isMissed ? 1 : 0
                widths += gap.pairs[0].upper - gap.pairs[0].lower
            }
        }
        for measure in Measure.allCases where measure != .meanLogitGap {
            #expect(misses[measure]! <= allowedMisses, "\(measure): \(misses[measure]!) of \(repetitions)")
        }
        // Covering is easy with endless intervals: the first pair has 70 and 450 rows.
        #expect(widths / Double(4 * repetitions) < 0.6)
    }

    @Test func intervalsOfMeansCoverAllPairsTogether() {
        var random = TestRandom(12)
        let sizes = [8, 40, 300, 15], means = [0.0, 0.5, -0.2, 1], deviations = [1.0, 3, 0.5, 2]
        var misses = 0
        for repetition in 0..<repetitions {
            var p = Predictions()
            for k in sizes.indices {
                for _ in 0..<sizes[k] { p.append(score: means[k] + deviations[k] * normal(&random), label: nil, group: k) }
            }
            let pairs = MeanBootstrap(MetricFrame(p, groupCount: 4), confidence: 0.9, draws: 400, seed: UInt64(repetition)).pairs
            #expect(pairs.count == 6)
            misses += pairs.contains { pair in
                let truth = means[Int(pair.first.dropFirst(6))!] - means[Int(pair.second.dropFirst(6))!]
                return !(pair.lower...pair.upper).contains(truth)
            } ? 1 : 0
        }
        #expect(misses <= allowedMisses, "\(misses) of \(repetitions)")
        #expect(misses >= 10, "intervals that never miss are too wide: \(misses) of \(repetitions)")
    }

    @Test func permutationTestKeepsItsLevelAndFindsGaps() {
        var random = TestRandom(13)
        var alarms = 0, found = 0
        for repetition in 0..<repetitions {
            let equal = table([(30, 0.6, 60, 0.3), (80, 0.6, 20, 0.3), (15, 0.6, 9, 0.3)].map { (positives: $0.0, tpr: $0.1, negatives: $0.2, fpr: $0.3) }, using: &random)
            let p = PermutationTest.pValue(MetricFrame(equal, groupCount: 3), .equalizedOdds, draws: 400, seed: UInt64(repetition))!
            alarms += p <= 0.1 ? 1 : 0
        }
        for repetition in 0..<40 {
            let unequal = table([(100, 0.9, 100, 0.3), (100, 0.6, 100, 0.3)].map { (positives: $0.0, tpr: $0.1, negatives: $0.2, fpr: $0.3) }, using: &random)
            let p = PermutationTest.pValue(MetricFrame(unequal, groupCount: 2), .equalizedOdds, draws: 400, seed: UInt64(repetition))!
            found += p <= 0.1 ? 1 : 0
        }
        #expect(alarms <= allowedMisses, "\(alarms) of \(repetitions)")
        #expect(alarms >= 10, "a test that never rejects says nothing: \(alarms)")
        #expect(found >= 35, "\(found) of 40")
    }

    /// Every shuffle of a small table counted by hand: 2 of 3 selected in one group, 0 of 2 in the other.
    @Test func permutationTestEqualsEnumeration() {
        let p = Predictions(scores: [1, 1, -1, -1, -1], labels: [nil, nil, nil, nil, nil], groups: [0, 0, 0, 1, 1])
        // 10 ways to place two selected rows: both in group 0 in 3, both in group 1 in 1, one in each in 6. Chi-square is at least
        // the observed one in the 3 (equal) and the 1 (larger).
        let value = PermutationTest.pValue(MetricFrame(p, groupCount: 2), .demographicParity, draws: 40_000, seed: 1)!
        expectClose(value, 0.4, atol: 0.012)
    }

    @Test func verdicts() {
        func gap(_ n: Int, _ first: Double, _ second: Double, tolerance: Double) -> GapMeasure {
            var p = Predictions()
            for (k, rate) in [first, second].enumerated() {
                for row in 0..<n { p.append(score: Double(row) < rate * Double(n) ? 1 : -1, label: nil, group: k) }
            }
            return MetricFrame(p, groupCount: 2).gaps(tolerances: [.demographicParityDifference: tolerance], settings: settings)[1]
        }
        #expect(gap(4000, 0.5, 0.52, tolerance: 0.1).verdict == .pass)
        #expect(gap(4000, 0.5, 0.8, tolerance: 0.1).verdict == .fail)
        #expect(gap(20, 0.5, 0.5, tolerance: 0.1).verdict == .insufficientData)
        let sure = gap(4000, 0.5, 0.8, tolerance: 0.1)
        #expect(abs(sure.value.value! - 0.3) < 1e-12)
        #expect(sure.lower.value! > 0.25 && sure.upper.value! < 0.35 && sure.pValue.value! < 0.01)
        // Three rows that were all selected are no proof of anything.
        let tiny = gap(3, 1, 1, tolerance: 0.1)
        #expect(tiny.verdict == .insufficientData && tiny.upper.value! > 0.3 && tiny.pValue.value == 1)
    }

    @Test func aGroupWithoutPositivesLeavesItsMeasureUndecided() {
        var p = Predictions()
        for row in 0..<400 { p.append(score: row % 2 == 0 ? 1 : -1, label: row % 4 < 2 ? 1 : 0, group: row % 2) }
        for _ in 0..<50 { p.append(score: -1, label: 0, group: 2) }
        let frame = MetricFrame(p, groupCount: 3, groupNames: ["a", "b", "c"])
        let gaps = frame.gaps(tolerances: [.equalOpportunityDifference: 0.1, .demographicParityDifference: 0.1], settings: settings)
        let opportunity = gaps[2], parity = gaps[1]
        #expect(opportunity.value == .undefined("c: no positive samples") && opportunity.missing == ["c: no positive samples"])
        #expect(opportunity.upper.value == nil && opportunity.verdict == .fail, "a and b alone are beyond the tolerance")
        #expect(parity.value == .defined(1) && parity.missing.isEmpty && parity.pairs.count == 3)
        let tolerant = frame.gaps(tolerances: [.equalOpportunityDifference: 1], settings: settings)[2]
        #expect(tolerant.verdict == .insufficientData)
    }

    @Test func oneGroupNoLabelsNoDecisions() {
        let one = MetricFrame(Predictions(scores: [1, -1], labels: [1, 0], groups: [0, 0]), groupCount: 2)
        for gap in one.gaps(tolerances: [.demographicParityDifference: 0.1, .meanLogitGap: 0.1], settings: settings) {
            #expect(gap.pairs.isEmpty && gap.upper.value == nil && gap.pValue.value == nil && gap.verdict != .pass)
            #expect(gap.value == .defined(0))
        }
        let bare = MetricFrame(Predictions(scores: [1, .nan, 1], labels: [nil, nil, nil], groups: [0, 0, 1]), groupCount: 2)
        for gap in bare.gaps(settings: settings) { #expect(gap.value.value == nil && gap.pairs.isEmpty && gap.pValue.value == nil) }
    }

    @Test func theSameSeedGivesTheSameFigures() {
        var random = TestRandom(14)
        let frame = MetricFrame(table([(50, 0.7, 50, 0.2), (60, 0.8, 30, 0.3)].map { (positives: $0.0, tpr: $0.1, negatives: $0.2, fpr: $0.3) }, using: &random), groupCount: 2)
        #expect(frame.gaps(settings: settings) == frame.gaps(settings: settings))
        var other = settings
        other.seed = 8
        #expect(frame.gaps(settings: settings) != frame.gaps(settings: other))
    }

    @Test func wilson() {
        // Agresti and Coull's example form: 0 of 10 at 95 % is 0 to z²/(n + z²).
        let z2 = 1.959963984540054 * 1.959963984540054
        let none = wilsonInterval(successes: 0, trials: 10, confidence: 0.95)!
        #expect(none.lower == 0)
        expectClose(none.upper, z2 / (10 + z2), atol: 1e-12)
        let half = wilsonInterval(successes: 50, trials: 100, confidence: 0.95)!
        expectClose((half.lower + half.upper) / 2, 0.5, atol: 1e-12)
        #expect(wilsonInterval(successes: 0, trials: 0, confidence: 0.95) == nil)
    }
}
