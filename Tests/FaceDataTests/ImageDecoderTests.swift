// Decoding against Pillow's pixels, refusals by code, orientation, limits.
import FaceData
import Foundation
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
    let accepted: [Accepted]
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
