// facefair infer as a user runs it, with an untrained network: records, images, exit codes, pipes.
import Foundation
import NeuralNetwork
import TensorCore
import TestSupport
import Testing

/// A run folder with an untrained SimpleCNN for 16-pixel faces, Male × Young.
func makeRun(in folder: TemporaryFolder, name: String = "runs/one", seed: UInt64 = 3) throws -> String {
    let classifier = ClassifierConfiguration(baseRate: 0.5)
    let metadata = ModelMetadata(
        classifier: classifier, imageSize: 16, mean: [0.5, 0.5, 0.5], std: [0.25, 0.25, 0.25], dataset: "celeba", synthetic: true,
        target: "Smiling", features: [.init(name: "Male", values: ["0", "1"]), .init(name: "Young", values: ["0", "1"])],
        method: "fairness-layer", criterion: "demographic-parity", epsilon: 0.001, batchThreshold: 100, eta0: 0.1, pairPenalty: "max", seed: 1, epoch: 1)
    let path = folder.file(name + "/best.safetensors")
    try FileManager.default.createDirectory(at: path.deletingLastPathComponent(), withIntermediateDirectories: true)
    try Checkpoint.save(FaceClassifier(classifier, random: RandomSource(seed: seed)), metadata: metadata, to: path)
    return folder.file(name).path
}

private let rgb = Fixture.url("images/rgb.png").path
private let jpeg = Fixture.url("images/rgb420.jpg").path
private let truncated = Fixture.url("images/truncated.jpg").path

private func objects(_ result: ToolResult) throws -> [[String: Any]] {
    try result.lines.map { try #require(try JSONSerialization.jsonObject(with: Data($0.utf8)) as? [String: Any]) }
}

@Suite struct InferCommandTests {
    @Test func threeRecordsOneBrokenThreeAnswersExit2() throws {
        let folder = try TemporaryFolder()
        let run = try makeRun(in: folder)
        let input = """
            {"id":"a","image":"\(rgb)","group":{"Male":0,"Young":1},"label":1}
            {"id":"b","image":"\(truncated)","group":{"Male":1,"Young":1}}
            {"id":"c","image":"\(jpeg)","group":"Male=1,Young=0","label":0}

            """
        let result = try runTool(["infer", run, "--stream"], input: Data(input.utf8))
        #expect(result.status == 2, "\(result.error)")
        let answers = try objects(result)
        #expect(answers.map { $0["id"] as? String } == ["a", "b", "c"])
        #expect(answers.map { $0["seq"] as? Int } == [0, 1, 2])
        #expect(answers.map { $0["status"] as? String } == ["ok", "error", "ok"])
        #expect((answers[1]["error"] as? [String: Any])?["code"] as? String == "image_truncated")
        let fairness = try #require(answers[2]["fairness"] as? [String: Any])
        #expect(
            Set(fairness.keys) == [
                "criterion", "epsilon", "algorithm", "regime", "lambda", "batch_n", "batch_gap", "average_gap", "bound", "pooled_gap", "updates",
            ])
        #expect(fairness["regime"] as? String == "primal_dual" && fairness["batch_n"] as? Int == 2)
        #expect(
            Set(answers[0].keys) == [
                "v", "seq", "id", "status", "logit", "logit_raw", "score", "decision", "threshold", "group", "group_source", "fairness", "model",
            ])
        #expect((answers[0]["model"] as? String)?.hasPrefix("celeba-smiling@") == true)
        #expect(result.error.contains("3 records: 2 ok, 1 failed") && result.error.contains("image_truncated: 1") && result.error.contains("accuracy"))
    }

    @Test func batchesAtTheThresholdAreProjected() throws {
        let folder = try TemporaryFolder()
        let run = try makeRun(in: folder)
        let input = (0..<8).map { #"{"id":\#($0),"image":"\#($0 % 2 == 0 ? rgb : jpeg)","group":"Male=\#($0 % 2),Young=0"}"# }.joined(separator: "\r\n")
        let arguments = ["infer", run, "--stream", "--batch-size", "4", "--batch-threshold", "4", "--epsilon", "0", "--quiet"]
        let result = try runTool(arguments, input: Data(input.utf8))
        #expect(result.status == 0 && result.error.isEmpty, "\(result.error)")
        for answer in try objects(result) {
            let fairness = try #require(answer["fairness"] as? [String: Any])
            #expect(fairness["regime"] as? String == "hard" && (fairness["batch_gap"] as! Double) < 1e-9)
        }
        for threads in ["1", "2"] {
            #expect(try runTool(arguments + ["--threads", threads, "-j", "3"], input: Data(input.utf8)).output == result.output)
        }
    }

    @Test func imageFilesAsTableAndAsJSON() throws {
        let folder = try TemporaryFolder()
        let run = try makeRun(in: folder)
        let table = try runTool(["infer", run, rgb, jpeg])
        #expect(table.status == 0 && table.lines.count == 3, "\(table.error)")
        #expect(table.lines[0].contains("decision") && table.lines[1].contains("unknown"))
        #expect(table.error.contains("no --group given") && table.error.contains("synthetic"))
        let json = try runTool(["infer", run + "/best.safetensors", rgb, "/nowhere.png", "--format", "json", "--group", "Male=0,Young=1"])
        #expect(json.status == 2)
        let object = try #require(try JSONSerialization.jsonObject(with: json.output) as? [String: Any])
        #expect(Set(object.keys) == ["model", "model_file", "synthetic", "results", "summary"])
        let results = try #require(object["results"] as? [[String: Any]])
        #expect(results[0]["group"] as? String == "Male=0,Young=1" && results[1]["status"] as? String == "error")
        #expect((object["summary"] as? [String: Any])?["failed"] as? Int == 1)
    }

    /// A JPEG with two bytes between its segments: libjpeg skips them with a warning.
    private func stray(in folder: TemporaryFolder) throws -> String {
        var bytes = try Fixture.data("images/rgb420.jpg")
        bytes.insert(contentsOf: [0x12, 0x34], at: 20)
        try bytes.write(to: folder.file("stray.jpg"))
        return folder.file("stray.jpg").path
    }

    @Test func lenientlyReadImagesAreCountedAndListed() throws {
        let folder = try TemporaryFolder()
        let run = try makeRun(in: folder)
        let stray = try stray(in: folder)
        let base64 = try Data(contentsOf: URL(fileURLWithPath: stray)).base64EncodedString()
        let text = [
            #""image":"\#(jpeg)""#, #""image":"\#(stray)""#, #""logit":0.5"#, #""image_b64":"\#(base64)""#, #""image":"\#(truncated)""#, #""image":"\#(rgb)""#,
        ].enumerated().map { #"{"id":\#($0),\#($1),"group":"Male=1,Young=0"}"# + "\n" }.joined()
        let input = Data(text.utf8)
        let strict = try runTool(["infer", run, "--stream"], input: input)
        #expect(
            try objects(strict).map { ($0["error"] as? [String: Any])?["code"] as? String ?? "ok" }
                == ["ok", "image_corrupt", "ok", "image_corrupt", "image_truncated", "ok"])
        #expect(!strict.text.contains("image_warnings") && !strict.error.contains("accepted"))

        let lenient = ["infer", run, "--stream", "--lenient-images"]
        let result = try runTool(lenient, input: input)
        let answers = try objects(result)
        #expect(answers.map { $0["status"] as? String } == ["ok", "ok", "ok", "ok", "error", "ok"])
        #expect(answers.map { $0["image_warnings"] as? Int } == [nil, 1, nil, 1, nil, nil])
        #expect(answers[1]["logit_raw"] as? Double == answers[0]["logit_raw"] as? Double)
        #expect(result.error.contains("2 images were accepted with decoder warnings (--lenient-images)"), "\(result.error)")
        let summary = try runTool(lenient + ["--format", "json"], input: input)
        #expect(summary.output == result.output)
        let last = try #require(summary.error.split(separator: "\n").last)
        let object = try JSONSerialization.jsonObject(with: Data(last.utf8)) as? [String: Any]
        #expect(object?["images_with_warnings"] as? Int == 2 && object?["ok"] as? Int == 5)

        // With a state: a replay is the same line, counted once.
        let state = folder.file("s.db").path
        let durable = lenient + ["--state", state, "--replay-by", "position"]
        let first = try runTool(durable, input: input)
        #expect(first.output == result.output)
        let again = try runTool(durable, input: Data((text + text).utf8))
        #expect(again.lines.count == 12 && Array(again.lines[..<6]) == first.lines)
        #expect(again.error.contains("2 images were accepted"), "those of this run: \(again.error)")
        let inspected = try runTool(["inspect", "state", state, "--format", "json"])
        let saved = try JSONSerialization.jsonObject(with: inspected.output) as? [String: Any]
        #expect((saved?["totals"] as? [String: Any])?["images_with_warnings"] as? Int == 4)
        #expect(try runTool(["inspect", "state", state]).text.contains("4 images were accepted with decoder warnings"))
    }

    @Test func lenientlyReadFilesAreCountedAndListed() throws {
        let folder = try TemporaryFolder()
        let run = try makeRun(in: folder)
        let stray = try stray(in: folder)
        let table = try runTool(["infer", run, jpeg, stray, "--lenient-images"])
        #expect(table.status == 0 && table.lines.map { $0.hasSuffix("(1 decoder warning)") } == [false, false, true])
        #expect(table.error.contains("1 image was accepted with decoder warnings (--lenient-images)"), "\(table.error)")
        let json = try runTool(["infer", run, jpeg, stray, "--lenient-images", "--format", "json"])
        let object = try #require(try JSONSerialization.jsonObject(with: json.output) as? [String: Any])
        let results = try #require(object["results"] as? [[String: Any]])
        #expect(results.map { $0["image_warnings"] as? Int } == [nil, 1])
        #expect((object["summary"] as? [String: Any])?["images_with_warnings"] as? Int == 1)
        #expect(json.error.contains("1 image was accepted with decoder warnings"))
    }

    @Test func withoutModelTheNewestRunIsTaken() throws {
        let folder = try TemporaryFolder()
        #expect(try runTool(["infer", "--stream"], in: folder.url).status == 66)
        _ = try makeRun(in: folder)
        let record = Data(#"{"id":1,"image":"\#(rgb)"}"#.utf8)
        let result = try runTool(["infer", "--stream"], input: record, in: folder.url)
        #expect(result.status == 0 && result.error.contains("runs/one/best.safetensors"), "\(result.error)")
        #expect(try runTool(["infer", rgb], in: folder.url).status == 0)
    }

    @Test func theImageRootConfines() throws {
        let folder = try TemporaryFolder()
        let run = try makeRun(in: folder)
        try FileManager.default.createDirectory(at: folder.file("root"), withIntermediateDirectories: true)
        try FileManager.default.copyItem(atPath: rgb, toPath: folder.file("root/in.png").path)
        let input = #"{"image":"in.png"}"# + "\n" + #"{"image":"../runs/one/best.safetensors"}"# + "\n" + #"{"image":"\#(rgb)"}"#
        let result = try runTool(["infer", run, "--stream", "--image-root", folder.file("root").path], input: Data(input.utf8))
        let codes = try objects(result).map { ($0["error"] as? [String: Any])?["code"] as? String ?? "ok" }
        #expect(codes == ["ok", "path_not_allowed", "path_not_allowed"])
    }

    @Test func emptyInputIsNoFailure() throws {
        let folder = try TemporaryFolder()
        let result = try runTool(["infer", try makeRun(in: folder), "--stream", "--format", "json"], input: Data("\n\n".utf8))
        #expect(result.status == 0 && result.output.isEmpty)
        let summary = try #require(result.error.split(separator: "\n").last)
        #expect(try JSONSerialization.jsonObject(with: Data(summary.utf8)) is [String: Any])
    }

    @Test func badFlagsExit64() throws {
        let folder = try TemporaryFolder()
        let run = try makeRun(in: folder)
        for flags in [
            [], [run], [run, rgb, "--stream"], [run, "--stream", "--batch-size", "0"], [run, "--stream", "--epsilon=-1"], [run, rgb, "--group", "Male=9,Young=1"],
            [run, "--stream", "--max-delay-ms", "soon"], [run, "--stream", "--threshold", "2"], [run, "--stream", "--max-image-bytes", "0"],
        ] { #expect(try runTool(["infer"] + flags).status == 64, "\(flags)") }
        #expect(try runTool(["infer", "/no/model.safetensors", "--stream"]).status == 66)
        #expect(try runTool(["infer", run, "--stream", "--image-root", "/no/folder"]).status == 66)
        try folder.write("PK\u{3}\u{4}rest", to: "model.pt")
        #expect(try runTool(["infer", folder.file("model.pt").path, rgb]).status == 65)
    }

    /// A pipe that stays open: a signal ends the stream with its answers written, and `| head` ends it quietly.
    @Test(.timeLimit(.minutes(1)), arguments: [(SIGINT, 130), (SIGTERM, 143)] as [(Int32, Int32)])
    func signalsEndTheStreamAfterTheBatchInHand(_ signal: Int32, _ status: Int32) throws {
        let folder = try TemporaryFolder()
        let process = Process()
        process.executableURL = toolURL
        process.arguments = ["infer", try makeRun(in: folder), "--stream", "--max-delay-ms", "1"]
        let (input, output) = (Pipe(), Pipe())
        process.standardInput = input
        process.standardOutput = output
        process.standardError = FileHandle.nullDevice
        try process.run()
        try input.fileHandleForWriting.write(contentsOf: Data((#"{"id":1,"image":"\#(rgb)"}"# + "\n").utf8))
        let answer = output.fileHandleForReading.availableData  // arrives although the input is open
        #expect(String(decoding: answer, as: UTF8.self).contains("\"status\":\"ok\""))
        kill(process.processIdentifier, signal)
        process.waitUntilExit()
        #expect(process.terminationStatus == status && process.terminationReason == .exit)
        try input.fileHandleForWriting.close()
    }

    @Test(.timeLimit(.minutes(1))) func aReaderThatLeavesEndsTheStreamQuietly() throws {
        let folder = try TemporaryFolder()
        let run = try makeRun(in: folder)
        try folder.write(String(repeating: #"{"id":1,"image":"\#(rgb)"}"# + "\n", count: 2000), to: "in")
        let shell = Process()
        shell.executableURL = URL(fileURLWithPath: "/bin/bash")
        shell.arguments = [
            "-c", "'\(toolURL.path)' infer '\(run)' --stream < '\(folder.file("in").path)' 2> '\(folder.file("err").path)' | head -n 1 > /dev/null; exit ${PIPESTATUS[0]}",
        ]
        try shell.run()
        shell.waitUntilExit()
        #expect(shell.terminationStatus == 0)
        #expect(!(try String(contentsOf: folder.file("err"), encoding: .utf8)).contains("error"))
    }
}
