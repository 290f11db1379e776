// JPEG or PNG, by content → upright 8-bit RGB, in buffers that are used again for the next image.
import CImageCodecs
import TensorCore

/// An upright RGB image. Shape: pixels [height, width, 3].
public struct PixelImage: Equatable, Sendable {
    public let width: Int
    public let height: Int
    public let pixels: [UInt8]

    public init(width: Int, height: Int, pixels: [UInt8]) {
        precondition(pixels.count == width * height * 3, "\(pixels.count) bytes for \(width)×\(height) RGB")
        self.width = width
        self.height = height
        self.pixels = pixels
    }
}

/// Decodes one image after another. Not Sendable: each worker has its own.
///
/// Conversions to RGB: grey and palette are expanded, 16 bit keep the high byte, alpha and tRNS are composited on white, CMYK and
/// YCCK count as inverted (the Adobe convention), EXIF orientation is applied, gamma and colour profiles are ignored (docs/images.md).
public final class ImageDecoder {
    public let limits: ImageLimits
    /// What a lenient decoder accepted in the last image; nil when there was nothing to forgive.
    public private(set) var lastWarning: ImageWarning?
    /// The header of the last image that was opened; nil when it was refused before its header was read.
    public private(set) var lastHeader: ImageHeader?
    private let decoder: OpaquePointer
    private var file = GrowingBuffer()
    private var decoded = GrowingBuffer()
    private var oriented = GrowingBuffer(capacity: 1)
    private var plans: [ResizePlan.Size: ResizePlan] = [:]

    public init(limits: ImageLimits = ImageLimits()) {
        guard let decoder = ci_decoder_create() else { fatalError("out of memory: no image decoder") }
        self.decoder = decoder
        self.limits = limits
    }

    deinit { ci_decoder_destroy(decoder) }

    // MARK: Whole images

    public func decode(path: String) throws(ImageError) -> PixelImage {
        let length = try ImageFile.read(path, into: &file, limit: limits.maxBytes)
        return try decode(UnsafeBufferPointer(start: file.pointer, count: length), name: path).copied()
    }

    /// `name` stands in messages.
    public func decode(bytes: [UInt8], name: String) throws(ImageError) -> PixelImage {
        try withBytes(bytes) { (buffer) throws(ImageError) in try self.decode(buffer, name: name).copied() }
    }

    /// Reads the header and checks the limits, without decoding.
    public func header(path: String) throws(ImageError) -> ImageHeader {
        let length = try ImageFile.read(path, into: &file, limit: limits.maxBytes)
        return try header(UnsafeBufferPointer(start: file.pointer, count: length), name: path)
    }

    public func header(bytes: [UInt8], name: String) throws(ImageError) -> ImageHeader {
        try withBytes(bytes) { (buffer) throws(ImageError) in try self.header(buffer, name: name) }
    }

    // MARK: What a network sees

    /// Decodes and resizes to `size`×`size` 8-bit RGB at `output`, which must hold size·size·3 bytes.
    public func decode(
        path: String, size: Int, interpolation: Interpolation = .bilinear, into output: UnsafeMutablePointer<UInt8>
    ) throws(ImageError) {
        let length = try ImageFile.read(path, into: &file, limit: limits.maxBytes)
        let image = try decode(UnsafeBufferPointer(start: file.pointer, count: length), name: path, atLeast: size)
        plan(image, size, interpolation).resize(image.pixels, into: output)
    }

    public func decode(
        bytes: [UInt8], name: String, size: Int, interpolation: Interpolation = .bilinear, into output: UnsafeMutablePointer<UInt8>
    ) throws(ImageError) {
        try withBytes(bytes) { (buffer) throws(ImageError) in
            let image = try self.decode(buffer, name: name, atLeast: size)
            self.plan(image, size, interpolation).resize(image.pixels, into: output)
        }
    }

    /// Decodes, resizes and normalises; `output` must hold imageSize²·3 values. Shape: [imageSize, imageSize, 3].
    public func decode(
        path: String, transform: FaceTransform, into output: UnsafeMutablePointer<Float>
    ) throws(ImageError) {
        let length = try ImageFile.read(path, into: &file, limit: limits.maxBytes)
        try decode(UnsafeBufferPointer(start: file.pointer, count: length), name: path, transform: transform, into: output)
    }

    public func decode(
        bytes: [UInt8], name: String, transform: FaceTransform, into output: UnsafeMutablePointer<Float>
    ) throws(ImageError) {
        try withBytes(bytes) { (buffer) throws(ImageError) in
            try self.decode(buffer, name: name, transform: transform, into: output)
        }
    }

    // MARK: Steps

    /// Pixels in one of the decoder's buffers, good until its next call.
    private struct Decoded {
        let width: Int
        let height: Int
        let pixels: UnsafeMutablePointer<UInt8>

        func copied() -> PixelImage {
            PixelImage(
                width: width, height: height,
                pixels: Array(UnsafeBufferPointer(start: pixels, count: width * height * 3)))
        }
    }

    /// `[UInt8].withUnsafeBufferPointer` with a typed throw.
    private func withBytes<T>(
        _ bytes: [UInt8], _ body: (UnsafeBufferPointer<UInt8>) throws(ImageError) -> T
    ) throws(ImageError) -> T {
        let outcome: Result<T, ImageError> = bytes.withUnsafeBufferPointer { buffer in
            do throws(ImageError) { return .success(try body(buffer)) } catch { return .failure(error) }
        }
        return try outcome.get()
    }

    private func open(_ bytes: UnsafeBufferPointer<UInt8>, _ name: String) throws(ImageError) -> ci_info {
        lastWarning = nil
        lastHeader = nil
        var info = ci_info()
        var bounds = ci_limits(
            max_bytes: UInt64(limits.maxBytes), max_pixels: UInt64(limits.maxPixels), max_side: UInt32(limits.maxSide),
            max_scans: UInt32(limits.maxScans), lenient: limits.lenient)
        // An empty array has no address; the decoder refuses a count of 0 without looking.
        let status: ci_status
        if let start = bytes.baseAddress {
            status = ci_open(decoder, start, bytes.count, &bounds, &info)
        } else {
            var nothing: UInt8 = 0
            status = ci_open(decoder, &nothing, 0, &bounds, &info)
        }
        if info.width > 0 && info.format != CI_UNKNOWN { lastHeader = ImageHeader(info) }
        guard status == CI_OK else { throw error(status, name, info, bytes.count) }
        return info
    }

    private func header(_ bytes: UnsafeBufferPointer<UInt8>, name: String) throws(ImageError) -> ImageHeader {
        let info = try open(bytes, name)
        return ImageHeader(info)
    }

    private func decode(
        _ bytes: UnsafeBufferPointer<UInt8>, name: String, transform: FaceTransform, into output: UnsafeMutablePointer<Float>
    ) throws(ImageError) {
        let image = try decode(bytes, name: name, atLeast: transform.imageSize)
        plan(image, transform.imageSize, transform.interpolation).resize(image.pixels, mean: transform.mean, std: transform.std, into: output)
    }

    /// - Parameter size: what the image will be resized to; a fast decoder may stop at a reduced size that is no smaller.
    private func decode(
        _ bytes: UnsafeBufferPointer<UInt8>, name: String, atLeast size: Int? = nil
    ) throws(ImageError) -> Decoded {
        var info = try open(bytes, name)
        if let size, limits.fastDecode {
            let status = ci_reduce(decoder, UInt32(size), UInt32(size), &info)
            guard status == CI_OK else { throw error(status, name, info, bytes.count) }
        }
        decoded.reserve(info.buffer_bytes)
        let status = ci_read(decoder, decoded.pointer, decoded.capacity)
        guard status == CI_OK else { throw error(status, name, info, bytes.count) }
        let warnings = Int(ci_warnings(decoder))
        lastWarning = warnings == 0 ? nil : ImageWarning(name: name, count: warnings, first: String(cString: ci_message(decoder)))
        let width = Int(info.width)
        let height = Int(info.height)
        guard info.orientation > 1 else { return Decoded(width: width, height: height, pixels: decoded.pointer) }
        oriented.reserve(width * height * 3)
        ci_orient(oriented.pointer, decoded.pointer, info.width, info.height, info.orientation)
        return info.orientation >= 5
            ? Decoded(width: height, height: width, pixels: oriented.pointer)
            : Decoded(width: width, height: height, pixels: oriented.pointer)
    }

    private func plan(_ image: Decoded, _ size: Int, _ interpolation: Interpolation) -> ResizePlan {
        precondition(size > 0, "an image cannot be resized to \(size) pixels")
        let source = ResizePlan.Size(width: image.width, height: image.height)
        let target = ResizePlan.Size(width: size, height: size)
        if let known = plans[source], known.target == target, known.interpolation == interpolation { return known }
        if plans.count >= 16 { plans.removeAll(keepingCapacity: true) }  // a folder of photographs of all sizes
        let plan = ResizePlan(from: source, to: target, interpolation: interpolation)
        plans[source] = plan
        return plan
    }

    private func error(_ status: ci_status, _ name: String, _ info: ci_info, _ byteCount: Int) -> ImageError {
        let size = "\(info.width)×\(info.height)"
        let message = String(cString: ci_message(decoder))
        switch status {
        case CI_TOO_MANY_BYTES: return ImageFile.tooManyBytes(name, byteCount, limits.maxBytes)
        case CI_TOO_MANY_PIXELS:
            return ImageError(
                code: .tooLarge, name: name,
                detail: "is \(size), \(UInt64(info.width) * UInt64(info.height)) pixels; \(limits.maxPixels) are allowed (--max-image-pixels)")
        case CI_TOO_LONG_SIDE:
            return ImageError(
                code: .tooLarge, name: name, detail: "is \(size); at most \(limits.maxSide) pixels a side are allowed (--max-image-side)")
        case CI_TOO_MANY_SCANS:
            return ImageError(
                code: .tooLarge, name: name,
                detail: "has \(info.scans) JPEG scans, \(limits.maxScans) are allowed (--max-image-scans)")
        case CI_TRUNCATED: return ImageError(code: .truncated, name: name, detail: message)
        case CI_CORRUPT:
            return ImageError(
                code: .corrupt, name: name,
                detail: ci_refused_for_warning(decoder)
                    ? "\(message); a warning, which --lenient-images counts instead of refusing the image" : message)
        case CI_UNSUPPORTED:
            return ImageError(code: .unsupported, name: name, detail: "\(message); JPEG and PNG are read")
        default: return ImageError(code: .internalError, name: name, detail: message.isEmpty ? "out of memory" : message)
        }
    }
}
