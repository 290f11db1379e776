// The summary of `facefair project` for people, on stderr.
import Fairness
import Foundation
import Inference

struct ProjectSummary {
    let table: ScoreTable
    let fair: FairScores
    let threshold: Double

    /// More groups than this are not listed one by one.
    private static let listedGroups = 40

    var text: String {
        var lines: [String] = []
        if !table.ignoredColumns.isEmpty { lines.append("ignored: \(table.ignoredColumns.joined(separator: ", "))") }
        let batches = fair.batches == 1 ? "one batch" : "\(fair.batches) batches"
        let how = fair.stream?.name.rawValue ?? "projected"
        lines.append(
            "\(table.count) rows, \(fair.groupNames.count) groups, \(fair.unknownRows) rows of unknown group; \(batches), \(how), epsilon \(fair.settings.tolerance); \(Self.fixed(fair.elapsed.milliseconds, 2)) ms")
        if fair.groupNames.count <= Self.listedGroups {
            let width = max(5, fair.groupNames.map(\.count).max() ?? 0)
            lines.append("  \(Self.pad("group", width))  \(Self.left("rows", 9))  \(Self.left("mean before", 12))  \(Self.left("mean after", 12))")
            for (index, name) in fair.groupNames.enumerated() {
                let (before, after) = (fair.before.means[index] ?? 0, fair.after.means[index] ?? 0)
                lines.append(
                    "  \(Self.pad(name, width))  \(Self.left("\(fair.before.counts[index])", 9))  \(Self.left(Self.fixed(before, 6), 12))  \(Self.left(Self.fixed(after, 6), 12))")
            }
        }
        lines.append("mean-logit gap  before \(Self.fixed(fair.before.gap, 6))  after \(Self.fixed(fair.after.gap, 6))")
        if fair.settings.criterion != .demographicParity {
            lines.append(
                "\(fair.settings.criterion.rawValue)  before \(Self.fixed(fair.criterionGaps.before, 6))  after \(Self.fixed(fair.criterionGaps.after, 6))")
        }
        if fair.batches > 1 { lines.append("largest gap inside a batch  \(Self.fixed(fair.largestBatchGap, 6))") }
        if let stream = fair.stream {
            lines.append(
                stream.name == .anytime
                ? "gap of everything so far \(Self.fixed(stream.pooledGap, 6)), bound \(Self.fixed(stream.bound, 6)) after \(stream.updates) batches"
                : "average gap of batches \(Self.fixed(stream.averageGap, 6)), bound \(Self.fixed(stream.bound, 6)), lambda \(Self.fixed(stream.multiplier, 6)) after \(stream.updates) updates")
        }
        if let accuracy = fair.accuracy(table, threshold: threshold) {
            lines.append(
                "accuracy  before \(Self.fixed(accuracy.before, 4))  after \(Self.fixed(accuracy.after, 4))  (\(accuracy.rows) labelled rows)")
        }
        return lines.joined(separator: "\n")
    }

    private static func fixed(_ value: Double, _ digits: Int) -> String { String(format: "%.\(digits)f", value) }
    private static func pad(_ text: String, _ width: Int) -> String { text + String(repeating: " ", count: max(0, width - text.count)) }
    private static func left(_ text: String, _ width: Int) -> String { String(repeating: " ", count: max(0, width - text.count)) + text }
}
