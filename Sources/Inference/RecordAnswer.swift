// What travels between the stages of a stream, and what leaves it.
import Fairness

/// The answer to one record.
public struct RecordAnswer: Sendable {
    public struct Score: Sendable {
        public let logit: Double
        public let rawLogit: Double
        /// What the decoder warned about and --lenient-images forgave; 0 for a record without an image.
        public let imageWarnings: Int
        /// Index of the group, or `unknownGroup`.
        public let group: Int
        /// The step that the record's batch took.
        public let step: OnlineStep
    }

    /// Counts the records of the stream from 0, in a durable stream over all its runs; blank lines and replays are none.
    public let sequence: Int
    public let id: JSONValue
    public let result: Result<Score, RecordError>
}

/// The answers that leave a stream together.
public struct AnsweredBatch: Sendable {
    /// The new records of the batch, in order.
    public let answers: [RecordAnswer]
    /// Every record of the batch as NDJSON in input order, replays among them.
    public let lines: [UInt8]
    /// What has to be on disk before the answers leave.
    let durable: DurableBatch?
}

/// A record with the network's logit, or with the reason why it has none.
struct ScoredRecord: Sendable {
    let sequence: Int
    let id: JSONValue
    let place: ReplayPlace?
    let group: Int
    let label: Int?
    let imageWarnings: Int
    let logit: Result<Double, RecordError>
}

/// The records of one fairness step, and the replays between them.
struct StreamBatch: Sendable {
    enum Entry: Sendable {
        case new(ScoredRecord)
        /// Answered before under this number; nil when it is certain that it was, but not under which.
        case replay(sequence: Int?, id: JSONValue, place: ReplayPlace)
    }

    let entries: [Entry]
}

/// The answers of a batch as they are kept for replays.
struct KeptAnswers: Sendable {
    let firstSequence: Int
    let count: Int
    /// One line per record: the whole answer of an error, and of a score all before the part that its batch shares.
    let heads: [UInt8]
    /// The shared part: `,"fairness":{…},"model":"…"}`.
    let tail: [UInt8]
    /// One line per record: see ``ReplayPlace/encoded(_:retryable:)``.
    let places: [UInt8]
}

/// What a batch changes in the saved state.
struct DurableBatch: Sendable {
    let kept: KeptAnswers?
    let online: OnlineFairness
    let totals: StreamSummary
    let nextSequence: Int
    /// Records counted by this batch per source, and the source's last offset.
    let sources: [String: SourceCount]
}

struct SourceCount: Sendable {
    var records = 0
    var lastOffset: Int?
}
