// `data decode`: what it writes, says and exits with; the image flags of the other commands.
import FaceData
import Foundation
import TestSupport
import Testing

@Suite struct DecodeCommandTests {
    private let temporary: TemporaryFolder

    init() throws { temporary = try TemporaryFolder() }

    private func tool(_ arguments: String...) throws -> ToolResult { try runTool(arguments, in: temporary.url) }
    private func image(_ name: String) -> String { Fixture.url("images/\(name)").path }
    private func json(_ result: ToolResult) throws -> [String: Any] {
        try #require(try JSONSerialization.jsonObject(with: result.output) as? [String: Any], "\(result.error)")
    }

    @Test func writesWhatANetworkSees() throws {
        let result = try tool("data", "decode", image("rgb420.jpg"), image("exif6.jpg"), "--output", "seen", "--img-size", "12", "--interpolation", "bicubic")
        #expect(result.status == 0 && result.lines.count == 2, "\(result.error)")
        #expect(result.lines[1] == "ok     \(image("exif6.jpg")): jpeg 17×23: orientation 6 applied, resized to 12×12")
        for name in ["rgb420", "exif6"] {
            var expected = [UInt8](repeating: 0, count: 12 * 12 * 3)
            try ImageDecoder().decode(path: image("\(name).jpg"), size: 12, interpolation: .bicubic, into: &expected)
            let written = try ImageDecoder().decode(path: temporary.file("seen/\(name).png").path)
            #expect(written.width == 12 && written.pixels == expected)
        }
        let again = try tool("data", "decode", image("rgb420.jpg"), "--output", "seen")
        #expect(again.status == 73 && again.error.contains("--exist-ok"))
        let over = try tool("data", "decode", image("rgb420.jpg"), "--output", "seen", "--exist-ok")
        #expect(over.status == 0)
        #expect(try ImageDecoder().header(path: temporary.file("seen/rgb420.png").path).width == 23, "without --img-size, its own size")
    }

    @Test func refusalsHaveCodesAndTheRestIsDecoded() throws {
        let files = [image("palette-alpha.png"), image("truncated.jpg"), temporary.file("none.jpg").path]
        let result = try runTool(["data", "decode"] + files + ["--format", "json"], in: temporary.url)
        #expect(result.status == 2)
        let object = try json(result)
        let entries = try #require(object["files"] as? [[String: Any]])
        #expect(entries.map { $0["status"] as? String } == ["ok", "error", "error"])
        #expect(entries[0]["conversions"] as? [String] == ["palette to RGB", "composited on white"])
        #expect(entries.dropFirst().map { $0["code"] as? String } == ["image_truncated", "image_missing"])
        #expect(object["summary"] as? [String: Int] == ["files": 3, "decoded": 1, "refused": 2, "warned": 0])
        let limited = try runTool(["data", "decode"] + files + ["--max-errors", "1"], in: temporary.url)
        #expect(limited.status == 65 && limited.error.contains("--max-errors"))
    }

    @Test func limitsAreFlags() throws {
        let pixels = try tool("data", "decode", image("rgb.png"), "--max-image-pixels", "390")
        #expect(pixels.status == 2 && pixels.text.contains("image_too_large") && pixels.text.contains("390 are allowed (--max-image-pixels)"))
        let bytes = try tool("data", "decode", image("rgb.png"), "--max-image-bytes", "100")
        #expect(bytes.status == 2 && bytes.text.contains("100 are allowed (--max-image-bytes)"))
        #expect(try tool("data", "decode", image("rgb.png"), "--max-image-side", "0").status == 64)

        var stray = try Fixture.data("images/rgb444.jpg")
        stray.insert(contentsOf: [0x12, 0x34], at: 20)
        try stray.write(to: temporary.file("stray.jpg"))
        #expect(try tool("data", "decode", "stray.jpg").status == 2)
        let lenient = try tool("data", "decode", "stray.jpg", "--lenient-images")
        #expect(lenient.status == 0 && lenient.text.contains("1 decoder warning accepted"))
    }

    @Test func trainingTakesTheFlagsAndServesAsItWasTrained() throws {
        #expect(try tool("data", "synthesize", "faces", "--layout", "celeba", "--count", "60", "--seed", "2", "--quiet").status == 0)
        let flags = ["train", "celeba", "--data", "faces", "--img-size", "16", "--epochs", "1", "--batch-size", "30", "--quiet"]
        for (name, more) in [("a", []), ("b", ["--interpolation", "nearest"]), ("c", ["--interpolation", "nearest", "--fast-decode"])] {
            let result = try runTool(flags + ["--output", name] + more, in: temporary.url)
            #expect(result.status == 0, "\(result.error)")
        }
        let printed = try String(contentsOf: temporary.file("c/config.yaml"), encoding: .utf8)
        #expect(printed.contains("interpolation: nearest\n") && printed.contains("fast-decode: true\n"))
        func evaluated(_ run: String, _ more: String...) throws -> Data {
            let result = try runTool(["evaluate", run, "celeba", "--data", "faces", "--format", "json"] + more, in: temporary.url)
            #expect(result.status == 0, "\(result.error)")
            return result.output
        }
        #expect(try evaluated("b") != evaluated("b", "--fast-decode"), "178×218 faces are decoded at 1/8")
        #expect(try evaluated("c") == evaluated("c", "--fast-decode"), "the model says so itself")
        let refusing = try tool("train", "celeba", "--data", "faces", "--img-size", "16", "--max-image-pixels", "100", "--output", "d", "--quiet")
        #expect(refusing.status == 65)
        #expect(try String(contentsOf: temporary.file("d/bad_images.jsonl"), encoding: .utf8).hasPrefix("{\"code\":\"image_too_large\""))
    }
}
