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

/// What an image may cost, checked on its header before anything of its size is allocated.
public struct ImageLimits: Codable, Equatable, Sendable {
    /// Encoded bytes. Flag: --max-image-bytes.
    public var maxBytes = 10_485_760
    /// Width times height. Flag: --max-image-pixels.
    public var maxPixels = 25_000_000
    /// Width and height. Flag: --max-image-side.
    public var maxSide = 16_384
    /// Scans of a progressive JPEG, each of which costs a pass over the image; an ordinary file has ten. Flag: --max-image-scans.
    public var maxScans = 64
    /// Count decoder warnings instead of refusing the image. Files that end early are refused all the same. Flag: --lenient-images.
    public var lenient = false

    public init() {}
}
