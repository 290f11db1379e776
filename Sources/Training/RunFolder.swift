// A run's files: run.json, history.csv, best and last model, resume file, refused images.
import FaceData
import Foundation
import NeuralNetwork

public struct RunFolder: Sendable {
    public let url: URL

    public init(_ url: URL) { self.url = url }

    public var best: URL { url.appendingPathComponent("best.safetensors") }
    public var last: URL { url.appendingPathComponent("last.safetensors") }
    public var resume: URL { url.appendingPathComponent("resume.safetensors") }
    public var record: URL { url.appendingPathComponent("run.json") }
    public var history: URL { url.appendingPathComponent("history.csv") }
    /// Every logged step and epoch, for tables and for programs.
    public var metricsTable: URL { url.appendingPathComponent("metrics.csv") }
    public var metricsLines: URL { url.appendingPathComponent("metrics.jsonl") }
    /// The settings as flags, which `facefair train --config` takes.
    public var flags: URL { url.appendingPathComponent("config.yaml") }
    public var badImages: URL { url.appendingPathComponent("bad_images.jsonl") }

    /// The model of one epoch, as --save-period keeps it.
    public func numbered(_ epoch: Int) -> URL { url.appendingPathComponent("epoch-\(String(format: "%04d", epoch)).safetensors") }

    private var numberedFiles: [URL] { files(named: /epoch-\d{4,}\.safetensors/) }

    private func files(named pattern: some RegexComponent) -> [URL] {
        ((try? FileManager.default.contentsOfDirectory(at: url, includingPropertiesForKeys: nil)) ?? [])
            .filter { $0.lastPathComponent.wholeMatch(of: pattern) != nil }
            .sorted { $0.lastPathComponent < $1.lastPathComponent }
    }

    /// Removes the oldest numbered models beyond `count`.
    func pruneNumbered(keeping count: Int) {
        for file in numberedFiles.dropLast(count) { try? FileManager.default.removeItem(at: file) }
    }

    /// Makes the folder. Errors: ``TrainingError/wouldOverwrite(_:)`` if a run is there and may not be replaced.
    public func create(replacing: Bool) throws {
        let manager = FileManager.default
        if !replacing, manager.fileExists(atPath: record.path) { throw TrainingError.wouldOverwrite(url.path) }
        try manager.createDirectory(at: url, withIntermediateDirectories: true)
        for file in [best, last, resume, history, badImages, metricsTable, metricsLines] + numberedFiles
            + files(named: /events\.out\.tfevents\..*/)
        { try? manager.removeItem(at: file) }
    }

    public func write(_ record: RunRecord) throws {
        let encoder = JSONEncoder()
        encoder.keyEncodingStrategy = .convertToSnakeCase
        encoder.outputFormatting = [.sortedKeys, .prettyPrinted, .withoutEscapingSlashes]
        try AtomicFile.write(try encoder.encode(record), to: self.record)
    }

    public func readRecord() throws -> RunRecord {
        guard let data = try? Data(contentsOf: record) else {
            throw TrainingError.cannotResume("\(url.path): no run.json there, so there is no run to go on with")
        }
        let decoder = JSONDecoder()
        decoder.keyDecodingStrategy = .convertFromSnakeCase
        do { return try decoder.decode(RunRecord.self, from: data) } catch {
            throw TrainingError.cannotResume("\(record.path): cannot be read: \(error)")
        }
    }
}

/// run.json: what was trained on what, with which settings, and how it ended.
public struct RunRecord: Codable, Equatable, Sendable {
    public enum Status: String, Codable, Sendable { case running, finished, interrupted }

    public var facefairVersion = "0.1.0"
    public var status = Status.running
    public var configuration: TrainingConfiguration
    public var data: DataDescription
    public var command: [String]
    public var threads: Int
    public var workers: Int
    public var parameters: Int
    public var startedAt: String
    public var finishedAt: String?
    public var epochsRun = 0
    public var bestEpoch: Int?
    public var bestValidLoss: Double?
    /// Of `configuration.evaluationMetric`.
    public var bestEvaluationMetric: Double?
    public var badImages = 0

    public struct DataDescription: Codable, Equatable, Sendable {
        public var root: String
        public var synthetic: Bool
        /// Samples per split, and per group in the training split.
        public var train: Int
        public var valid: Int
        public var test: Int
        public var groups: [String: Int]
        public var baseRate: Double
    }
}
