// The record contract of infer --stream as a consumer of the tool meets it: docs/records.md, line by line.
import Foundation
import TestSupport
import Testing

private let rgb = Fixture.url("images/rgb.png").path
private let jpeg = Fixture.url("images/rgb420.jpg").path
private let scores = ["infer", "--stream", "--scores", "--group-by", "Male,Young"]

private func scoreLine(_ number: Int) -> String {
    #"{"id":\#(number),"logit":\#(sin(Double(number))),"group":"Male=\#(number % 4 / 2),Young=\#(number % 2)"}"# + "\n"
}

private func object(_ line: String) throws -> [String: Any] {
    try #require(try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any])
}

/// The answers by id, without their numbers.
private func answersByID(_ result: ToolResult) throws -> [String: NSDictionary] {
    var found: [String: NSDictionary] = [:]
    for line in result.lines {
        var answer = try object(line)
        answer["seq"] = nil
        if let id = answer["id"] as? String { found[id] = answer as NSDictionary }
    }
    return found
}

/// The tool with pipes that stay open.
private final class RunningTool {
    let process = Process()
    let input = Pipe(), output = Pipe()

    init(_ arguments: [String]) throws {
        process.executableURL = toolURL
        process.arguments = arguments
        process.standardInput = input
        process.standardOutput = output
        process.standardError = FileHandle.nullDevice
        try process.run()
        // Only the tool's own end remains, so that its end of input and of output can be seen.
        try input.fileHandleForReading.close()
        try output.fileHandleForWriting.close()
    }

    func send(_ text: String) throws { try input.fileHandleForWriting.write(contentsOf: Data(text.utf8)) }

    /// What was read beyond the last whole line.
    private var beginning = Data()

    /// Waits for `count` whole lines, or the end. What has come of a further line waits for the next call.
    func lines(_ count: Int) -> [String] {
        var bytes = beginning
        while bytes.count(where: { $0 == 0x0A }) < count {
            let more = output.fileHandleForReading.availableData
            if more.isEmpty { break }
            bytes += more
        }
        let end = bytes.lastIndex(of: 0x0A).map { $0 + 1 } ?? bytes.startIndex
        beginning = Data(bytes[end...])
        return String(decoding: bytes[..<end], as: UTF8.self).split(separator: "\n").map(String.init)
    }

    deinit {
        if process.isRunning { process.terminate() }
        process.waitUntilExit()
    }
}

@Suite(.timeLimit(.minutes(2))) struct StreamContractTests {
    /// Every code that a record can earn, and the record that earns it.
    private static func defects(_ folder: TemporaryFolder) throws -> [(line: String, code: String, hasID: Bool)] {
        let inside = folder.file("root")
        func image(_ name: String, _ extra: String = "") -> String { #"{"id":"bad","image":"\#(name)"\#(extra)}"# }
        for (name, fixture) in [("good.png", "rgb.png"), ("cut.jpg", "truncated.jpg"), ("picture.gif", "picture.gif"), ("corrupt.png", "checksum.png")] {
            try Data(contentsOf: Fixture.url("images/\(fixture)")).write(to: inside.appendingPathComponent(name))
        }
        return [
            ("{broken", "json_invalid", false), ("[1,2]", "json_invalid", false), (#""text""#, "json_invalid", false), ("{\"id\":\"bad\"", "json_invalid", false),
            (#"{"id":"bad","id":"bad","image":"good.png"}"#, "json_invalid", false), (#"{"id":{"a":1},"image":"good.png"}"#, "json_invalid", false),
            (#"{"id":"bad","image":5}"#, "json_invalid", true), (#"{"id":"bad","logit":"high"}"#, "json_invalid", true),
            (#"{"id":"bad","logit":1e400}"#, "json_invalid", false), (#"{"id":"bad","logit":NaN}"#, "json_invalid", false),
            (#"{"id":"bad","image":"good.png","logit":1}"#, "json_invalid", true), ("{\"id\":\"\u{1}\"}", "json_invalid", false),
            (#"{"id":"bad","pad":""# + String(repeating: "x", count: 4000) + "\"}", "record_too_large", false),
            (#"{"id":"bad"}"#, "image_missing", true), (image("nowhere.png"), "image_missing", true),
            (image("cut.jpg"), "image_truncated", true), (image("picture.gif"), "image_unsupported", true), (image("https://x/y.png"), "image_unsupported", true),
            (image("corrupt.png"), "image_corrupt", true), (#"{"id":"bad","image_b64":"%%"}"#, "image_corrupt", true),
            (#"{"id":"bad","tensor":[1]}"#, "image_unsupported", true),
            (image("../outside.png"), "path_not_allowed", true), (image("/etc/passwd"), "path_not_allowed", true), (image("folder"), "path_not_allowed", true),
            (image("good.png", #","group":"Male=2,Young=0""#), "group_invalid", true), (image("good.png", #","group":{"Race":1}"#), "group_invalid", true),
            (image("good.png", #","group":[0]"#), "group_invalid", true), (image("good.png", #","label":2"#), "label_invalid", true),
            (image("good.png", #","label":"yes""#), "label_invalid", true),
        ]
    }

    @Test func everyDefectHasItsCodeAndLeavesItsNeighboursAlone() throws {
        let folder = try TemporaryFolder()
        let run = try makeRun(in: folder)
        try FileManager.default.createDirectory(at: folder.file("root/folder"), withIntermediateDirectories: true)
        try Data(contentsOf: URL(fileURLWithPath: rgb)).write(to: folder.file("outside.png"))
        let defects = try Self.defects(folder)
        try Data(contentsOf: URL(fileURLWithPath: jpeg)).write(to: folder.file("root/good.jpg"))
        let good = defects.indices.map { #"{"id":"good \#($0)","image":"good.\#($0 % 2 == 0 ? "png" : "jpg")","group":"Male=\#($0 % 2),Young=1","label":1}"# }
        let arguments = ["infer", run, "--stream", "--image-root", folder.file("root").path, "--max-line-bytes", "3000", "--batch-size", "4"]
        // Line ends of both kinds and blank lines, which are no records.
        let mixed = zip(good, defects).map { $0 + "\r\n\n" + $1.line + "\n  \n" }.joined()
        let result = try runTool(arguments, input: Data(mixed.utf8))
        #expect(result.status == 2, "\(result.error)")
        let answers = try result.lines.map(object)
        try #require(answers.count == 2 * defects.count)
        #expect(answers.map { $0["seq"] as? Int } == Array(answers.indices))
        for (number, defect) in defects.enumerated() {
            let answer = answers[2 * number + 1]
            let error = try #require(answer["error"] as? [String: Any], "\(defect.line)")
            #expect(error["code"] as? String == defect.code, "\(defect.line): \(error)")
            #expect((answer["id"] as? String == "bad") == defect.hasID, "\(defect.line): \(answer)")
            #expect((error["message"] as? String)?.isEmpty == false && error["retryable"] as? Bool == false)
            #expect(Set(answer.keys) == ["v", "seq", "id", "status", "error"])
        }
        // The same good records alone get the same answers.
        let alone = try runTool(arguments, input: Data(good.joined(separator: "\n").utf8))
        #expect(alone.status == 0)
        let (with, without) = (try answersByID(result), try answersByID(alone))
        for number in good.indices {
            #expect(without["good \(number)"] != nil && with["good \(number)"] == without["good \(number)"], "good \(number)")
        }
        for code in Set(defects.map(\.code)) { #expect(result.error.contains("  \(code): "), "\(code)") }
    }

    @Test func imagesBeyondALimitAreRefusedOneByOne() throws {
        let folder = try TemporaryFolder()
        let input = Data((#"{"image":"\#(rgb)"}"# + "\n" + #"{"logit":0.5}"# + "\n").utf8)
        let result = try runTool(["infer", try makeRun(in: folder), "--stream", "--max-image-pixels", "10"], input: input)
        #expect(result.status == 2 && result.lines[0].contains("image_too_large") && result.lines[0].contains("--max-image-pixels"))
        #expect(result.lines[1].contains(#""status":"ok""#))
    }

    @Test(arguments: ["primal-dual", "anytime"]) func everyScoreCarriesTheMeasuredGapAndTheBound(_ online: String) throws {
        // The first records are of unknown groups: nothing is measured yet, and nothing is left out.
        let text = #"{"logit":3}"# + "\n" + (0..<200).map(scoreLine).joined()
        for size in ["1", "7", "32"] {
            let result = try runTool(scores + ["--online", online, "--batch-size", size, "--epsilon", "0.05"], input: Data(text.utf8))
            #expect(result.status == 0 && result.lines.count == 201, "\(result.error)")
            for (number, line) in result.lines.enumerated() {
                let fairness = try #require(try object(line)["fairness"] as? [String: Any])
                #expect(fairness["algorithm"] as? String == online && fairness["epsilon"] as? Double == 0.05)
                for key in ["batch_gap", "average_gap", "bound", "pooled_gap", "lambda"] {
                    #expect(fairness[key] is Double || (key == "bound" && number == 0), "\(key) of record \(number): \(line)")
                }
                guard let bound = fairness["bound"] as? Double else { continue }
                let measured = try #require(fairness[online == "anytime" ? "pooled_gap" : "average_gap"] as? Double)
                #expect(measured <= bound + 1e-9, "record \(number)")
            }
        }
    }

    @Test func aCriterionThatNeedsLabelsIsRefused() throws {
        for criterion in ["equalized-odds", "equal-opportunity", "equalized-residuals"] {
            let result = try runTool(scores + ["--criterion", criterion], input: Data(scoreLine(0).utf8))
            #expect(result.status == 65 && result.output.isEmpty && result.error.contains("label"), "\(criterion): \(result.error)")
        }
    }

    @Test func aLoneRecordIsAnsweredWithinTheDefaultDelay() throws {
        let tool = try RunningTool(scores)
        // Three times, so that more than a start or an end is seen.
        for number in 0..<3 {
            try tool.send(scoreLine(number))
            let answer = try object(try #require(tool.lines(1).first))
            #expect(answer["id"] as? Int == number && (answer["fairness"] as? [String: Any])?["batch_n"] as? Int == 1)
        }
        try tool.input.fileHandleForWriting.close()
        tool.process.waitUntilExit()
        #expect(tool.process.terminationStatus == 0)
    }

    @Test func withoutADelayOnlyFullBatchesLeave() throws {
        let tool = try RunningTool(scores + ["--max-delay-ms", "none", "--batch-size", "3"])
        try tool.send((0..<4).map(scoreLine).joined())
        #expect(tool.lines(3).count == 3)
        try tool.send(scoreLine(4) + scoreLine(5))
        let second = tool.lines(3)
        #expect(second.count == 3 && second.allSatisfy { $0.contains(#""batch_n":3"#) })
        try tool.input.fileHandleForWriting.close()
        #expect(tool.lines(1).isEmpty)
    }

    /// Nobody reads the answers: the tool stops reading records, and goes on when somebody does.
    @Test func aSlowReaderHoldsBackTheInput() throws {
        let tool = try RunningTool(scores)
        let text = Array((0..<1000).map(scoreLine).joined().utf8)
        let descriptor = tool.input.fileHandleForWriting.fileDescriptor
        _ = fcntl(descriptor, F_SETFL, O_NONBLOCK)
        var sent = 0
        var request = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
        // 200,000 records would be 13 MB in and 80 MB out.
        while sent < 200 * text.count, poll(&request, 1, 2000) == 1 {
            let offset = sent % text.count
            let count = text.withUnsafeBytes { write(descriptor, $0.baseAddress! + offset, $0.count - offset) }
            if count > 0 { sent += count }
        }
        #expect(sent < 20 * text.count, "\(sent) bytes were taken in while nobody took answers")
        // The end of the record in hand, then the end of input.
        _ = fcntl(descriptor, F_SETFL, 0)
        let taken = tool.output.fileHandleForReading
        let collector = Collector(taken)
        let rest = text[(sent % text.count)...]
        try tool.input.fileHandleForWriting.write(contentsOf: Data(rest))
        try tool.input.fileHandleForWriting.close()
        let answers = collector.wait()
        #expect(answers == (sent + rest.count) / text.count * 1000)
    }

    @Test(arguments: [(SIGINT, 130), (SIGTERM, 143)] as [(Int32, Int32)])
    func aSignalLeavesAStateThatEndsWithTheLastAnswer(_ signal: Int32, _ status: Int32) throws {
        let folder = try TemporaryFolder()
        let state = folder.file("s.db").path
        let tool = try RunningTool(scores + ["--state", state, "--replay-by", "position"])
        try tool.send((0..<70).map(scoreLine).joined())
        let first = tool.lines(64)
        kill(tool.process.processIdentifier, signal)
        let rest = tool.lines(70)
        tool.process.waitUntilExit()
        #expect(tool.process.terminationStatus == status && tool.process.terminationReason == .exit)
        let answered = first.count + rest.count
        let inspected = try runTool(["inspect", "state", state, "--format", "json"])
        #expect(inspected.status == 0)
        #expect(try object(inspected.text)["next_seq"] as? Int == answered)
        // Sent again from the start, everything has the answer it had.
        let again = try runTool(scores + ["--state", state, "--replay-by", "position"], input: Data((0..<90).map(scoreLine).joined().utf8))
        #expect(again.status == 0 && again.lines.count == 90)
        #expect(Array(again.lines[..<answered]) == first + rest)
        #expect(again.error.contains("\(answered) answered before"))
    }

    /// Ctrl-C reaches every process of a pipeline: that the reader has gone as well does not make it an ordinary end.
    @Test func aSignalCountsAlthoughTheReaderHasGone() throws {
        let tool = try RunningTool(scores + ["--max-delay-ms", "none", "--batch-size", "3"])
        try tool.send((0..<4).map(scoreLine).joined())
        #expect(tool.lines(3).count == 3)
        // The fourth record is in hand.
        usleep(100_000)
        try tool.output.fileHandleForReading.close()
        kill(tool.process.processIdentifier, SIGINT)
        tool.process.waitUntilExit()
        #expect(tool.process.terminationStatus == 130 && tool.process.terminationReason == .exit)
    }

    @Test func twoWritersAndForeignStatesAreRefused() throws {
        let folder = try TemporaryFolder()
        let state = folder.file("s.db").path
        let tool = try RunningTool(scores + ["--state", state])
        try tool.send(scoreLine(0))
        #expect(tool.lines(1).count == 1)
        let second = try runTool(scores + ["--state", state], input: Data(scoreLine(1).utf8))
        #expect(second.status == 75 && second.output.isEmpty && second.error.contains("another facefair is writing to it"))
        // Looking is allowed, and does no harm.
        let inspected = try runTool(["inspect", "state", state])
        #expect(inspected.status == 0 && inspected.lines.contains { $0.contains("next seq 1") }, "\(inspected.error)")
        try tool.send(scoreLine(1))
        #expect(tool.lines(1).count == 1)
        try tool.input.fileHandleForWriting.close()
        tool.process.waitUntilExit()

        let other = try runTool(["infer", "--stream", "--scores", "--group-by", "Male", "--state", state], input: Data(scoreLine(1).utf8))
        #expect(other.status == 78 && other.output.isEmpty && other.error.contains("groups"))
        let epsilon = try runTool(scores + ["--state", state, "--epsilon", "0.5"], input: Data(scoreLine(1).utf8))
        #expect(epsilon.status == 78 && epsilon.error.contains("--epsilon 0.001 (this run: 0.5)"))
        // A state of two models: refused, then adopted.
        let models = [try makeRun(in: folder, name: "runs/one"), try makeRun(in: folder, name: "runs/two", seed: 9)]
        let line = Data(#"{"id":1,"image":"\#(rgb)","group":"Male=1,Young=1"}"#.utf8)
        let path = folder.file("model.db").path
        #expect(try runTool(["infer", models[0], "--stream", "--state", path], input: line).status == 0)
        let refused = try runTool(["infer", models[1], "--stream", "--state", path], input: line)
        #expect(refused.status == 78 && refused.output.isEmpty && refused.error.contains("--adopt-state"))
        #expect(try runTool(["infer", models[1], "--stream", "--state", path, "--adopt-state"], input: line).status == 0)
    }

    @Test func inspectSaysWhatItCannotRead() throws {
        let folder = try TemporaryFolder()
        try folder.write("text", to: "a.db")
        #expect(try runTool(["inspect", "state", folder.file("a.db").path]).status == 65)
        #expect(try runTool(["inspect", "state", folder.file("none.db").path]).status == 66)
    }
}

/// Counts the lines of a pipe on a thread of its own.
private final class Collector: @unchecked Sendable {
    private let done = DispatchSemaphore(value: 0)
    private var count = 0

    init(_ handle: FileHandle) {
        Thread { [self] in
            while case let data = handle.availableData, !data.isEmpty { count += data.count(where: { $0 == 0x0A }) }
            done.signal()
        }.start()
    }

    func wait() -> Int {
        done.wait()
        return count
    }
}

/// What docs/records.md tells users to run.
@Suite(.timeLimit(.minutes(2))) struct StreamRecipeTests {
    /// The fenced block of docs/records.md that is marked with `name`.
    private static func recipe(_ name: String) throws -> String {
        let file = Fixture.folder.deletingLastPathComponent().deletingLastPathComponent().appendingPathComponent("docs/records.md")
        let parts = try String(contentsOf: file, encoding: .utf8).components(separatedBy: "```sh \(name)\n")
        try #require(parts.count == 2)
        return try #require(parts[1].components(separatedBy: "```\n").first)
    }

    private static func shell(_ script: String, in folder: TemporaryFolder) throws -> Process {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/bin/bash")
        process.arguments = ["-c", script]
        process.currentDirectoryURL = folder.url
        process.environment = ProcessInfo.processInfo.environment
            .merging(["PATH": "\(folder.url.path):\(toolURL.deletingLastPathComponent().path):\(ProcessInfo.processInfo.environment["PATH"] ?? "")"]) { $1 }
        process.standardError = FileHandle.nullDevice
        try process.run()
        return process
    }

    @Test func goingOnAfterACrash() throws {
        let folder = try TemporaryFolder()
        let text = (0..<20_000).map(scoreLine).joined()
        try folder.write(text, to: "records.ndjson")
        let reference = try runTool(scores, input: Data(text.utf8))
        // A full disk, as far as one can be had without one: the shell's limit on file sizes cuts the answers within a line.
        let script = try Self.recipe("resume")
        let cut = try Self.shell("ulimit -f 3000\n" + script, in: folder)
        cut.waitUntilExit()
        let answers = folder.file("answers.ndjson")
        #expect(cut.terminationStatus != 0)
        #expect(try Data(contentsOf: answers).count < reference.output.count)
        // Killed, then left to end.
        let killed = try Self.shell("facefair() { timeout -s KILL 0.1 '\(toolURL.path)' \"$@\"; }\n" + script, in: folder)
        killed.waitUntilExit()
        let last = try Self.shell(script, in: folder)
        last.waitUntilExit()
        #expect(last.terminationStatus == 0)
        #expect(try Data(contentsOf: answers) == reference.output)
        #expect(try SavedStreamFigures(folder.file("stream.db")).records == 20_000)
    }
}

/// What `inspect state` says.
private struct SavedStreamFigures {
    let records: Int

    init(_ file: URL) throws {
        let result = try runTool(["inspect", "state", file.path, "--format", "json"])
        records = try #require((try object(result.text)["totals"] as? [String: Any])?["records"] as? Int)
    }
}
