// The three ways in which `facefair infer` prints answers, and its summary for people.
import Fairness
import Foundation
import Inference

protocol AnswerPrinter: AnyObject {
    func print(_ batch: AnsweredBatch) throws
    func finish(_ stream: StreamingInference) throws
}

private func writeOutput(_ bytes: [UInt8]) throws { try ByteFiles.write(bytes, to: STDOUT_FILENO, name: "standard output") }

/// One line per answer, a batch at a time.
final class NDJSONPrinter: AnswerPrinter {
    func print(_ batch: AnsweredBatch) throws { try writeOutput(batch.lines) }
    func finish(_ stream: StreamingInference) throws {}
}

/// One object at the end.
final class JSONPrinter: AnswerPrinter {
    struct Model {
        let file: String?
        let isSynthetic: Bool
    }

    private let writer: RecordWriter
    private let model: Model
    private var answers: [RecordAnswer] = []

    init(_ stream: StreamingInference, _ model: Model) {
        writer = RecordWriter(stream)
        self.model = model
    }

    func print(_ batch: AnsweredBatch) throws { answers += batch.answers }

    func finish(_ stream: StreamingInference) throws {
        var json = JSONWriter()
        json.object { object in
            object.field("model", stream.modelName)
            object.field("model_file", model.file)
            object.field("synthetic", model.isSynthetic)
            object.array("results") { results in for answer in answers { writer.write(answer, to: &results) } }
            object.object("summary") { InferSummary.write(stream, to: &$0) }
        }
        json.newline()
        try writeOutput(json.bytes)
    }
}

/// A line per image file.
final class TablePrinter: AnswerPrinter {
    private let features: SensitiveFeatures
    private let threshold: Double
    private let width: Int
    private var hasHeader = false

    init(_ stream: StreamingInference, _ files: [String]) {
        features = stream.features
        threshold = stream.settings.threshold
        width = min(60, max(5, files.map(\.count).max() ?? 0))
    }

    func print(_ batch: AnsweredBatch) throws {
        var text = ""
        if !hasHeader {
            text += "\(padded("image"))  decision   score      logit  logit_raw  group\n"
            hasHeader = true
        }
        for answer in batch.answers {
            let name = padded(answer.id.spelling ?? "")
            switch answer.result {
            case .success(let score):
                let probability = sigmoid(score.logit)
                let numbers = String(
                    format: "%8d  %6.4f  %9.4f  %9.4f", probability >= threshold ? 1 : 0, probability, score.logit, score.rawLogit)
                let warnings = score.imageWarnings
                let forgiven = warnings > 0 ? "  (\(warnings) decoder warning\(warnings == 1 ? "" : "s"))" : ""
                text += "\(name)  \(numbers)  \(features.label(score.group))\(forgiven)\n"
            case .failure(let error): text += "\(name)     error  \(error.code.rawValue): \(error.message)\n"
            }
        }
        try writeOutput(Array(text.utf8))
    }

    func finish(_ stream: StreamingInference) throws {}

    private func padded(_ text: String) -> String { text + String(repeating: " ", count: max(0, width - text.count)) }
}

enum InferSummary {
    /// This run's counts, and where the stream stands after it.
    static func write(_ stream: StreamingInference, to object: inout JSONWriter) {
        let online = stream.online
        stream.summary.write(to: &object)
        object.field("replayed", stream.replayed)
        object.field("algorithm", online.name.rawValue)
        object.field("average_gap", online.samples > 0 ? online.averageGap : nil)
        object.field("bound", online.samples > 0 ? online.bound : nil)
        object.field("lambda", online.multiplier)
        object.field("updates", online.updates)
        object.field("seconds", stream.seconds)
    }

    /// The sentence for images that --lenient-images let through, as of `train` and `data pack`.
    static func lenient(_ count: Int) -> String {
        "\(count) image\(count == 1 ? " was" : "s were") accepted with decoder warnings (--lenient-images); image_warnings in their answers"
    }

    static func lines(_ stream: StreamingInference) -> [String] {
        let (summary, online) = (stream.summary, stream.online)
        func fixed(_ value: Double, _ digits: Int = 6) -> String { String(format: "%.\(digits)f", value) }
        let count = summary.records + stream.replayed
        let rate = stream.seconds > 0 ? Double(count) / stream.seconds : 0
        let repeated = stream.replayed > 0 ? ", \(stream.replayed) answered before" : ""
        var lines = [
            "\(count) records: \(summary.answered) ok, \(summary.failed) failed\(repeated); \(summary.batches) batches; \(fixed(stream.seconds, 2)) s, \(fixed(rate, 0)) records/s"
        ]
        for code in RecordErrorCode.allCases {
            if let count = summary.failures[code.rawValue] { lines.append("  \(code.rawValue): \(count)") }
        }
        guard summary.answered > 0 else { return lines }
        if summary.imagesWithWarnings > 0 { lines.append(lenient(summary.imagesWithWarnings)) }
        if summary.unknownGroups > 0 { lines.append("unknown group, passed through: \(summary.unknownGroups)") }
        if let before = summary.accuracyBefore, let after = summary.accuracyAfter {
            lines.append("accuracy  raw \(fixed(before, 4))  fair \(fixed(after, 4))  (\(summary.labelled) labelled)")
        }
        guard summary.unknownGroups < summary.answered else { return lines }
        lines.append("mean-logit gap over all records  raw \(fixed(summary.raw.gap))  fair \(fixed(summary.fair.gap))  (epsilon \(stream.settings.tolerance))")
        let regimes = Regime.allCases.compactMap { regime in summary.regimes[regime.rawValue].map { "\($0) \(regime.rawValue)" } }
        let batches = "batches \(regimes.joined(separator: ", "))"
        switch online.name {
        case .primalDual:
            lines.append("average gap of batches \(fixed(online.averageGap)), bound \(fixed(online.bound)); \(batches); lambda \(fixed(online.multiplier)) after \(online.updates) updates")
        case .anytime:
            lines.append("gap of everything answered \(fixed(online.pooledGap)), bound \(fixed(online.bound)); \(batches)")
        }
        return lines
    }
}
