// An audit as tables for people, and as one CSV row per figure.
import Fairness
import Inference
import Reporting
import Training

struct AuditText {
    let document: AuditDocument

    init(_ document: AuditDocument) { self.document = document }

    var text: String {
        let source = document.source
        var parts = [
            "\(source.file): \(source.rows) rows, \(source.labelled) with labels"
                + (source.synthetic == true ? "; SYNTHETIC (drawn faces, no real people)" : "")
        ]
        parts.append(gaps(document.main).text)
        parts += document.main.after.gaps.flatMap { Set($0.missing).sorted().map { "  \($0)" } }.uniqued()
        parts.append(overall(document.main).text)
        for grouping in document.groupings { parts.append(groups(grouping).text) }
        for grouping in document.groupings.dropFirst() { parts.append(gaps(grouping).text) }
        if let flips = document.flips {
            parts.append("\(flips.count) of \(flips.rows) decisions are changed by the layer: \(flips.corrected) to right, \(flips.spoilt) to wrong")
        }
        parts += document.gates.map { "gate \($0.passed ? "passed" : "FAILED"): \($0.text)" }
        return parts.joined(separator: "\n\n")
    }

    private func gaps(_ grouping: GroupingReport) -> Table {
        let confidence = Figure.percent(document.settings.intervals.confidence)
        var table = Table(
            title: "Largest gap between groups of \(grouping.title), simultaneous intervals at \(confidence)",
            [.init("measure", .left)] + (grouping.before == nil ? [] : [.init("before")])
                + [.init("gap"), .init("at least"), .init("at most"), .init("p"), .init("tolerance"), .init("verdict", .left)])
        for gap in grouping.after.gaps {
            table.append(
                [gap.measure.title] + (grouping.before.map { [Figure.text($0[gap.measure].value.value)] } ?? [])
                    + [
                        Figure.text(gap.value.value), Figure.text(gap.lower.value), Figure.text(gap.upper.value),
                        Figure.text(gap.pValue.value), gap.tolerance.map { "\($0)" } ?? "", gap.verdict?.rawValue ?? "",
                    ])
        }
        return table
    }

    private func overall(_ grouping: GroupingReport) -> Table {
        var table = Table(
            title: "Metrics",
            [.init("metric", .left)] + (grouping.before == nil ? [] : [.init("before")])
                + ["overall", "smallest", "largest", "difference", "ratio"].map { .init($0) })
        for metric in Metric.allCases {
            let m = grouping.after[metric]
            table.append(
                [metric.rawValue]
                    + ((grouping.before.map { [$0[metric].overall] } ?? []) + [m.overall, m.groupMin, m.groupMax, m.difference, m.ratio])
                    .map { metric == .count ? Self.whole($0) : Figure.text($0.value) })
        }
        return table
    }

    private func groups(_ grouping: GroupingReport) -> Table {
        let metrics: [Metric] = [.accuracy, .selectionRate, .truePositiveRate, .falsePositiveRate, .meanLogit]
        var table = Table(
            title: "By \(grouping.title)" + (grouping.before == nil ? "" : ", before -> after"),
            [.init("group", .left), .init("n")] + metrics.map { .init($0.rawValue) } + ["TP", "FP", "TN", "FN"].map { .init($0) })
        func row(_ name: String, _ value: (Metric, FrameReport) -> MetricValue?, _ m: ConfusionMatrix) {
            let cells = metrics.map { metric -> String in
                let after = Figure.text(value(metric, grouping.after)?.value)
                return grouping.before.map { "\(Figure.text(value(metric, $0)?.value)) -> \(after)" } ?? after
            }
            table.append(
                [name, Self.whole(value(.count, grouping.after) ?? .defined(0))] + cells
                    + [m.truePositives, m.falsePositives, m.trueNegatives, m.falseNegatives].map(String.init))
        }
        for (k, name) in grouping.groups.enumerated() { row(name, { $1[$0].byGroup[k] }, grouping.after.confusionByGroup[k]) }
        if let unknown = grouping.after.confusionOfUnknown { row("unknown", { $1[$0].unknown }, unknown) }
        return table
    }

    static func whole(_ value: MetricValue) -> String { value.value.map { $0 == $0.rounded() ? "\(Int($0))" : Figure.text($0) } ?? "–" }

    // MARK: CSV

    /// `features,state,group,metric,value,lower,upper,p_value,tolerance,verdict,reason`.
    var csv: String {
        var table = Table(
            ["features", "state", "group", "metric", "value", "lower", "upper", "p_value", "tolerance", "verdict", "reason"].map { .init($0) })
        func exact(_ value: Double?) -> String { value.map { "\($0)" } ?? "" }
        for grouping in document.groupings {
            for (state, frame) in [("before", grouping.before), ("after", grouping.after)] {
                guard let frame else { continue }
                func add(_ group: String, _ metric: String, _ value: MetricValue) {
                    table.append([
                        grouping.features.joined(separator: ","), state, group, metric, exact(value.value), "", "", "", "", "", value.reason ?? "",
                    ])
                }
                for metric in Metric.allCases {
                    let m = frame[metric]
                    add("(overall)", metric.rawValue, m.overall)
                    for (k, name) in grouping.groups.enumerated() { add(name, metric.rawValue, m.byGroup[k]) }
                    if let unknown = m.unknown { add("(unknown)", metric.rawValue, unknown) }
                    for (name, value) in [
                        ("(smallest)", m.groupMin), ("(largest)", m.groupMax), ("(difference)", m.difference), ("(ratio)", m.ratio),
                    ] { add(name, metric.rawValue, value) }
                }
                for gap in frame.gaps {
                    table.append([
                        grouping.features.joined(separator: ","), state, "(gap)", gap.measure.rawValue, exact(gap.value.value),
                        exact(gap.lower.value), exact(gap.upper.value), exact(gap.pValue.value), exact(gap.tolerance),
                        gap.verdict?.rawValue ?? "", gap.value.reason ?? gap.upper.reason ?? "",
                    ])
                    for pair in gap.pairs {
                        table.append([
                            grouping.features.joined(separator: ","), state, "\(pair.first) - \(pair.second)", "\(gap.measure.rawValue):\(pair.metric.rawValue)",
                            exact(pair.difference), exact(pair.lower), exact(pair.upper), "", "", "", "",
                        ])
                    }
                }
                for name in frame.aggregates.keys.sorted() { add("(aggregate)", name, frame.aggregates[name]!) }
            }
        }
        return table.csv
    }
}

extension Sequence where Element: Hashable {
    /// Each element once, in order of first appearance.
    fileprivate func uniqued() -> [Element] {
        var seen: Set<Element> = []
        return filter { seen.insert($0).inserted }
    }
}
