// How images are read: what one may cost, what is forgiven, what is traded for speed.

/// What an image may cost, checked on its header before anything of its size is allocated, and how strictly it is read.
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
    /// Decode a JPEG at 1/2, 1/4 or 1/8 of its size where that is still at least the size asked for. Changes pixels, so a model
    /// should be served as it was trained. Flag: --fast-decode.
    public var fastDecode = false

    public init() {}
}
