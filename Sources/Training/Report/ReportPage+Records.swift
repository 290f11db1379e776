// The stream's course, single records, what is undefined, and where all of it was made.
import Fairness
import Foundation
import Inference
import Reporting

extension ReportPage {
    mutating func streamSection(_ stream: StreamTrace) {
        page.section("λ and bound over the stream")
        let regimes = stream.regimes.sorted { $0.key < $1.key }.map { "\($0.value) \($0.key.isEmpty ? "unnamed" : $0.key)" }.joined(separator: ", ")
        page.paragraph("""
            \(stream.records) answers in \(stream.batches) batches (\(regimes)) by the \(stream.algorithm) algorithm, criterion \(stream.criterion)\
            \(stream.epsilon.map { ", ε = \($0) logits" } ?? "").\
            \(stream.points.count < stream.batches ? " The charts show every \(stream.batches / max(stream.points.count, 1))th batch or so." : "")
            """)
        func series(_ name: String, _ value: (StreamTrace.Point) -> Double?) -> SVGChart.Series {
            SVGChart.Series(name, stream.points.compactMap { point in value(point).map { (x: Double(point.records), y: $0) } })
        }
        func chart(_ title: String, _ y: SVGChart.Axis, _ lines: [SVGChart.Series], limits: [SVGChart.Limit] = []) -> SVGChart? {
            let lines = lines.filter { !$0.points.isEmpty }
            guard !lines.isEmpty else { return nil }
            let words = lines.map { line in "\(line.name) ends at \(Figure.text(line.points.last!.y)), largest \(Figure.text(line.points.map(\.y).max()))" }
            var chart = SVGChart.lines(
                title: title, description: "\(title) over \(stream.records) answers: \(words.joined(separator: "; ")).", x: .init("answers so far"),
                y: y, series: lines, limits: limits)
            chart.width = Self.chartWidth
            return chart
        }
        let limits = stream.epsilon.flatMap { $0 > 0 ? [SVGChart.Limit("ε = \($0)", $0)] : nil } ?? []
        let multipliers = series("λ", \.multiplier)
        page.charts(
            [
                chart(
                    "Gaps and their bound", .init("mean-logit gap", unit: "logits", scale: .logarithmic),
                    [
                        series("bound", \.bound), series(stream.algorithm == "anytime" ? "of a batch" : "average over batches", stream.algorithm == "anytime" ? \.batchGap : \.averageGap),
                        series("of everything so far", \.pooledGap),
                    ], limits: limits),
                multipliers.points.contains { $0.y != 0 } ? chart("Multiplier λ", .init("λ"), [multipliers]) : nil,
            ].compactMap(\.self))
        if let last = stream.points.last {
            page.paragraph(
                "At the end: bound \(Figure.text(last.bound)), average gap \(Figure.text(last.averageGap)), gap of everything \(Figure.text(last.pooledGap)) logits, λ \(Figure.text(last.multiplier)); the largest λ was \(Figure.text(stream.largestMultiplier)).")
        }
    }

    mutating func disagreements(_ audit: AuditDocument) {
        guard audit.flips != nil || audit.mistakes.count > 0 else { return }
        page.section("Worst disagreements")
        if let flips = audit.flips {
            page.heading("Between the layer and the network")
            page.paragraph("The layer changes \(flips.count) of \(flips.rows) decisions: \(flips.corrected) from wrong to right, \(flips.spoilt) from right to wrong (where the label is known).")
            if flips.count > 0 {
                var table = Table(title: "Changed decisions by group", [.init("group", .left), .init("changed")])
                for (name, count) in zip(audit.main.groups, flips.byGroup) { table.append([name, "\(count)"]) }
                page.table(table)
                page.table(records(flips.records, "Changed decisions, the most certain on both sides first"))
            }
        }
        let mistakes = audit.mistakes
        if mistakes.labelled > 0 {
            page.heading("Between decision and label")
            page.paragraph("\(mistakes.count) of \(mistakes.labelled) labelled rows are decided wrongly.")
            if !mistakes.records.isEmpty { page.table(records(mistakes.records, "Wrong decisions, the most certain first")) }
        }
    }

    private func records(_ records: [AuditedRecord], _ title: String) -> Table {
        let hasRaw = records.contains { $0.rawLogit != nil }, hasLogit = records.contains { $0.logit != nil }
        var table = Table(
            title: title,
            [.init("record", .left), .init("group", .left)] + (hasRaw ? [.init("logit before")] : []) + [.init(hasLogit ? "logit" : "probability")]
                + [.init("decision"), .init("label")])
        for record in records {
            table.append(
                [record.id, record.group ?? "unknown"] + (hasRaw ? [Figure.text(record.rawLogit)] : [])
                    + [Figure.text(hasLogit ? record.logit : record.probability), "\(record.decision)", record.label.map(String.init) ?? "–"])
        }
        return table
    }

    /// What has no value, and why; each reason once.
    mutating func undefined(_ audit: AuditDocument) {
        var reasons: [String] = []
        func add(_ text: String) { if !reasons.contains(text) { reasons.append(text) } }
        for metric in Metric.allCases {
            let report = audit.main.after[metric]
            if let reason = report.overall.reason { add("\(metric.rawValue) overall: \(reason)") }
            for (name, value) in zip(audit.main.groups, report.byGroup) { if let reason = value.reason { add("\(metric.rawValue) of \(name): \(reason)") } }
        }
        for gap in audit.main.after.gaps { if let reason = gap.value.reason { add("gap of \(gap.measure.title): \(reason)") } }
        guard !reasons.isEmpty else { return }
        page.section("What is undefined, and why")
        page.paragraph("No figure is put in the place of one that does not exist.")
        if reasons.count > 12 {
            page.details("\(reasons.count) figures") { $0.list(reasons) }
        } else {
            page.list(reasons)
        }
    }

    mutating func environment() {
        page.section("Where it was made, and how to make it again")
        let here = document.environment
        var facts: [HTMLPage.Fact] = []
        if let run = document.run {
            facts.append(.init("Training", run.trainingCommand, isCode: true))
            facts.append(.init("Trained with", "facefair \(run.record.facefairVersion), \(run.record.threads) threads; the result does not depend on their number"))
        }
        if let audit = document.audit {
            if audit.command != document.command { facts.append(.init("Audit", audit.command.text(in: audit.environment), isCode: true)) }
            facts.append(.init("Predictions", "`\(audit.source.file)`, \(audit.source.bytes) bytes, SHA-256 `\(audit.source.sha256)`"))
            let columns = audit.source.columns
            let read = [
                columns.groupBy.map { "groups from \($0.joined(separator: ", "))" }, columns.logit.map { "log-odds from \($0)" },
                audit.settings.projected.map { "the fairness layer applied by this audit with ε = \($0)" } ?? columns.rawLogit.map { "log-odds before the layer from \($0)" },
                columns.score.map { "probabilities from \($0)" },
                audit.settings.decisions == "column" ? columns.decision.map { "decisions from \($0)" } : "decision 1 where the score is at least \(audit.settings.threshold)",
                columns.label.map { "labels from \(audit.source.labelFile.map { "\($0), " } ?? "")\($0)" },
            ].compactMap(\.self)
            facts.append(.init("Columns", read.joined(separator: "; ")))
            if audit.source.failedRecords > 0 { facts.append(.init("Failed records", "\(audit.source.failedRecords) have no prediction and take no part", tone: .unsure)) }
            if let unmatched = audit.source.unmatched, unmatched > 0 { facts.append(.init("Rows without label", "\(unmatched) found none by their id", tone: .unsure)) }
        }
        facts.append(.init("This page", document.command.text(in: here), isCode: true))
        facts.append(.init("In folder", "`\(here.directory)`"))
        facts.append(
            .init("Machine", "facefair \(here.facefairVersion); \(here.operatingSystem); \(here.processor), \(here.cores) cores, \(here.instructionSet) kernels"))
        page.facts(facts)
    }
}
