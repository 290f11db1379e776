// A run's measurements as they come: metrics.csv, metrics.jsonl and a TensorBoard event file, one row per logged step and epoch.
import Foundation
import NeuralNetwork
import Reporting

/// Appends whole rows, so that a process that dies loses at most the row it was writing.
final class MetricsLog {
    private let table: FileHandle
    private let lines: FileHandle
    private let events: EventFile

    /// - Parameter through: the optimizer step that a resumed run goes on from; later rows are dropped. nil starts anew.
    init(_ folder: RunFolder, through step: Int?) throws {
        if let step {
            try Self.keep(folder.metricsTable, header: Self.header) { Self.stepOfRow($0) ?? .max <= step }
            try Self.keep(folder.metricsLines, header: nil) { Self.stepOfLine($0) ?? .max <= step }
        } else {
            try AtomicFile.write(Data((Self.header + "\n").utf8), to: folder.metricsTable)
            try AtomicFile.write(Data(), to: folder.metricsLines)
        }
        table = try FileHandle(forWritingTo: folder.metricsTable)
        lines = try FileHandle(forWritingTo: folder.metricsLines)
        try table.seekToEnd()
        try lines.seekToEnd()
        events = try EventFile(in: folder.url)
    }

    /// One batch: loss and gap after the method.
    func step(
        epoch: Int, step: Int, learningRate: Double, loss: Double, gap: Double, multiplier: Double?, imagesPerSecond: Double
    ) throws {
        try append(
            "step", epoch, step, time: imagesPerSecond,
            [("lr", learningRate), ("train_loss", loss), ("train_gap", gap), ("lambda", multiplier)])
    }

    /// One epoch with its validation.
    func epoch(_ row: EpochRow) throws {
        try append(
            "epoch", row.epoch, row.step, time: row.imagesPerSecond,
            [
                ("lr", row.learningRate), ("train_loss", row.trainLoss), ("train_gap", row.trainGap), ("val_loss", row.validLoss),
                ("val_accuracy", row.validAccuracy), ("val_balanced_accuracy", row.validBalancedAccuracy),
                ("val_gap_score", row.validGap), ("val_gap_decision", row.validDecisionGap), ("lambda", row.multiplier),
                ("seconds", row.seconds),
            ])
        try events.flush()
    }

    // MARK: Rows

    private static let columns = [
        "lr", "train_loss", "train_gap", "val_loss", "val_accuracy", "val_balanced_accuracy", "val_gap_score", "val_gap_decision",
        "lambda", "images_per_second", "seconds",
    ]
    private static let header = (["epoch", "step"] + columns).joined(separator: ",")

    private func append(_ kind: String, _ epoch: Int, _ step: Int, time rate: Double, _ values: [(String, Double?)]) throws {
        let known = Dictionary(uniqueKeysWithValues: (values + [("images_per_second", rate)]).compactMap { name, value in
            value.flatMap { $0.isFinite ? (name, $0) : nil }
        })
        let cells = Self.columns.map { known[$0].map { "\($0)" } ?? "" }
        try table.write(contentsOf: Data((["\(epoch)", "\(step)"] + cells).joined(separator: ",").utf8 + [10]))
        let fields = Self.columns.compactMap { name in known[name].map { "\"\(name)\":\($0)" } }
        let line = "{\"kind\":\"\(kind)\",\"epoch\":\(epoch),\"step\":\(step)" + fields.map { "," + $0 }.joined() + "}\n"
        try lines.write(contentsOf: Data(line.utf8))
        for name in Self.columns { if let value = known[name] { events.add(Self.tag(name, kind), Float(value), step: step) } }
    }

    /// Names under which TensorBoard groups its charts: `train/loss`, `val/accuracy`, and the epoch's own means apart from a step's.
    private static func tag(_ column: String, _ kind: String) -> String {
        if column.hasPrefix("val_") { return "val/" + column.dropFirst(4) }
        let name = column.hasPrefix("train_") ? String(column.dropFirst(6)) : column
        return (kind == "epoch" ? "train_epoch/" : "train/") + name
    }

    // MARK: Going on

    private static func keep(_ url: URL, header: String?, _ belongs: (Substring) -> Bool) throws {
        let text = (try? String(contentsOf: url, encoding: .utf8)) ?? ""
        let rows = text.split(separator: "\n").dropFirst(header == nil ? 0 : 1).filter(belongs)
        try AtomicFile.write(Data(((header.map { [$0] } ?? []) + rows.map(String.init)).map { $0 + "\n" }.joined().utf8), to: url)
    }

    private static func stepOfRow(_ row: Substring) -> Int? {
        let cells = row.split(separator: ",", omittingEmptySubsequences: false)
        return cells.count == columns.count + 2 ? Int(cells[1]) : nil  // a row cut short by a crash has fewer
    }

    private static func stepOfLine(_ line: Substring) -> Int? {
        struct Row: Decodable { let step: Int }
        return (try? JSONDecoder().decode(Row.self, from: Data(line.utf8)))?.step
    }
}
