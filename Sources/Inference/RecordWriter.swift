// Answers as NDJSON, with the keys and their order of docs/records.md.
import Fairness

public struct RecordWriter: Sendable {
    public let features: SensitiveFeatures
    public let modelName: String
    public let settings: StreamSettings
    /// `group` and `group_source` of each group, rendered once; unknown stands last.
    private let groupFields: [[UInt8]]

    public init(_ stream: StreamingInference) {
        self.init(features: stream.features, modelName: stream.modelName, settings: stream.settings)
    }

    init(features: SensitiveFeatures, modelName: String, settings: StreamSettings) {
        self.features = features
        self.modelName = modelName
        self.settings = settings
        groupFields = ((0..<features.groupCount) + [unknownGroup]).map { group in
            var writer = JSONWriter()
            writer.object { object in
                object.field("group", group == unknownGroup ? nil : features.label(group))
                object.field("group_source", group == unknownGroup ? "unknown" : "given")
            }
            return Array(writer.bytes.dropFirst().dropLast())
        }
    }

    /// One line per answer.
    public func lines(_ answers: [RecordAnswer]) -> [UInt8] {
        var bytes: [UInt8] = []
        for answer in answers {
            bytes += line(answer)
            bytes.append(0x0A)
        }
        return bytes
    }

    public func write(_ answer: RecordAnswer, to writer: inout JSONWriter) { writer.json(nil, line(answer)) }

    private func line(_ answer: RecordAnswer) -> [UInt8] {
        var writer = JSONWriter()
        writeHead(answer, to: &writer)
        guard case .success(let score) = answer.result else { return writer.bytes }
        return writer.bytes + tail(score)
    }

    // MARK: The two parts of an answer

    /// All of an answer but what its batch shares; an error has no such part.
    func writeHead(_ answer: RecordAnswer, to writer: inout JSONWriter) {
        writer.open()
        Self.writeStart(answer.sequence, answer.id, to: &writer)
        switch answer.result {
        case .success(let score):
            let probability = sigmoid(score.logit)
            writer.field("status", "ok")
            writer.field("logit", score.logit)
            writer.field("logit_raw", score.rawLogit)
            writer.field("score", probability)
            writer.field("decision", probability >= settings.threshold ? 1 : 0)
            writer.field("threshold", settings.threshold)
            writer.members(groupFields[score.group == unknownGroup ? features.groupCount : score.group])
            if score.imageWarnings > 0 { writer.field("image_warnings", score.imageWarnings) }
        case .failure(let failure): Self.writeEnd(failure, to: &writer)
        }
    }

    /// What an answer with an error ends with.
    static func writeEnd(_ failure: RecordError, to writer: inout JSONWriter) {
        writer.field("status", "error")
        writer.object("error") { error in
            error.field("code", failure.code.rawValue)
            error.field("message", failure.message)
            error.field("retryable", failure.code.isRetryable)
        }
        writer.close()
    }

    /// What every answer begins with; a kept answer that begins otherwise was another record's.
    static func writeStart(_ sequence: Int?, _ id: JSONValue, to writer: inout JSONWriter) {
        writer.field("v", 1)
        writer.field("seq", sequence)
        writer.field("id", id)
    }

    /// What all scores of a batch share, from the comma to the end of the object.
    func tail(_ score: RecordAnswer.Score) -> [UInt8] {
        var writer = JSONWriter()
        writer.object { object in
            FairnessObject(score.step, settings).write(to: &object)
            object.field("model", modelName)
        }
        var bytes = writer.bytes
        bytes[0] = UInt8(ascii: ",")
        return bytes
    }
}
