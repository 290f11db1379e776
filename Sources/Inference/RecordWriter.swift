// Answers as NDJSON, with the keys and their order of docs/records.md.
import Fairness

public struct RecordWriter: Sendable {
    public let features: SensitiveFeatures
    public let modelName: String
    public let settings: StreamSettings

    public init(_ stream: StreamingInference) {
        features = stream.features
        modelName = stream.modelName
        settings = stream.settings
    }

    /// One line per answer.
    public func lines(_ answers: [RecordAnswer]) -> [UInt8] {
        var writer = JSONWriter()
        for answer in answers {
            write(answer, to: &writer)
            writer.newline()
        }
        return writer.bytes
    }

    public func write(_ answer: RecordAnswer, to writer: inout JSONWriter) {
        writer.object { object in
            object.field("v", 1)
            object.field("seq", answer.sequence)
            object.field("id", answer.id)
            switch answer.result {
            case .success(let score): write(score, to: &object)
            case .failure(let failure):
                object.field("status", "error")
                object.object("error") { error in
                    error.field("code", failure.code.rawValue)
                    error.field("message", failure.message)
                    error.field("retryable", failure.code.isRetryable)
                }
            }
        }
    }

    private func write(_ score: RecordAnswer.Score, to object: inout JSONWriter) {
        let probability = sigmoid(score.logit)
        object.field("status", "ok")
        object.field("logit", score.logit)
        object.field("logit_raw", score.rawLogit)
        object.field("score", probability)
        object.field("decision", probability >= settings.threshold ? 1 : 0)
        object.field("threshold", settings.threshold)
        let isKnown = score.group != unknownGroup
        object.field("group", isKnown ? features.label(score.group) : nil)
        object.field("group_source", isKnown ? "given" : "unknown")
        object.object("fairness") { fairness in
            let step = score.step
            fairness.field("criterion", settings.criterion.rawValue)
            fairness.field("epsilon", settings.tolerance)
            fairness.field("algorithm", "primal-dual")
            fairness.field("regime", step.regime.rawValue)
            fairness.field("lambda", step.multiplier)
            fairness.field("batch_n", score.batchCount)
            fairness.field("batch_gap", step.batchGap)
            fairness.field("average_gap", step.averageGap)
            fairness.field("bound", step.bound)
            fairness.field("pooled_gap", step.pooledGap)
            fairness.field("updates", step.updates)
        }
        object.field("model", modelName)
    }
}
