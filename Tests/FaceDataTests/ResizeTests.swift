// The resize against Pillow, bit for bit, and normalisation.
import Foundation
import TensorCore
import TestSupport
import Testing

struct ResizeFixtures: Decodable {
    struct Case: Decodable, Sendable, CustomTestStringConvertible {
        let filter: Interpolation
        let sourceWidth: Int, sourceHeight: Int, width: Int, height: Int, offset: Int
        var testDescription: String { "\(filter) \(sourceWidth)×\(sourceHeight) → \(width)×\(height)" }
    }
    let cases: [Case]

    static let all: [Case] = {
        do { return try JSONDecoder().decode(ResizeFixtures.self, from: Fixture.data("resize.json")).cases } catch {
            fatalError("resize.json: \(error)")
        }
    }()

    /// The pattern of tools/export_image_fixtures.py.
    static func pattern(_ width: Int, _ height: Int) -> [UInt8] {
        (0..<width * height * 3).map { UInt8(truncatingIfNeeded: (UInt32(truncatingIfNeeded: $0) &* 2_654_435_761 &+ 12345) >> 16) }
    }
}

@Suite struct ResizeTests {
    @Test(arguments: ResizeFixtures.all)
    func equalsPillow(_ fixture: ResizeFixtures.Case) throws {
        let plan = ResizePlan(
            from: .init(width: fixture.sourceWidth, height: fixture.sourceHeight),
            to: .init(width: fixture.width, height: fixture.height), interpolation: fixture.filter)
        let count = fixture.width * fixture.height * 3
        var output = [UInt8](repeating: 0xA5, count: count + 64)  // the tail is a guard
        plan.resize(ResizeFixtures.pattern(fixture.sourceWidth, fixture.sourceHeight), into: &output)
        let expected = [UInt8](try Fixture.data("resize.bin")[fixture.offset..<fixture.offset + count])
        #expect(Array(output[..<count]) == expected)
        #expect(output[count...].allSatisfy { $0 == 0xA5 })
    }

    @Test func normalisesEveryPixelOfAnyCount() {
        let mean: [Float] = [0.485, 0.456, 0.406]
        let std: [Float] = [0.229, 0.224, 0.225]
        for pixels in [1, 15, 16, 17, 100] {
            let input = ResizeFixtures.pattern(pixels, 1)
            var output = [Float](repeating: -77, count: pixels * 3 + 8)
            Kernels.normalize(input, pixelCount: pixels, mean: mean, std: std, into: &output)
            let expected = input.enumerated().map { (Float($1) / 255 - mean[$0 % 3]) / std[$0 % 3] }
            expectClose(Array(output[..<(pixels * 3)]), expected, rtol: 1e-6, atol: 1e-6, "\(pixels) pixels")
            #expect(output[(pixels * 3)...].allSatisfy { $0 == -77 })
        }
    }
}
