// data pack, verify, inspect and bench as a user runs them: outputs, exit codes, a pack that is killed, training from it.
import FaceData
import Foundation
import TestSupport
import Testing

@Suite(.serialized)
struct DataCommandTests {
    private let temporary: TemporaryFolder

    init() throws {
        temporary = try TemporaryFolder()
        try SyntheticFaces.write(to: temporary.file("faces"), layout: .celeba, count: 120, seed: 3)
    }

    private func tool(_ arguments: String...) throws -> ToolResult { try runTool(arguments, in: temporary.url) }

    private func json(_ result: ToolResult) throws -> [String: Any] {
        try #require(JSONSerialization.jsonObject(with: result.output) as? [String: Any], "\(result.text)")
    }

    private func exists(_ name: String) -> Bool { FileManager.default.fileExists(atPath: temporary.file(name).path) }

    // MARK: pack

    @Test func packSaysWhatItDid() throws {
        let packed = try tool("data", "pack", "celeba", "faces", "--output", "f.safetensors", "--img-size", "32", "--format", "json")
        #expect(packed.status == 0, "\(packed.error)")
        let summary = try json(packed)
        #expect(summary["status"] as? String == "packed" && summary["images"] as? Int == 120 && summary["refused"] as? Int == 0)
        #expect(summary["synthetic"] as? Bool == true && (summary["bytes"] as? Int ?? 0) > 120 * 32 * 32 * 3)
        #expect(try #require(summary["peak_memory_mb"] as? Double) > 1)
        // The last line of progress, off a terminal.
        #expect(packed.error.contains("120/120 images") && packed.error.contains("ETA 0"))
        let again = try tool("data", "pack", "celeba", "faces", "--output", "f.safetensors", "--img-size", "32")
        #expect(again.status == 0 && again.text.hasPrefix("unchanged"))
        let other = try tool("data", "pack", "celeba", "faces", "--output", "f.safetensors", "--img-size", "48")
        #expect(other.status == 73 && other.error.contains("32×32") && other.error.contains("--exist-ok"))
        #expect(try tool("data", "pack", "celeba", "faces", "--output", "f.safetensors", "--img-size", "48", "--exist-ok").status == 0)
        #expect(try tool("data", "pack", "celeba", "faces", "--output", "f.bin", "--img-size", "32").status == 64)
        #expect(try tool("data", "pack", "celeba", "nowhere", "--output", "g.safetensors", "--img-size", "32").status == 66)
    }

    @Test func refusedImagesAreListedAndCounted() throws {
        for number in [5, 6, 70] { try temporary.write("no image", to: String(format: "faces/img_align_celeba/%06d.jpg", number)) }
        let strict = try tool("data", "pack", "celeba", "faces", "--output", "f.safetensors", "--img-size", "16", "--max-errors", "2")
        #expect(strict.status == 65 && strict.error.contains("--max-errors") && !exists("f.safetensors"))
        let packed = try tool("data", "pack", "celeba", "faces", "--output", "f.safetensors", "--img-size", "16")
        #expect(packed.status == 2 && packed.error.contains("3 images could not be decoded") && exists("f.safetensors"))
        let log = try String(contentsOf: temporary.file("f.bad_images.jsonl"), encoding: .utf8).split(separator: "\n")
        #expect(log.count == 3 && log[0].contains("image_unsupported") && log[0].contains("000005.jpg"))
    }

    @Test func killedAtAnyMomentAPackGoesOn() throws {
        let many = temporary.file("many")
        // 3,000 rows of one small image: several stretches, so that kills fall within.
        try FileManager.default.createDirectory(at: many, withIntermediateDirectories: true)
        var rows = "file_name,smiling,gender\n"
        for row in 0..<3000 {
            try FileManager.default.linkItem(
                at: temporary.file(String(format: "faces/img_align_celeba/%06d.jpg", row % 120 + 1)), to: many.appendingPathComponent("\(row).jpg"))
            rows += "\(row).jpg,\(row % 2),\(row % 3 == 0 ? "m" : "f")\n"
        }
        try temporary.write(rows, to: "many/metadata.csv")
        let flags = ["data", "pack", "folder", "many", "--img-size", "32", "--workers", "1", "--quiet", "--output"]
        #expect(try runTool(flags + ["whole.safetensors"], in: temporary.url).status == 0)
        var kills = 0, continued = 0
        for attempt in 0..<60 {
            let process = Process()
            process.executableURL = toolURL
            process.arguments = flags + ["killed.safetensors"]
            process.currentDirectoryURL = temporary.url
            process.standardOutput = FileHandle.nullDevice
            process.standardError = FileHandle.nullDevice
            if exists("killed.safetensors.partial.jsonl") { continued += 1 }
            try process.run()
            usleep(UInt32(60_000 + 17_919 * attempt))
            if process.isRunning { kill(process.processIdentifier, SIGKILL) }
            process.waitUntilExit()
            if process.terminationReason == .exit {
                #expect(process.terminationStatus == 0)
                break
            }
            kills += 1
            #expect(!exists("killed.safetensors"))
        }
        #expect(try runTool(flags + ["killed.safetensors"], in: temporary.url).status == 0)
        #expect(kills > 0 && continued > 0)
        #expect(
            try Data(contentsOf: temporary.file("whole.safetensors")) == Data(contentsOf: temporary.file("killed.safetensors")),
            "after \(kills) kills")
        #expect(!exists("killed.safetensors.partial") && !exists("killed.safetensors.partial.jsonl"))
    }

    @Test func trainingFromAPackIsTrainingFromTheFolder() throws {
        #expect(try tool("data", "pack", "celeba", "faces", "--output", "f.safetensors", "--img-size", "32").status == 0)
        let flags = ["--img-size", "32", "--epochs", "2", "--batch-size", "16", "--hflip", "0.5", "--color-jitter", "0.2", "--quiet", "--output"]
        let folder = try runTool(["train", "celeba", "--data", "faces"] + flags + ["a"], in: temporary.url)
        let packed = try runTool(["train", "celeba", "--data", "f.safetensors"] + flags + ["b"], in: temporary.url)
        #expect(folder.status == 0 && packed.status == 0, "\(folder.error)\(packed.error)")
        for file in ["best.safetensors", "last.safetensors"] {
            #expect(try Data(contentsOf: temporary.file("a/\(file)")) == Data(contentsOf: temporary.file("b/\(file)")), "\(file)")
        }
        let scores = try ["faces", "f.safetensors"].map {
            try tool("evaluate", "a", "celeba", "--data", $0, "--output", "scores.csv", "--quiet").status == 0
                ? try Data(contentsOf: temporary.file("scores.csv")) : Data()
        }
        #expect(scores[0] == scores[1] && !scores[0].isEmpty)
        let size = try tool("train", "celeba", "--data", "f.safetensors", "--img-size", "64", "--epochs", "1", "--output", "c")
        #expect(size.status == 65 && size.error.contains("32×32") && size.error.contains("--img-size 32"))
        let layout = try tool("train", "fairface", "--data", "f.safetensors", "--img-size", "32", "--epochs", "1", "--output", "c")
        #expect(layout.status == 65 && layout.error.contains("packed celeba"))
    }

    // MARK: verify and inspect

    @Test func verifyExitsByWhatItFinds() throws {
        let good = try tool("data", "verify", "celeba", "faces", "--decode", "--format", "json")
        #expect(good.status == 0, "\(good.error)")
        let report = try json(good)
        #expect(report["ok"] as? Bool == true && report["usable"] as? Int == 120 && report["decoded"] as? Bool == true)
        try temporary.write("<!doctype html><title>Sign in</title>", to: "faces/img_align_celeba/000004.jpg")
        let bad = try tool("data", "verify", "celeba", "faces")
        #expect(bad.status == 65 && bad.lines.contains { $0.contains("problem: ") && $0.contains("000004.jpg") && $0.contains("web_page") })
        #expect(bad.lines.last == "1 problem" && bad.lines[0].hasPrefix("SYNTHETIC celeba"))
        #expect(try tool("data", "verify", "celeba", "nowhere").status == 66)
        #expect(try tool("data", "verify", "celeba").status == 64)
        #expect(try tool("data", "verify", "cellar", "faces").status == 64)
    }

    @Test func inspectPrintsTablesAndDrawsSheets() throws {
        let human = try tool("data", "inspect", "celeba", "faces", "--output", "sheets")
        #expect(human.status == 0, "\(human.error)")
        #expect(human.text.contains("SYNTHETIC celeba, train:") && human.text.contains("label 1 = Smiling"))
        let files = try FileManager.default.contentsOfDirectory(atPath: temporary.file("sheets").path).sorted()
        #expect(files == (0..<4).map { "group-\($0)_Male=\($0 / 2),Young=\($0 % 2).png" })
        for file in files {
            #expect(try ImageDecoder().decode(path: temporary.file("sheets/\(file)").path).width == 8 + 4 + 8 * 100)
        }
        let report = try json(tool("data", "inspect", "celeba", "faces", "--format", "json", "--group-by", "Male"))
        let rows = try #require(report["rows"] as? [[String: Any]])
        #expect(rows.count == 6 && rows.reduce(0) { $0 + ($1["count"] as? Int ?? 0) } == 120)
        let csv = try tool("data", "inspect", "celeba", "faces", "--format", "csv")
        #expect(csv.lines[0] == "split,group,count,label_0,label_1,unlabelled,positive_rate" && csv.lines.count == 13)
        try temporary.write("no image", to: "faces/img_align_celeba/000001.jpg")
        let refused = try tool("data", "inspect", "celeba", "faces", "--output", "sheets")
        #expect(refused.status == 2 && refused.error.contains("000001.jpg"))
    }

    // MARK: usage

    @Test(arguments: [
        ("Male,Male", "--group-by names 'Male' twice"), ("Male,,Young", "a name is empty"), ("", "a name is empty"),
        ("Smiling", "is the target"), ("Mail", "did you mean 'Male'?"),
    ])
    func badGroupsAreUsageErrors(_ groups: String, _ message: String) throws {
        for command in [
            ["data", "inspect", "celeba", "faces"], ["data", "records", "celeba", "--data", "faces"],
            ["train", "celeba", "--data", "faces", "--output", "run"],
        ] {
            let result = try runTool(command + ["--group-by", groups], in: temporary.url)
            #expect(result.status == 64 && result.error.contains(message), "\(command): \(result.status) \(result.error)")
        }
        #expect(!exists("run"))
    }

    @Test func benchMeasuresFolderAndPack() throws {
        #expect(try tool("data", "pack", "celeba", "faces", "--output", "f.safetensors", "--img-size", "32").status == 0)
        for path in ["faces", "f.safetensors"] {
            let result = try json(tool("data", "bench", "celeba", path, "--img-size", "32", "--passes", "3", "--format", "json"))
            #expect((result["passes"] as? [Double])?.count == 3 && (result["images_per_second"] as? Double ?? 0) > 0)
        }
        #expect(try tool("data", "bench", "celeba", "f.safetensors", "--img-size", "64").status == 65)
    }
}
