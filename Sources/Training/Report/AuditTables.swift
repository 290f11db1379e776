// What stands in the tables of an audit, said once: the terminal, the page and the model card lay it out, each in its own way.
import Fairness
import Inference
import Reporting

/// Whom a row of a table by group is about.
public enum GroupRow: Sendable {
    case all, unknown
    /// Its name and its place among the groups.
    case group(String, Int)

    public var name: String {
        switch self {
        case .all: "all"
        case .unknown: "unknown"
        case .group(let name, _): name
        }
    }

    public func value(_ metric: Metric, in frame: FrameReport) -> MetricValue? {
        switch self {
        case .all: frame[metric].overall
        case .unknown: frame[metric].unknown
        case .group(_, let place): frame[metric].byGroup[place]
        }
    }

    public func confusion(in frame: FrameReport) -> ConfusionMatrix? {
        switch self {
        case .all: frame.confusion
        case .unknown: frame.confusionOfUnknown
        case .group(_, let place): frame.confusionByGroup[place]
        }
    }
}

extension GroupingReport {
    /// Everyone, each group, and those of unknown group where there are any.
    public var rows: [GroupRow] {
        [.all] + groups.enumerated().map { .group($1, $0) } + (after[.count].unknown == nil ? [] : [.unknown])
    }

    /// What tables by group show of each.
    public static let shownMetrics: [Metric] = [.meanLogit, .selectionRate, .truePositiveRate, .falsePositiveRate, .accuracy]

    /// Every metric over the groups: overall, and how far the groups are apart.
    public var metricTable: Table {
        var table = Table(
            title: "Every metric, over the groups of \(title)",
            [.init("metric", .left)] + (before == nil ? [] : [.init("overall before")])
                + ["overall", "smallest group", "largest group", "difference", "ratio"].map { .init($0) })
        for metric in Metric.allCases {
            let report = after[metric]
            let values = (before.map { [$0[metric].overall] } ?? []) + [report.overall, report.groupMin, report.groupMax, report.difference, report.ratio]
            table.append([metric.rawValue] + values.map { metric == .count ? Self.whole($0) : Figure.text($0.value) })
        }
        return table
    }

    /// The largest gap by each measure, with its interval and the verdict.
    public func gapTable(_ settings: AuditDocument.Settings) -> Table {
        var table = Table(
            title: "Largest gap between groups of \(title), simultaneous intervals at \(Figure.percent(settings.intervals.confidence))",
            [.init("measure", .left)] + (before == nil ? [] : [.init("before")])
                + [.init("gap"), .init("at least"), .init("at most"), .init("p"), .init("tolerance"), .init("verdict", .left)])
        for gap in after.gaps {
            table.append(
                [gap.measure.title] + (before.map { [Figure.text($0[gap.measure].value.value)] } ?? [])
                    + [gap.value, gap.lower, gap.upper, gap.pValue].map { Figure.text($0.value) }
                    + [gap.tolerance.map { "\($0)" } ?? "–", gap.verdict?.title ?? "–"])
        }
        return table
    }

    /// ``shownMetrics`` by group, after the layer beside before it.
    var groupTable: Table {
        let columns = Self.shownMetrics.flatMap { metric -> [Table.Column] in
            before == nil ? [.init(metric.title)] : [.init("\(metric.title) before"), .init("after")]
        }
        var table = Table(title: "By \(title)", [.init("group", .left), .init("n")] + columns)
        let frames = (before.map { [$0] } ?? []) + [after]
        for row in rows {
            let cells = Self.shownMetrics.flatMap { metric in frames.map { Figure.text(row.value(metric, in: $0)?.value) } }
            table.append([row.name, count(row)] + cells)
        }
        return table
    }

    /// How many records a row is about.
    public func count(_ row: GroupRow) -> String { row.value(.count, in: after).map(Self.whole) ?? "0" }

    private static func whole(_ value: MetricValue) -> String {
        value.value.map { $0 == $0.rounded() ? "\(Int($0))" : Figure.text($0) } ?? "–"
    }
}

extension Verdict {
    /// In words, for tables.
    var title: String { rawValue.split(separator: "_").joined(separator: " ") }
}
