// A comparison's results as tables: one row per method, mean and standard deviation over seeds; and one per group.
import Foundation
import Reporting

public enum ComparisonTable {
    /// Accuracy, BCE, gaps on scores and on decisions per row.
    public static func overall(_ results: [MethodResult], title: String) -> Table {
        var table = Table(
            title: title,
            [
                .init("method", .left), .init("accuracy"), .init("BCE"), .init("mean-logit gap (scores)"),
                .init("demographic parity difference (decisions)"), .init("seeds"),
            ])
        for (row, group) in grouped(results) {
            table.append([
                row, spread(group.map(\.accuracy)), spread(group.map(\.bce)), spread(group.map(\.meanLogitGap)),
                spread(group.map(\.demographicParityDifference)), "\(group.count)",
            ])
        }
        return table
    }

    /// Accuracy, mean logit and selection rate per row and group.
    public static func byGroup(_ results: [MethodResult], title: String) -> Table {
        var table = Table(
            title: title,
            [
                .init("method", .left), .init("group", .left), .init("n"), .init("accuracy"), .init("mean logit (scores)"),
                .init("selection rate (decisions)"),
            ])
        for (row, group) in grouped(results) {
            for (k, first) in group[0].groups.enumerated() {
                table.append([
                    row, first.group, "\(first.count)", spread(group.map { $0.groups[k].accuracy }),
                    spread(group.map { $0.groups[k].meanLogit }), spread(group.map { $0.groups[k].selectionRate }),
                ])
            }
        }
        return table
    }

    private static func grouped(_ results: [MethodResult]) -> [(row: String, results: [MethodResult])] {
        var order: [String] = []
        for result in results where !order.contains(result.row) { order.append(result.row) }
        return order.map { row in (row, results.filter { $0.row == row }) }
    }

    /// Mean, and the sample standard deviation where there are several seeds; a dash where a seed has no value.
    private static func spread(_ values: [Double?]) -> String {
        let known = values.compactMap(\.self)
        guard known.count == values.count, !known.isEmpty else { return "-" }
        let mean = known.reduce(0, +) / Double(known.count)
        guard known.count > 1 else { return digits(mean) }
        let variance = known.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(known.count - 1)
        return "\(digits(mean)) ± \(digits(variance.squareRoot()))"
    }

    private static func digits(_ value: Double) -> String {
        abs(value) < 0.001 && value != 0 ? String(format: "%.1e", value) : String(format: "%.4f", value)
    }
}
