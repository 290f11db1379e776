// Scores and decisions per group, the gaps between them with their intervals, and confusion matrices.
import Fairness
import Inference
import Reporting

extension ReportPage {
    /// Pairs of groups drawn per measure; the others stand in the JSON.
    private static let drawnPairs = 16

    mutating func groups(_ audit: AuditDocument) {
        let grouping = audit.main
        page.section("Scores and decisions by group")
        if grouping.before == nil {
            page.paragraph("The table holds no scores from before a fairness layer, so there is one state only.")
        }
        page.charts(GroupingReport.shownMetrics.compactMap { bars(grouping, $0) })
        page.table(grouping.groupTable)
        for other in audit.groupings.dropFirst() { folded("By \(other.title) alone", other.groupTable) }
        folded("All metrics", grouping.metricTable)
    }

    private mutating func folded(_ summary: String, _ table: Table) { page.details(summary) { $0.table(table) } }

    private func bars(_ grouping: GroupingReport, _ metric: Metric) -> SVGChart? {
        var states: [(name: String, frame: FrameReport)] = grouping.before.map { [("before the layer", $0)] } ?? []
        states.append((grouping.before == nil ? "as given" : "after the layer", grouping.after))
        var names = grouping.groups.map(short)
        var series = states.map { state in SVGChart.Bars(state.name, state.frame[metric].byGroup.map(\.value)) }
        if grouping.after[metric].unknown != nil {
            names.append("unknown")
            for index in series.indices { series[index].values.append(states[index].frame[metric].unknown?.value) }
        }
        guard series.contains(where: { $0.values.contains { $0 != nil } }) else { return nil }
        let words = names.indices.map { k in
            "\(names[k]) " + series.map { Figure.text($0.values[k]) }.joined(separator: " then ")
        }
        let title = metric == .meanLogit ? "Mean logit (scores)" : "\(metric.title.prefix(1).uppercased())\(metric.title.dropFirst()) (decisions)"
        var chart = SVGChart.bars(
            title: title, description: "\(title) by group\(states.count > 1 ? ", before and after the layer" : ""): \(words.joined(separator: "; ")).",
            x: .init(metric.title, unit: metric == .meanLogit ? "logits" : "share of one", includes: metric == .meanLogit ? [0] : [0, 1]),
            categories: names, series: series)
        chart.width = Self.chartWidth
        return chart
    }

    // MARK: Gaps

    mutating func gaps(_ audit: AuditDocument) {
        let frame = audit.main.after, confidence = Figure.percent(audit.settings.intervals.confidence)
        page.section("Gaps between groups, and how sure they are")
        page.table(audit.main.gapTable(audit.settings))
        page.paragraph(
            ReportWords.gapColumns(audit)
                + " The charts show the differences of pairs of groups, first minus second; the intervals of one measure hold together.")
        if let example = audit.main.groups.first(where: { short($0) != $0 }) {
            page.paragraph("In charts, \(short(example)) is the group \(example).")
        }
        page.charts(frame.gaps.compactMap { intervals($0, confidence: confidence) })
        let hidden = frame.gaps.filter { $0.pairs.count > Self.drawnPairs }
        if !hidden.isEmpty {
            page.paragraph("Of more than \(Self.drawnPairs) pairs those with the largest differences are drawn; all \(hidden.map(\.pairs.count).max()!) stand in the JSON.")
        }
        if let violated = frame.pairsViolated, let pairs = frame.pairs, let epsilon = audit.settings.epsilon ?? audit.settings.tolerances[Measure.meanLogitGap.rawValue] {
            page.paragraph("\(violated) of \(pairs) pairs of groups have mean logits further apart than ε = \(epsilon) in this table.")
        }
        for other in audit.groupings.dropFirst() { folded("Gaps by \(other.title) alone", other.gapTable(audit.settings)) }
    }

    private func intervals(_ gap: GapMeasure, confidence: String) -> SVGChart? {
        guard !gap.pairs.isEmpty else { return nil }
        let pairs = gap.pairs.sorted { abs($0.difference) > abs($1.difference) }.prefix(Self.drawnPairs)
        let isTwofold = Set(gap.pairs.map(\.metric)).count > 1
        let rows = pairs.map { pair in
            let tone: SVGChart.Interval.Tone =
                gap.tolerance.map { pair.lowerGap > $0 ? .bad : pair.upperGap <= $0 ? .good : .unsure } ?? .neutral
            return SVGChart.Interval(
                (isTwofold ? "\(pair.metric.title) " : "") + "\(short(pair.first)) − \(short(pair.second))", value: pair.difference, low: pair.lower,
                high: pair.upper, tone: tone)
        }
        let words = pairs.prefix(5).map {
            "\($0.first) minus \($0.second)\(isTwofold ? ", \($0.metric.title)" : "") \(Figure.text($0.difference)), from \(Figure.text($0.lower)) to \(Figure.text($0.upper))"
        }
        let limits = gap.tolerance.map { [SVGChart.Limit("tolerance ±\($0)", $0), SVGChart.Limit("", -$0)] } ?? []
        var chart = SVGChart.intervals(
            title: "Differences of \(gap.measure.title)",
            description: "Differences between pairs of groups with \(confidence) intervals, the largest first: \(words.joined(separator: "; ")).",
            x: .init("difference", unit: gap.measure.unit), rows: rows, limits: limits)
        chart.width = Self.chartWidth
        return chart
    }

    /// Of long names, values without their features: `Female,East Asian` for `gender=Female,race=East Asian`.
    private func short(_ group: String) -> String {
        let parts = group.split(separator: ",").map { $0.split(separator: "=", maxSplits: 1) }
        guard parts.allSatisfy({ $0.count == 2 }), group.count > 20 else { return group }
        return parts.map { String($0[1]) }.joined(separator: ",")
    }

    // MARK: Confusion

    mutating func confusion(_ audit: AuditDocument) {
        guard audit.source.labelled > 0 else { return }
        page.section("Confusion matrices by group")
        page.table(confusionTable(audit.main, audit.main.after, audit.main.before == nil ? "Decisions as given" : "After the layer"))
        if let before = audit.main.before {
            folded("Before the layer", confusionTable(audit.main, before, "Before the layer"))
        }
    }

    private func confusionTable(_ grouping: GroupingReport, _ frame: FrameReport, _ title: String) -> Table {
        let hasUnlabelled = frame.confusion.count > frame.confusion.labelled
        var table = Table(
            title: title,
            [.init("group", .left), .init("label 1, decided 1"), .init("label 1, decided 0"), .init("label 0, decided 1"), .init("label 0, decided 0")]
                + (hasUnlabelled ? [.init("no label, decided 1"), .init("no label, decided 0")] : []))
        for row in grouping.rows {
            guard let m = row.confusion(in: frame) else { continue }
            let cells = [m.truePositives, m.falseNegatives, m.falsePositives, m.trueNegatives] + (hasUnlabelled ? [m.unlabelledSelected, m.unlabelledRejected] : [])
            table.append([row.name] + cells.map(String.init))
        }
        return table
    }
}
