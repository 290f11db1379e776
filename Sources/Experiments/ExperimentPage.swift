// An experiment's results as one page: what was compared, charts, tables, where paper and code disagree, how to run it again.
import Reporting

/// The page written beside results.csv or streams.csv.
public struct ExperimentPage {
    private let title: ExperimentTitle
    private let choices: [String]
    private let command: String

    /// - `choices`: the lines of ``PaperChoices``.
    /// - `command`: what to type to get these results again.
    public init(title: ExperimentTitle, choices: [String], command: String) {
        (self.title, self.choices, self.command) = (title, choices, command)
    }

    /// Methods × seeds, overall and by group.
    public func html(_ results: [MethodResult], tables: [Table]) -> String {
        let rows = results.grouped { "\($0.row.rawValue), \($0.backbone.rawValue)" }
        let charts = [
            chart("Accuracy of the test split", .init("accuracy"), rows) { $0.accuracy },
            chart("Gap between group means of the scores", .init("mean-logit gap", unit: "logits"), rows) { $0.meanLogitGap },
            chart("Difference of selection rates", .init("demographic parity difference"), rows) { $0.demographicParityDifference },
        ]
        return page(
            lead: """
                Every row is one way to use a trained model on the same test images. The fairness layer and the projection make the mean \
                scores of the groups equal within epsilon by construction; decisions are made at a logit of 0, and equal mean scores do not \
                make the shares of positive decisions equal, so both are shown.
                """, charts: charts, tables: tables)
    }

    /// The streaming ablation.
    public func html(_ streams: [StreamResult], tradeoff: SVGChart, tables: [Table]) -> String {
        let rows = streams.grouped { "\($0.algorithm?.rawValue ?? "whole split")\($0.algorithm == nil ? "" : " by \($0.batch)")" }
        let charts = [
            chart("Accuracy of the stream", .init("accuracy"), rows) { $0.accuracy },
            chart("Gap pooled over the stream", .init("mean-logit gap", unit: "logits"), rows) { $0.pooledGap },
            tradeoff,
        ]
        return page(
            lead: """
                The same test split, sent as a stream of small batches that keep the share of every group, made fair in different ways; \
                the last row projects the whole split at once, which a stream cannot do. The gap is that of everything emitted.
                """, charts: charts, tables: tables)
    }

    private func page(lead: String, charts: [SVGChart], tables: [Table]) -> String {
        var page = HTMLPage(title: "facefair experiment")
        if !title.isComparable {
            page.notice("These are not the paper's data and settings: the numbers test the software and the order of the methods, and are "
                + "not a reproduction of the paper's figures.", tone: .unsure)
        }
        page.paragraph(lead)
        page.section("At a glance")
        page.charts(charts)
        page.section("Results")
        for table in tables { page.table(table) }
        page.section("Where the paper and its code disagree")
        page.list(choices)
        page.section("Run it again")
        page.code(command)
        return page.html(subtitle: title.text)
    }

    /// One row per way: the mean over seeds, with the smallest and the largest as whiskers.
    private func chart<Result>(
        _ name: String, _ axis: SVGChart.Axis, _ rows: [(key: String, elements: [Result])], value: (Result) -> Double?
    ) -> SVGChart {
        let intervals = rows.map { key, elements in
            let values = elements.map(value)
            let known = values.compactMap(\.self)
            return SVGChart.Interval(key, value: Statistics.mean(values), low: known.min(), high: known.max())
        }
        let text = intervals.map { "\($0.label) \($0.value.map(Statistics.digits) ?? "undefined")" }.joined(separator: "; ")
        return .intervals(
            title: name, description: "\(axis.title), mean over seeds, whiskers from the smallest to the largest: \(text).", x: axis, rows: intervals)
    }
}
