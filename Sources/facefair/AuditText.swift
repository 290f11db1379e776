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
        parts.append(document.main.gapTable(document.settings).text)
        parts += document.main.after.gaps.flatMap { Set($0.missing).sorted().map { "  \($0)" } }.uniqued()
        parts.append(document.main.metricTable.text)
        for grouping in document.groupings { parts.append(groups(grouping).text) }
        for grouping in document.groupings.dropFirst() { parts.append(grouping.gapTable(document.settings).text) }
        if let flips = document.flips {
            parts.append("\(flips.count) of \(flips.rows) decisions are changed by the layer: \(flips.corrected) to right, \(flips.spoilt) to wrong")
        }
        parts += document.gates.map { "gate \($0.passed ? "passed" : "FAILED"): \($0.text)" }
        return parts.joined(separator: "\n\n")
    }

    /// Narrow enough for a terminal: before and after share a column.
    private func groups(_ grouping: GroupingReport) -> Table {
        let metrics = GroupingReport.shownMetrics
        var table = Table(
            title: "By \(grouping.title)" + (grouping.before == nil ? "" : ", before -> after"),
            [.init("group", .left), .init("n")] + metrics.map { .init($0.rawValue) } + ["TP", "FP", "TN", "FN"].map { .init($0) })
        for row in grouping.rows {
            guard let m = row.confusion(in: grouping.after) else { continue }
            let cells = metrics.map { metric -> String in
                let after = Figure.text(row.value(metric, in: grouping.after)?.value)
                return grouping.before.map { "\(Figure.text(row.value(metric, in: $0)?.value)) -> \(after)" } ?? after
            }
            table.append([row.name, grouping.count(row)] + cells + [m.truePositives, m.falsePositives, m.trueNegatives, m.falseNegatives].map(String.init))
        }
        return table
    }

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
