// An experiment's results as tables beside the published numbers.
import FaceData
import Fairness
import Foundation
import NeuralNetwork
import Reporting
import Training

/// What a table of results must say of itself.
public struct ExperimentTitle: Sendable {
    public let text: String
    /// The paper's data at the paper's scale: its numbers may stand beside ours as a comparison.
    public let isComparable: Bool

    public init(dataset: FaceDataset, scale: ExperimentScale, configuration: TrainingConfiguration) {
        isComparable = !dataset.isSynthetic && scale == .paper && dataset.name != "folder"
        let part = dataset.reducedFrom.map { ", \(dataset.count) of its \($0) images" } ?? ""
        let kind =
            dataset.isSynthetic
            ? "SYNTHETIC \(dataset.name)\(part) (drawn faces, not the paper's data)"
            : isComparable ? "\(dataset.name), the paper's settings" : "\(dataset.name)\(part), \(scale.rawValue) scale (not the paper's settings)"
        text = "\(kind): \(dataset.target), test split of \(dataset.samples(.test).count), epsilon \(configuration.epsilon)"
    }
}

public enum ExperimentTables {
    /// One row per backbone and method: mean and deviation over seeds; the paper's number and the difference where it has one.
    public static func overall(_ results: [MethodResult], title: ExperimentTitle, dataset: String) -> Table {
        var columns: [Table.Column] = [
            .init("backbone", .left), .init("method", .left), .init("accuracy"), .init("BCE"), .init("mean-logit gap (scores)"),
            .init("pairs beyond ε"), .init("demographic parity difference (decisions)"), .init("Δ accuracy"), .init("λ"), .init("seeds"),
        ]
        let published = results.contains { PublishedResult.row(dataset: dataset, backbone: $0.backbone, $0.row) != nil }
        if published {
            let heading = title.isComparable ? "paper" : "paper (other data)"
            columns += [.init("\(heading) accuracy"), .init("\(heading) gap")]
            if title.isComparable { columns.append(.init("accuracy − paper")) }
        }
        columns.append(.init("seconds per epoch"))
        var table = Table(title: title.text, columns)
        for (key, rows) in sorted(results) {
            let layer = Statistics.mean(results.filter { $0.backbone == key.backbone && $0.row == .fairnessLayer }.map(\.accuracy))
            let accuracy = Statistics.mean(rows.map(\.accuracy))
            let relative = accuracy.flatMap { a in layer.map { 100 * (a - $0) / $0 } }
            var cells = [
                key.backbone.rawValue, key.row.rawValue, Statistics.spread(rows.map(\.accuracy)), Statistics.spread(rows.map(\.bce)),
                Statistics.spread(rows.map(\.meanLogitGap)), rows.map { "\($0.pairsViolated)" }.joined(separator: " ") + " of \(rows[0].pairs)",
                Statistics.spread(rows.map(\.demographicParityDifference)),
                relative.map { String(format: "%+.2f %%", $0) } ?? "-",
                rows.compactMap(\.penaltyWeight).map { String(format: "%g", $0) }.joined(separator: " "), "\(rows.count)",
            ]
            if published {
                let paper = PublishedResult.row(dataset: dataset, backbone: key.backbone, key.row)
                cells += [paper.map { Statistics.digits($0.accuracy) } ?? "-", paper?.gap.map(Statistics.digits) ?? "-"]
                if title.isComparable { cells.append(Statistics.signed(accuracy.flatMap { a in paper.map { a - $0.accuracy } })) }
            }
            table.append(cells + [Statistics.mean(rows.map(\.epochSeconds)).map { String(format: "%.1f", $0) } ?? "-"])
        }
        return table
    }

    /// Accuracy, mean logit and selection rate per row and group.
    public static func byGroup(_ results: [MethodResult], title: ExperimentTitle) -> Table {
        var table = Table(
            title: "By group. " + title.text,
            [
                .init("backbone", .left), .init("method", .left), .init("group", .left), .init("n"), .init("accuracy"),
                .init("mean logit (scores)"), .init("selection rate (decisions)"),
            ])
        for (key, rows) in sorted(results) {
            for (k, first) in rows[0].groups.enumerated() {
                table.append([
                    key.backbone.rawValue, key.row.rawValue, first.group, "\(first.count)",
                    Statistics.spread(rows.map { $0.groups[k].accuracy }), Statistics.spread(rows.map { $0.groups[k].meanLogit }),
                    Statistics.spread(rows.map { $0.groups[k].selectionRate }),
                ])
            }
        }
        return table
    }

    /// The streaming ablation: one row per backbone, batch size and algorithm.
    public static func streams(_ results: [StreamResult], title: ExperimentTitle) -> Table {
        let heading = title.isComparable ? "paper" : "paper (other data)"
        var table = Table(
            title: "Streams. " + title.text,
            [
                .init("backbone", .left), .init("batch"), .init("algorithm", .left), .init("accuracy"), .init("pooled gap (scores)"),
                .init("mean pairwise gap"), .init("pairs beyond ε"), .init("\(heading) accuracy"), .init("\(heading) gap"),
                .init("\(heading) pairs beyond ε"), .init("milliseconds"),
            ])
        struct Key: Hashable { let backbone: BackboneName, batch: Int, algorithm: StreamAlgorithm? }
        for (key, rows) in results.grouped(by: { Key(backbone: $0.backbone, batch: $0.batch, algorithm: $0.algorithm) }) {
            let paper = key.backbone == .simpleCNN ? key.algorithm.flatMap { PublishedStream.cell($0, batch: key.batch) } : nil
            table.append([
                key.backbone.rawValue, "\(key.batch)", key.algorithm?.rawValue ?? "whole split projected",
                Statistics.spread(rows.map(\.accuracy)), Statistics.spread(rows.map(\.pooledGap)),
                Statistics.spread(rows.map(\.meanPairwiseGap)),
                rows.map { "\($0.pairsViolated)" }.joined(separator: " ") + " of \(rows[0].pairs)",
                paper.map { Statistics.digits($0.accuracy) } ?? "-", paper.map { Statistics.digits($0.gap) } ?? "-",
                paper.map { "\($0.pairsViolated) of 91" } ?? "-",
                String(format: "%.1f", 1000 * rows.reduce(0) { $0 + $1.seconds } / Double(rows.count)),
            ])
        }
        return table
    }

    private struct RowKey: Hashable { let backbone: BackboneName, row: ExperimentRow }

    /// In the paper's order of methods, whatever the order in which they were run.
    private static func sorted(_ results: [MethodResult]) -> [(key: RowKey, elements: [MethodResult])] {
        let order = Dictionary(uniqueKeysWithValues: ExperimentRow.allCases.enumerated().map { ($1, $0) })
        return results.grouped(by: \.backbone).flatMap { _, rows in
            rows.sorted { order[$0.row]! < order[$1.row]! }.grouped { RowKey(backbone: $0.backbone, row: $0.row) }
        }
    }
}
