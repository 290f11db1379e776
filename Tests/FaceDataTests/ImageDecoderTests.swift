// Decoding against Pillow's pixels, refusals by code, orientation, limits.
import FaceData
import Foundation
import TensorCore
import TestSupport
import Testing

struct ImageFixtures: Decodable {
    struct Accepted: Decodable, Sendable, CustomTestStringConvertible {
        let file: String
        let width: Int
        let height: Int
        let offset: Int
        var testDescription: String { file }
    }
    struct Refused: Decodable, Sendable, CustomTestStringConvertible {
        let file: String
        let code: ImageErrorCode
        var testDescription: String { file }
    }
    /// From a file to what a network sees.
    struct Way: Decodable, Sendable, CustomTestStringConvertible {
        let file: String
        let size: Int
        let filter: Interpolation
        let offset: Int
        var testDescription: String { "\(file) to \(size), \(filter)" }
    }
    let accepted: [Accepted]
    let ways: [Way]
    let refused: [Refused]

    static let all: ImageFixtures = {
        do { return try JSONDecoder().decode(ImageFixtures.self, from: Fixture.data("images.json")) } catch {
            fatalError("images.json: \(error)")
        }
    }()

    static func path(_ name: String) -> String { Fixture.url("images/\(name)").path }
}

@Suite struct ImageDecoderTests {
    @Test(arguments: ImageFixtures.all.accepted)
    func pixelsArePillows(_ fixture: ImageFixtures.Accepted) throws {
        let image = try ImageDecoder().decode(path: ImageFixtures.path(fixture.file))
        #expect(image.width == fixture.width && image.height == fixture.height)
        let expected = try Fixture.data("images.bin")[fixture.offset..<fixture.offset + fixture.width * fixture.height * 3]
        // A JPEG may differ by one level between libjpeg versions; a PNG may not differ.
        let tolerance: Double = image.pixels == Array(expected) ? 0 : fixture.file.hasSuffix(".jpg") ? 1 : 0
        expectClose(image.pixels.map(Double.init), expected.map(Double.init), atol: tolerance, fixture.file)
    }

    @Test(arguments: ImageFixtures.all.ways)
    func resizedPixelsArePillows(_ way: ImageFixtures.Way) throws {
        var pixels = [UInt8](repeating: 0, count: way.size * way.size * 3)
        try ImageDecoder().decode(path: ImageFixtures.path(way.file), size: way.size, interpolation: way.filter, into: &pixels)
        let expected = try Fixture.data("images.bin")[way.offset..<way.offset + pixels.count].map(Double.init)
        let actual = pixels.map(Double.init)
        expectClose(actual, expected, atol: 1, way.file)
        let mean = zip(actual, expected).map { abs($0 - $1) }.reduce(0, +) / Double(actual.count)
        #expect(mean <= 0.02, "\(mean) on average")
    }

    @Test(arguments: [("rgb420.jpg", 23, 17), ("exif6.jpg", 17, 23), ("grey1.png", 23, 17)])
    func aWrittenPNGGivesTheSamePixelsBack(_ name: String, _ width: Int, _ height: Int) throws {
        let image = try ImageDecoder().decode(path: ImageFixtures.path(name))
        let file = [UInt8](image.pngData())
        let header = try ImageDecoder().header(bytes: file, name: "written")
        #expect(header.format == .png && header.width == width && header.height == height && header.conversions.isEmpty)
        #expect(try ImageDecoder().decode(bytes: file, name: "written") == image)
    }

    @Test func conversionsAreNamed() throws {
        let expected = [
            "rgb420.jpg": [], "rgb.png": [], "grey.jpg": ["grey to RGB"], "progressive.jpg": ["progressive scans joined"],
            "arithmetic.jpg": ["arithmetic decoding"], "cmyk.jpg": ["inverted CMYK to RGB"], "ycck.jpg": ["inverted YCCK to RGB"],
            "palette2-alpha.png": ["palette to RGB", "composited on white"], "grey4.png": ["grey to RGB", "4 bit to 8"],
            "rgb16.png": ["16 bit to 8"], "interlaced-alpha.png": ["deinterlaced", "composited on white"],
            "exif6.jpg": ["orientation 6 applied"], "xmp8.jpg": ["orientation 8 applied"], "xmp-under-exif.jpg": ["orientation 3 applied"],
            "exif-outside.jpg": ["malformed EXIF ignored"],
        ]
        for (name, steps) in expected {
            #expect(try ImageDecoder().header(path: ImageFixtures.path(name)).conversions == steps, "\(name)")
        }
    }

    @Test(arguments: ImageFixtures.all.refused)
    func refusedWithItsCode(_ fixture: ImageFixtures.Refused) throws {
        let decoder = ImageDecoder()
        let error = #expect(throws: ImageError.self) { try decoder.decode(path: ImageFixtures.path(fixture.file)) }
        #expect(error?.code == fixture.code, "\(String(describing: error))")
        #expect(error?.description.contains(fixture.file) == true)
        // The decoder is none the worse for it.
        #expect(try decoder.decode(path: ImageFixtures.path("rgb420.jpg")).width == 23)
        #expect(try decoder.decode(path: ImageFixtures.path("rgba.png")).width == 23)
    }

    @Test func messagesSayWhatIsAllowedAndWhichFlag() throws {
        func message(_ file: String, _ limits: ImageLimits = ImageLimits()) -> String {
            do { return "\(try ImageDecoder(limits: limits).decode(path: ImageFixtures.path(file)).width)" } catch { return "\(error)" }
        }
        var limits = ImageLimits()
        #expect(message("huge.png").hasSuffix("huge.png: is 16000×16000, 256000000 pixels; 25000000 are allowed (--max-image-pixels)"))
        #expect(message("wide.jpg").contains("is 20000×10; at most 16384 pixels a side are allowed"))
        #expect(message("scans.jpg").contains("JPEG scans, 64 are allowed (--max-image-scans)"))
        #expect(message("page.jpg").contains("HTML"))
        #expect(message("truncated.jpg").contains("ended at byte"))
        limits.maxBytes = 100
        #expect(message("rgb.png", limits).contains("100 are allowed (--max-image-bytes)"))
        limits = ImageLimits()
        limits.maxPixels = 390
        #expect(message("rgb.png", limits).contains("is 23×17, 391 pixels; 390 are allowed"))
        limits.maxPixels = 391
        #expect(message("rgb.png", limits) == "23")
    }

    @Test func missingFoldersAndPipesAreRefused() throws {
        let folder = try TemporaryFolder()
        let decoder = ImageDecoder()
        for path in [folder.file("none.jpg").path, folder.url.path] {
            let error = #expect(throws: ImageError.self) { try decoder.decode(path: path) }
            #expect(error?.code == .missing)
        }
    }

    @Test func lenientAcceptsWarningsButNoTruncation() throws {
        var limits = ImageLimits()
        limits.lenient = true
        let lenient = ImageDecoder(limits: limits)
        // Two stray bytes between markers: libjpeg warns and skips them.
        var bytes = [UInt8](try Fixture.data("images/rgb444.jpg"))
        bytes.insert(contentsOf: [0x12, 0x34], at: 20)  // behind the signature and the 18 bytes of APP0
        let error = #expect(throws: ImageError.self) { try ImageDecoder().decode(bytes: bytes, name: "stray") }
        #expect(error?.code == .corrupt && error?.detail.contains("--lenient-images") == true)
        let clean = try ImageDecoder().decode(path: ImageFixtures.path("rgb444.jpg"))
        #expect(try lenient.decode(bytes: bytes, name: "stray") == clean)
        #expect(lenient.lastWarning != nil)
        let truncated = #expect(throws: ImageError.self) { try lenient.decode(path: ImageFixtures.path("truncated.jpg")) }
        #expect(truncated?.code == .truncated)
    }

    @Test func everyPrefixIsRefusedOrWhole() throws {
        // No prefix of a file may crash; none but the whole file may pass.
        let decoder = ImageDecoder()
        for name in ["rgb420.jpg", "progressive.jpg", "cmyk.jpg", "exif6.jpg", "palette-alpha.png", "interlaced.png"] {
            let bytes = [UInt8](try Fixture.data("images/\(name)"))
            for length in 0..<bytes.count {
                let error = #expect(throws: ImageError.self, "\(name) cut at \(length)") {
                    try decoder.decode(bytes: Array(bytes[..<length]), name: name)
                }
                #expect(error?.code == .truncated, "\(name) cut at \(length): \(String(describing: error))")
            }
        }
    }

    @Test func headerOfASidewaysImage() throws {
        let header = try ImageDecoder().header(path: ImageFixtures.path("exif6.jpg"))
        #expect(header.format == .jpeg && header.width == 17 && header.height == 23 && header.orientation == 6)
        #expect(header.channels == 3 && header.bitsPerChannel == 8)
        #expect(try ImageDecoder().header(path: ImageFixtures.path("not-a.png")).format == .jpeg)
    }

    @Test func bytesAndFileAgreeAfterTheTransform() throws {
        let decoder = ImageDecoder()
        let transform = FaceTransform(imageSize: 16)
        var fromFile = [Float](repeating: .nan, count: transform.byteCount)
        var fromBytes = fromFile
        var pixels = [UInt8](repeating: 0, count: transform.byteCount)
        let path = ImageFixtures.path("rgb420.jpg")
        try decoder.decode(path: path, transform: transform, into: &fromFile)
        try decoder.decode(bytes: [UInt8](Fixture.data("images/rgb420.jpg")), name: "b", transform: transform, into: &fromBytes)
        try decoder.decode(path: path, size: 16, into: &pixels)
        #expect(fromFile == fromBytes)
        let expected = pixels.enumerated().map { (Float($1) / 255 - transform.mean[$0 % 3]) / transform.std[$0 % 3] }
        expectClose(fromFile, expected, rtol: 1e-6, atol: 1e-6)
    }
}
