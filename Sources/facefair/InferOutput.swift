// The three ways in which `facefair infer` prints answers, and its summary for people.
import Fairness
import Foundation
import Inference

protocol AnswerPrinter: AnyObject {
    func print(_ answers: [RecordAnswer]) throws
    func finish(_ stream: StreamingInference) throws
}

private func writeOutput(_ bytes: [UInt8]) throws { try ByteFiles.write(bytes, to: STDOUT_FILENO, name: "standard output") }

/// One line per answer, a batch at a time.
final class NDJSONPrinter: AnswerPrinter {
    private let writer: RecordWriter

    init(_ stream: StreamingInference) { writer = RecordWriter(stream) }

    func print(_ answers: [RecordAnswer]) throws { try writeOutput(writer.lines(answers)) }
    func finish(_ stream: StreamingInference) throws {}
}

/// One object at the end.
final class JSONPrinter: AnswerPrinter {
    private let writer: RecordWriter
    private let file: String
    private let isSynthetic: Bool
    private var answers: [RecordAnswer] = []

    init(_ stream: StreamingInference, _ predictor: Predictor, file: String) {
        writer = RecordWriter(stream)
        self.file = file
        isSynthetic = predictor.metadata.synthetic
    }

    func print(_ answers: [RecordAnswer]) throws { self.answers += answers }

    func finish(_ stream: StreamingInference) throws {
        var json = JSONWriter()
        json.object { object in
            object.field("model", stream.modelName)
            object.field("model_file", file)
            object.field("synthetic", isSynthetic)
            object.array("results") { results in for answer in answers { writer.write(answer, to: &results) } }
            object.object("summary") { stream.summary.write(to: &$0, lambda: stream.online.multiplier) }
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

    func print(_ answers: [RecordAnswer]) throws {
        var text = ""
        if !hasHeader {
            text += "\(padded("image"))  decision   score      logit  logit_raw  group\n"
            hasHeader = true
        }
        for answer in answers {
            let name = padded(answer.id.spelling ?? "")
            switch answer.result {
            case .success(let score):
                let probability = sigmoid(score.logit)
                let numbers = String(
                    format: "%8d  %6.4f  %9.4f  %9.4f", probability >= threshold ? 1 : 0, probability, score.logit, score.rawLogit)
                text += "\(name)  \(numbers)  \(features.label(score.group))\n"
            case .failure(let error): text += "\(name)     error  \(error.code.rawValue): \(error.message)\n"
            }
        }
        try writeOutput(Array(text.utf8))
    }

    func finish(_ stream: StreamingInference) throws {}

    private func padded(_ text: String) -> String { text + String(repeating: " ", count: max(0, width - text.count)) }
}

enum InferSummary {
    static func lines(_ stream: StreamingInference) -> [String] {
        let summary = stream.summary
        func fixed(_ value: Double, _ digits: Int = 6) -> String { String(format: "%.\(digits)f", value) }
        let rate = summary.seconds > 0 ? Double(summary.records) / summary.seconds : 0
        var lines = [
            "\(summary.records) records: \(summary.answered) ok, \(summary.failed) failed; \(summary.batches) batches; \(fixed(summary.seconds, 2)) s, \(fixed(rate, 0)) records/s"
        ]
        for code in RecordErrorCode.allCases {
            if let count = summary.failures[code] { lines.append("  \(code.rawValue): \(count)") }
        }
        guard summary.answered > 0 else { return lines }
        if summary.unknownGroups > 0 { lines.append("unknown group, passed through: \(summary.unknownGroups)") }
        if let before = summary.accuracyBefore, let after = summary.accuracyAfter {
            lines.append("accuracy  raw \(fixed(before, 4))  fair \(fixed(after, 4))  (\(summary.labelled) labelled)")
        }
        if summary.unknownGroups < summary.answered, let step = summary.lastStep {
            lines.append("mean-logit gap over all records  raw \(fixed(summary.raw.gap))  fair \(fixed(summary.fair.gap))  (epsilon \(stream.settings.tolerance))")
            let regimes = [Regime.hard, .primalDual].map { "\(summary.regimes[$0] ?? 0) \($0.rawValue)" }.joined(separator: ", ")
            lines.append("average gap of batches \(fixed(step.averageGap)), bound \(fixed(step.bound)); batches \(regimes); lambda \(fixed(stream.online.multiplier)) after \(step.updates) updates")
        }
        return lines
    }
}
