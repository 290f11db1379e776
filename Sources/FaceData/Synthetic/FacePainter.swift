// One worker's tools: canvas, pixel buffer and JPEG buffer, used for image after image.
import CImageCodecs

/// Draws faces and encodes them. Not Sendable: one per worker thread.
package final class FacePainter {
    package static let quality: Int32 = 92
    private let canvas: FaceCanvas
    private var pixels: [UInt8]
    private var encoded: [UInt8]

    /// - Parameter capacity: bytes for the JPEG; the default is enough for any picture.
    package init(width: Int, height: Int, capacity: Int? = nil) {
        canvas = FaceCanvas(width: width, height: height)
        pixels = [UInt8](repeating: 0, count: width * height * 3)
        encoded = [UInt8](repeating: 0, count: capacity ?? ci_encode_jpeg_bound(UInt32(width), UInt32(height)))
    }

    /// Draws the face into the pixel buffer.
    func draw(_ face: FaceDescription, _ random: inout FaceRandom) {
        FaceRenderer(canvas: canvas, face: face).draw(noise: &random)
        pixels.withUnsafeMutableBufferPointer { canvas.write(to: $0.baseAddress!) }
    }

    /// The picture as interleaved RGB.
    package var rgb: [UInt8] { pixels }

    /// Encodes the picture and hands the JPEG's bytes to `body`, valid during the call.
    /// - Throws: ``SyntheticFacesError/encoding(_:)`` when libjpeg refuses, and what `body` throws.
    package func withJPEG<T>(_ body: (UnsafeRawBufferPointer) throws -> T) throws -> T {
        var written = 0
        var reason = [CChar](repeating: 0, count: Int(CI_ENCODE_MESSAGE_BYTES))
        let status = ci_encode_jpeg(
            &encoded, encoded.count, &written, pixels, UInt32(canvas.width), UInt32(canvas.height), canvas.width * 3,
            Self.quality, &reason)
        guard status == CI_ENCODE_OK else {
            let words = reason.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }
            let detail = words.isEmpty ? String(cString: ci_encode_status_string(status)) : String(decoding: words, as: UTF8.self)
            throw SyntheticFacesError.encoding(detail)
        }
        return try encoded.withUnsafeBytes { try body(UnsafeRawBufferPointer(rebasing: $0[0..<written])) }
    }
}
