// Everything a report says, as one value: what `report.json` holds and `report.html` shows.
import Fairness
import Foundation
import Inference

public struct ReportDocument: Codable, Equatable, Sendable {
    public var kind = "facefair-report"
    public var version = 1
    public var createdAt: String
    /// Made this report.
    public var command: ShellCommand
    public var environment: RunEnvironment
    /// Absent where only predictions were reported.
    public var run: RunEvidence?
    /// Absent where a run has no predictions yet.
    public var audit: AuditDocument?

    public init(
        run: RunEvidence?, audit: AuditDocument?, command: ShellCommand, environment: RunEnvironment = .current, createdAt: Date = Date()
    ) {
        self.run = run
        self.audit = audit
        self.command = command
        self.environment = environment
        self.createdAt = ISO8601DateFormatter().string(from: createdAt)
    }

    /// Drawn faces, no real people; nil where nobody said.
    public var synthetic: Bool? { run?.record.data.synthetic ?? audit?.source.synthetic }

    public var title: String {
        if let run {
            let groups = run.record.configuration.groupBy.joined(separator: " × ")
            return "Fairness report: \(run.record.configuration.target)\(groups.isEmpty ? "" : " by \(groups)")"
        }
        return "Fairness report: \(audit.map { "\(URL(fileURLWithPath: $0.source.file).lastPathComponent) by \($0.main.title)" } ?? "no data")"
    }

    /// What ran before the predictions and what acted on them; decides which guarantee may be spoken of.
    public var layer: LayerUse {
        if let stream = audit?.stream { return stream.algorithm == "anytime" ? .anytime : .primalDual }
        if let audit, audit.main.before != nil { return .projection(tolerance: audit.settings.projected ?? run?.record.configuration.epsilon) }
        return .none
    }
}

/// How the fairness layer acted on reported scores.
public enum LayerUse: Equatable, Sendable {
    case none
    /// All rows together, or by somebody else's batches; nil: with a tolerance that is not known.
    case projection(tolerance: Double?)
    case primalDual, anytime
}

/// What a run folder says about its training.
public struct RunEvidence: Codable, Equatable, Sendable {
    /// One row of history.csv; what a row does not have, or is not finite, is absent.
    public struct Epoch: Codable, Equatable, Sendable {
        public var epoch: Int
        public var values: [String: Double]
        public subscript(column: String) -> Double? { values[column] }
    }

    public var folder: String
    public var record: RunRecord
    public var epochs: [Epoch]
    /// config.yaml, which `facefair train --config` takes.
    public var flags: String?

    /// Reads run.json, history.csv and config.yaml.
    ///
    /// Errors: ``TrainingError/cannotResume(_:)`` where there is no readable run.
    public static func read(_ folder: RunFolder) throws -> RunEvidence {
        RunEvidence(
            folder: folder.url.path, record: try folder.readRecord(), epochs: epochs(folder.history),
            flags: try? String(contentsOf: folder.flags, encoding: .utf8))
    }

    private static func epochs(_ history: URL) -> [Epoch] {
        guard let text = try? String(contentsOf: history, encoding: .utf8) else { return [] }
        var lines = text.split(separator: "\n").map { $0.split(separator: ",", omittingEmptySubsequences: false) }
        guard !lines.isEmpty else { return [] }
        let names = lines.removeFirst().map(String.init)
        return lines.compactMap { cells in
            guard cells.count == names.count, let epoch = Int(cells[0]) else { return nil }
            let pairs = zip(names, cells).dropFirst().compactMap { name, cell in Double(cell).flatMap { $0.isFinite ? (name, $0) : nil } }
            return Epoch(epoch: epoch, values: Dictionary(pairs) { first, _ in first })
        }
    }

    /// The points of a column over epochs.
    func points(_ column: String) -> [(x: Double, y: Double)] {
        epochs.compactMap { epoch in epoch[column].map { (x: Double(epoch.epoch), y: $0) } }
    }

    public var best: Epoch? { record.bestEpoch.flatMap { number in epochs.first { $0.epoch == number } } }

    /// Tables of predictions that belong to the run, if they were put beside it; the first that is there counts.
    public static let predictionNames = ["predictions.csv", "predictions.ndjson", "predictions.jsonl"]

    /// The command that makes ``predictionNames`` for a run.
    public var evaluationCommand: String {
        let configuration = record.configuration
        var words = ["facefair", "evaluate", folder, configuration.dataset, "--data", record.data.root]
        if configuration.dataset == "folder" { words += ["--target", configuration.target, "--group-by", configuration.groupBy.joined(separator: ",")] }
        return ShellCommand(words + ["--output", folder + "/predictions.csv"]).text
    }

    /// The command that trains the same model again: the same bytes, on this processor or another.
    public var trainingCommand: String { ShellCommand(record.command).text }
}
