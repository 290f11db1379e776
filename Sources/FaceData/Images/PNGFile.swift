// Pixels to a PNG file, for people to look at and for other tools to read.
import CImageCodecs
import Foundation

extension PixelImage {
    /// The image as an 8-bit RGB PNG: what a decoder gives back is equal to `pixels`. Errors: traps on an image without pixels or of
    /// 4 GiB and more.
    public func pngData() -> Data {
        let (width, height) = (UInt32(width), UInt32(height))
        let capacity = ci_encode_png_bound(width, height)
        precondition(capacity > 0, "a PNG cannot hold \(width)×\(height) pixels")
        var file = Data(count: capacity)
        var length = 0
        let status = file.withUnsafeMutableBytes { out in
            ci_encode_png(out.baseAddress!.assumingMemoryBound(to: UInt8.self), capacity, &length, pixels, width, height, nil)
        }
        // The buffer suffices for any pixels, so that what is left is memory.
        precondition(status == CI_ENCODE_OK, "PNG of \(width)×\(height): \(String(cString: ci_encode_status_string(status)))")
        file.count = length
        return file
    }
}
