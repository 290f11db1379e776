// Why an image was refused: one code of the closed list that records and logs use, and a sentence for a reader.

/// The image codes of the closed list of error codes in output records.
public enum ImageErrorCode: String, Codable, CaseIterable, Sendable {
    case missing = "image_missing"
    case tooLarge = "image_too_large"
    case truncated = "image_truncated"
    case corrupt = "image_corrupt"
    case unsupported = "image_unsupported"
    /// Nothing is wrong with the image, for example memory ran out.
    case internalError = "internal"
}

/// An image that cannot be used. Nothing is put in its place.
public struct ImageError: Error, Equatable, Sendable, CustomStringConvertible {
    public let code: ImageErrorCode
    /// File or record name.
    public let name: String
    /// What was found, what was allowed and which flag changes it.
    public let detail: String

    public init(code: ImageErrorCode, name: String, detail: String) {
        self.code = code
        self.name = name
        self.detail = detail
    }

    public var description: String { "\(name): \(detail)" }
}

/// What a lenient decoder forgave in an image that it accepted.
public struct ImageWarning: Equatable, Sendable {
    /// File or record name.
    public let name: String
    /// Warnings that the image raised.
    public let count: Int
    /// The first of them, in the library's words.
    public let first: String
}
