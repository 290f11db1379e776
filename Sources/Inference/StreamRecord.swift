// What one line of a record stream asks for, and the closed list of reasons why it is not answered with a score.
import FaceData
import Fairness

/// One request to make the score of a face fair.
public struct StreamRecord: Equatable, Sendable {
    public enum Input: Equatable, Sendable {
        /// A file, already confined to the image root if there is one. `name` is what the record said.
        case file(path: String, name: String)
        /// A path that still has to pass the image root.
        case unresolved(String)
        /// An encoded image from `image_b64`.
        case bytes([UInt8])
        /// A network's output that the record brings along.
        case logit(Double)
    }

    /// Given back as it came; null when the record has none.
    public var id: JSONValue
    /// Where the record stands in its source, when the stream tells replays by keys of the record.
    public var place: ReplayPlace?
    public var input: Input
    /// Index of the group, or `unknownGroup`.
    public var group: Int
    public var label: Int?

    public init(id: JSONValue, place: ReplayPlace? = nil, input: Input, group: Int, label: Int? = nil) {
        self.id = id
        self.place = place
        self.input = input
        self.group = group
        self.label = label
    }
}

/// Why a record has no score. The list is closed: consumers may switch over it.
public enum RecordErrorCode: String, CaseIterable, Codable, Sendable {
    case jsonInvalid = "json_invalid"
    case recordTooLarge = "record_too_large"
    case imageMissing = "image_missing"
    case imageTooLarge = "image_too_large"
    case imageTruncated = "image_truncated"
    case imageCorrupt = "image_corrupt"
    case imageUnsupported = "image_unsupported"
    case pathNotAllowed = "path_not_allowed"
    case groupInvalid = "group_invalid"
    case labelInvalid = "label_invalid"
    /// A record that was counted before, whose answer is no longer kept or was another record's.
    case replayInvalid = "replay_invalid"
    case deadlineExceeded = "deadline_exceeded"
    case internalError = "internal"

    /// Whether the same record may be answered when it is sent again.
    public var isRetryable: Bool { self == .deadlineExceeded || self == .internalError }

    init(_ code: ImageErrorCode) {
        self =
            switch code {
            case .missing: .imageMissing
            case .tooLarge: .imageTooLarge
            case .truncated: .imageTruncated
            case .corrupt: .imageCorrupt
            case .unsupported: .imageUnsupported
            case .internalError: .internalError
            }
    }
}

/// A record that is answered with an error.
public struct RecordError: Error, Equatable, Sendable {
    public let code: RecordErrorCode
    public let message: String
    /// The record's id and place as far as they could be read.
    public var id: JSONValue
    public var place: ReplayPlace?

    public init(_ code: RecordErrorCode, _ message: String, id: JSONValue = .null, place: ReplayPlace? = nil) {
        self.code = code
        self.message = message
        self.id = id
        self.place = place
    }
}
