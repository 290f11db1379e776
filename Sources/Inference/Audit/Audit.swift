// Measures a prediction table: the intersection of its features and each feature alone, after the fairness layer and before it.
import Dispatch
import FaceData
import Fairness
import Foundation
import Synchronization

public struct Audit: Sendable {
    public enum GateRule: String, CaseIterable, Codable, Sendable {
        /// The gap measured in the table must not exceed the limit.
        case gap
        /// The verdict must be `pass`: the whole interval lies within the limit.
        case verdict
    }

    public var threshold = 0.5
    /// ε of the mean-logit gap. Units: logits.
    public var epsilon: Double?
    /// Largest allowed gaps; they are the tolerances of verdicts too.
    public var maxGaps: [Measure: Double] = [:]
    public var gateRule = GateRule.gap
    public var minAccuracy: Double?
    public var intervals = IntervalSettings()
    /// Records that are listed one by one: flipped ones, and as many mistakes.
    public var listedRecords = 20
    /// Gates forgive this much: 0.4 − 0.3 is 0.10000000000000003 in doubles, and a projection reaches ε up to rounding.
    public static let slack = 1e-9

    public init() {}

    public func run(
        _ table: PredictionTable, source: String, bytes: [UInt8], command: ShellCommand, labelFile: String? = nil, unmatched: Int? = nil,
        synthetic: Bool? = nil
    ) -> AuditDocument {
        var tolerances = maxGaps
        if let epsilon, tolerances[.meanLogitGap] == nil { tolerances[.meanLogitGap] = epsilon }
        let names = table.features.map(\.name)
        let groupings = [names] + (names.count > 1 ? names.map { [$0] } : [])
        let jobs = groupings.flatMap { features in [(features, false)] + (table.rawLogits == nil ? [] : [(features, true)]) }
        let limits = tolerances
        let reports = Self.inParallel(jobs.count) { index in
            let (features, raw) = jobs[index]
            let (declared, groups) = table.grouping(features)
            return self.report(
                table.predictions(groups: groups, raw: raw), declared, tolerances: limits)
        }
        var document = AuditDocument(
            command: command, environment: .current,
            source: .init(
                file: source, bytes: bytes.count, sha256: Fingerprint.sha256(bytes), rows: table.count, labelled: table.labels.count { $0 != nil }, failedRecords: table.failedRecords,
                columns: table.columns, labelFile: labelFile, unmatched: unmatched, synthetic: synthetic),
            settings: .init(
                threshold: threshold, decisions: table.decisions == nil ? "threshold" : "column", intervals: intervals, epsilon: epsilon,
                tolerances: Dictionary(uniqueKeysWithValues: tolerances.map { ($0.key.rawValue, $0.value) }),
                projected: table.projectedTolerance, gateRule: gateRule),
            groupings: groupings.map { features in
                let declared = table.grouping(features).features
                func found(_ raw: Bool) -> FrameReport? { jobs.firstIndex { $0.0 == features && $0.1 == raw }.map { reports[$0] } }
                return GroupingReport(
                    features: features, groups: (0..<declared.groupCount).map(declared.label), after: found(false)!, before: found(true))
            },
            gates: [], flips: table.rawLogits == nil ? nil : flips(table, names), mistakes: mistakes(table, names), stream: table.stream)
        document.gates = gates(document.main.after)
        return document
    }

    private func report(_ predictions: Predictions, _ features: SensitiveFeatures, tolerances: [Measure: Double]) -> FrameReport {
        let groupCount = features.groupCount
        let frame = MetricFrame(
            predictions, groupCount: groupCount, groupNames: (0..<groupCount).map(features.label), threshold: threshold)
        let hasUnknown = predictions.groups.contains(unknownGroup)
        var metrics: [String: MetricReport] = [:]
        for metric in Metric.allCases {
            metrics[metric.rawValue] = MetricReport(
                overall: frame.overall(metric), byGroup: frame.byGroup(metric), unknown: hasUnknown ? frame.unknown(metric) : nil,
                groupMin: frame.groupMin(metric), groupMax: frame.groupMax(metric), difference: frame.difference(metric),
                ratio: frame.ratio(metric))
        }
        let pairwise = frame.pairwiseGaps(tolerance: (epsilon ?? tolerances[.meanLogitGap] ?? 0) + Self.slack)
        let hasLogits = frame.meanLogitGap.value != nil
        let accuracy = wilsonInterval(
            successes: frame.confusion.right, trials: frame.confusion.labelled, confidence: intervals.confidence)
        return FrameReport(
            metrics: metrics,
            aggregates: [
                "demographic_parity_difference": frame.demographicParityDifference,
                "demographic_parity_ratio": frame.demographicParityRatio,
                "equalized_odds_difference": frame.equalizedOddsDifference, "equalized_odds_ratio": frame.equalizedOddsRatio,
                "equal_opportunity_difference": frame.equalOpportunityDifference,
                "equal_opportunity_ratio": frame.equalOpportunityRatio,
                "mean_logit_gap": frame.meanLogitGap,
                "mean_pairwise_logit_gap": hasLogits
                    ? pairwise.mean.map(MetricValue.defined) ?? .undefined("fewer than two groups have rows") : frame.meanLogitGap,
                "worst_group_accuracy": frame.worstGroupAccuracy,
                "true_positive_rate_sd": frame.standardDeviation(.truePositiveRate),
                "false_positive_rate_sd": frame.standardDeviation(.falsePositiveRate),
            ],
            pairsViolated: hasLogits && (epsilon ?? tolerances[.meanLogitGap]) != nil ? pairwise.violated : nil, pairs: hasLogits ? pairwise.pairs : nil,
            gaps: frame.gaps(tolerances: tolerances, settings: intervals), confusion: frame.confusion,
            confusionByGroup: frame.confusionByGroup, confusionOfUnknown: hasUnknown ? frame.confusionOfUnknown : nil,
            accuracyLower: accuracy?.lower, accuracyUpper: accuracy?.upper)
    }

    private func gates(_ frame: FrameReport) -> [GateReport] {
        var gates = Measure.allCases.compactMap { measure -> GateReport? in
            guard let limit = maxGaps[measure] else { return nil }
            let gap = frame[measure]
            let words = measure.rawValue.split(separator: "_").joined(separator: " ")
            let measured = gap.value.value.map(Self.figure) ?? "undefined (\(gap.value.reason ?? ""))"
            switch gateRule {
            case .gap:
                let passed = gap.value.value.map { $0 <= limit + Self.slack } ?? false
                return GateReport(
                    name: measure.rawValue, limit: limit, value: gap.value, passed: passed,
                    text: "\(words) \(measured) is \(passed ? "within" : gap.value.value == nil ? "not known to be within" : "above") \(limit)")
            case .verdict:
                let verdict = gap.verdict ?? .insufficientData
                return GateReport(
                    name: measure.rawValue, limit: limit, value: gap.value, passed: verdict == .pass,
                    text: "\(words) \(measured), verdict \(verdict.rawValue) against \(limit)")
            }
        }
        if let minAccuracy {
            let accuracy = frame[.accuracy].overall
            let passed = accuracy.value.map { $0 >= minAccuracy - Self.slack } ?? false
            gates.append(
                GateReport(
                    name: "accuracy", limit: minAccuracy, value: accuracy, passed: passed,
                    text: "accuracy \(accuracy.value.map(Self.figure) ?? "undefined (\(accuracy.reason ?? ""))") is "
                        + "\(passed ? "at least" : accuracy.value == nil ? "not known to reach" : "below") \(minAccuracy)"))
        }
        return gates
    }

    private func flips(_ table: PredictionTable, _ names: [String]) -> FlipReport {
        let (features, groups) = table.grouping(names)
        let after = table.predictions(groups: groups), before = table.predictions(groups: groups, raw: true)
        var report = FlipReport(
            count: 0, rows: table.count, corrected: 0, spoilt: 0, byGroup: Array(repeating: 0, count: features.groupCount), records: [])
        var flipped: [(row: Int, certainty: Double)] = []
        for row in 0..<table.count {
            let (old, new) = (before.decision(row, threshold: threshold), after.decision(row, threshold: threshold))
            guard let old, let new, old != new else { continue }
            flipped.append((row, min(abs(before.scores[row]), abs(after.scores[row]))))
            if groups[row] != unknownGroup { report.byGroup[groups[row]] += 1 }
            if let label = table.labels[row] {
                if new == (label == 1) { report.corrected += 1 } else { report.spoilt += 1 }
            }
        }
        report.count = flipped.count
        report.records = mostCertain(flipped).map { record($0, table, features, groups, after) }
        return report
    }

    private func mistakes(_ table: PredictionTable, _ names: [String]) -> MistakeReport {
        let (features, groups) = table.grouping(names)
        let predictions = table.predictions(groups: groups)
        var labelled = 0
        var wrong: [(row: Int, certainty: Double)] = [], count = 0
        for row in 0..<table.count {
            guard let label = table.labels[row], let decision = predictions.decision(row, threshold: threshold) else { continue }
            labelled += 1
            guard decision != (label == 1) else { continue }
            count += 1
            if !predictions.scores[row].isNaN { wrong.append((row, abs(predictions.scores[row]))) }
        }
        return MistakeReport(
            count: count, labelled: labelled, records: mostCertain(wrong).map { record($0, table, features, groups, predictions) })
    }

    private func mostCertain(_ rows: [(row: Int, certainty: Double)]) -> [Int] {
        rows.sorted { $0.certainty != $1.certainty ? $0.certainty > $1.certainty : $0.row < $1.row }.prefix(listedRecords).map(\.row)
    }

    private func record(
        _ row: Int, _ table: PredictionTable, _ features: SensitiveFeatures, _ groups: [Int], _ predictions: Predictions
    ) -> AuditedRecord {
        AuditedRecord(
            id: table.ids[row], group: groups[row] == unknownGroup ? nil : features.label(groups[row]), rawLogit: table.rawLogits?[row],
            logit: table.logits?[row], probability: table.probabilities?[row],
            decision: predictions.decision(row, threshold: threshold) == true ? 1 : 0, label: table.labels[row])
    }

    /// Six digits: what more there is, is rounding.
    private static func figure(_ value: Double) -> String { String(format: "%.6g", value) }

    /// Independent pieces of work, in order of their index whatever the threads.
    private static func inParallel<T: Sendable>(_ count: Int, _ body: @Sendable (Int) -> T) -> [T] {
        let results = Mutex<[Int: T]>([:])
        DispatchQueue.concurrentPerform(iterations: count) { index in
            let result = body(index)
            results.withLock { $0[index] = result }
        }
        return results.withLock { found in (0..<count).map { found[$0]! } }
    }
}
