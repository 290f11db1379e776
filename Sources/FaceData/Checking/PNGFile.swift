// Pixels to a PNG file, stored without compression: contact sheets are few and need no smaller files.
// Source: PNG specification (ISO/IEC 15948), RFC 1950 and 1951 for the stored zlib stream.
import Foundation

extension PixelImage {
    /// The image as an 8-bit RGB PNG.
    public func pngData() -> Data {
        var png = Data([0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A])
        func bigEndian(_ value: UInt32) -> Data { withUnsafeBytes(of: value.bigEndian) { Data($0) } }
        func append(_ name: String, _ content: Data) {
            let body = Data(name.utf8) + content
            png += bigEndian(UInt32(content.count)) + body + bigEndian(PNGChecksums.crc32(body))
        }
        append("IHDR", bigEndian(UInt32(width)) + bigEndian(UInt32(height)) + Data([8, 2, 0, 0, 0]))
        var lines = Data(capacity: height * (width * 3 + 1))
        for y in 0..<height {
            lines.append(0)  // no filter
            lines += pixels[y * width * 3..<(y + 1) * width * 3]
        }
        var stream = Data([0x78, 0x01])
        var at = 0
        repeat {
            let end = min(at + 65_535, lines.count)
            let length = UInt16(end - at)
            stream.append(end == lines.count ? 1 : 0)
            for half in [length, ~length] { withUnsafeBytes(of: half.littleEndian) { stream.append(contentsOf: $0) } }
            stream += lines[at..<end]
            at = end
        } while at < lines.count
        stream += bigEndian(PNGChecksums.adler32(lines))
        append("IDAT", stream)
        append("IEND", Data())
        return png
    }
}

private enum PNGChecksums {
    private static let table: [UInt32] = (0..<256).map { byte in
        (0..<8).reduce(UInt32(byte)) { value, _ in value & 1 == 1 ? 0xEDB8_8320 ^ value >> 1 : value >> 1 }
    }

    static func crc32(_ data: Data) -> UInt32 {
        ~data.reduce(~UInt32(0)) { table[Int(UInt8(truncatingIfNeeded: $0) ^ $1)] ^ $0 >> 8 }
    }

    static func adler32(_ data: Data) -> UInt32 {
        var a: UInt32 = 1, b: UInt32 = 0
        for byte in data {
            a = (a + UInt32(byte)) % 65_521
            b = (b + a) % 65_521
        }
        return b << 16 | a
    }
}
