// A durable stream that is killed at random moments: nothing is lost, nothing is counted twice, no answer changes.
import Fairness
import FaceData
import Foundation
import Inference
import NeuralNetwork
import TensorCore
import TestSupport
import Testing

/// When a run is killed.
private enum Moment {
    /// So long after its start, which on a busy machine is while it still loads.
    case time(TimeInterval)
    /// When it has written so much, however long that takes.
    case bytes(Int)
    case never

    func wait(for process: Process, writing output: URL) {
        switch self {
        case .time(let delay): Thread.sleep(forTimeInterval: delay)
        case .bytes(let count):
            var status = stat()
            while process.isRunning, stat(output.path, &status) == 0, status.st_size < count { usleep(500) }
        case .never: process.waitUntilExit()
        }
    }
}

/// One run of the tool on `input` from byte `offset` on, killed at `moment`. Returns the whole lines it wrote.
private func run(
    _ arguments: [String], input: URL, from offset: Int, output: URL, kill moment: Moment
) throws -> (lines: [Substring], status: Int32) {
    let process = Process()
    process.executableURL = toolURL
    process.arguments = arguments
    let source = try FileHandle(forReadingFrom: input)
    try source.seek(toOffset: UInt64(offset))
    try Data().write(to: output)
    process.standardInput = source
    process.standardOutput = try FileHandle(forWritingTo: output)
    process.standardError = FileHandle.nullDevice
    try process.run()
    moment.wait(for: process, writing: output)
    if process.isRunning { kill(process.processIdentifier, SIGKILL) }
    process.waitUntilExit()
    let text = String(decoding: try Data(contentsOf: output), as: UTF8.self)
    // A line that was cut by the kill has not been answered.
    let whole = text.lastIndex(of: "\n").map { text[..<$0] } ?? ""
    return (whole.isEmpty ? [] : whole.split(separator: "\n"), process.terminationStatus)
}

/// Lines, where each begins, and what an uninterrupted run answers.
private struct Recording {
    let file: URL
    let lines: [String]
    let starts: [Int]
    let answers: [Substring]

    init(_ lines: [String], _ arguments: [String], in folder: TemporaryFolder) throws {
        self.lines = lines
        file = try folder.write(lines.joined(separator: "\n") + "\n", to: "in.ndjson")
        var starts = [0]
        for line in lines { starts.append(starts.last! + line.utf8.count + 1) }
        self.starts = starts
        answers = try run(arguments, input: file, from: 0, output: folder.file("reference"), kill: .never).lines
        #expect(answers.count == lines.count)
    }
}

/// What happened over all runs.
private struct Tally {
    var kills = 0, withProgress = 0, repeated = 0, finished = 0
}

/// Kills the stream `kills` times, sending again from where answers were last seen or from before; the state file is new whenever the
/// input is through. Every second kill comes by the clock, the others when a random number of bytes is out. `check` sees the state
/// after each kill.
private func killRepeatedly(
    _ kills: Int, _ recording: Recording, _ arguments: [String], delay: Double, in folder: TemporaryFolder,
    check: (SavedStream) throws -> Void
) throws -> Tally {
    var tally = Tally()
    var random = SeededNumbers(state: 7)
    var acknowledged = 0, counted = 0, generation = 0
    let output = folder.file("out")
    while tally.kills < kills {
        let state = folder.file("state\(generation).db")
        let start = max(0, acknowledged - (Bool.random(using: &random) ? 0 : Int.random(in: 0...400, using: &random)))
        let moment: Moment =
            tally.kills % 2 == 0 ? .time(.random(in: 0...delay, using: &random)) : .bytes(.random(in: 1...400_000, using: &random))
        let result = try run(
            arguments + ["--state", state.path, "--replay-by", "position", "--source-start", "\(start)"], input: recording.file,
            from: recording.starts[start], output: output, kill: moment)
        let end = start + result.lines.count
        #expect(result.lines[...] == recording.answers[start..<end], "answers \(start)..<\(end) differ from the uninterrupted run's")
        tally.withProgress += end > acknowledged ? 1 : 0
        tally.repeated += min(end, acknowledged) - min(start, acknowledged)
        acknowledged = max(acknowledged, end)
        if end == recording.lines.count && result.status != SIGKILL {
            // It was through before the kill.
            tally.finished += 1
            generation += 1
            (acknowledged, counted) = (0, 0)
            continue
        }
        tally.kills += 1
        guard FileManager.default.fileExists(atPath: state.path), let saved = try saved(state) else { continue }
        #expect(saved.nextSequence >= acknowledged, "a record was answered and not saved")
        #expect(saved.nextSequence >= counted, "saved records were forgotten")
        counted = saved.nextSequence
        try check(saved)
    }
    return tally
}

/// nil when the kill came before the state was made.
private func saved(_ file: URL) throws -> SavedStream? {
    do { return try SavedStream(reading: file.path) } catch where error.description.contains("holds no stream yet") {
        return nil
    }
}

/// A generator with a seed; splitmix64.
private struct SeededNumbers: RandomNumberGenerator {
    var state: UInt64
    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }
}

@Suite(.serialized) struct StreamCrashTests {
    /// Logits of four groups, with broken records and unknown groups among them.
    private static func scoreLines(_ count: Int) -> (lines: [String], scores: [(logit: Double, group: Int)?]) {
        var random = SeededNumbers(state: 1)
        var lines: [String] = []
        var scores: [(logit: Double, group: Int)?] = []
        for number in 0..<count {
            let group = Int.random(in: 0..<4, using: &random)
            let logit = Double.random(in: -3...3, using: &random) + Double(group)
            switch number % 97 {
            case 13:
                lines.append("{broken \(number)")
                scores.append(nil)
            case 29:
                lines.append(#"{"id":\#(number),"logit":\#(logit),"group":"Male=7"}"#)
                scores.append(nil)
            case 31:
                lines.append(#"{"id":\#(number),"logit":\#(logit)}"#)
                scores.append((logit, unknownGroup))
            default:
                lines.append(#"{"id":\#(number),"logit":\#(logit),"group":{"Male":\#(group / 2),"Young":\#(group % 2)}}"#)
                scores.append((logit, group))
            }
        }
        return (lines, scores)
    }

    /// The algorithm's state after each batch of an uninterrupted stream, by the number of records up to there.
    private static func trajectory(_ scores: [(logit: Double, group: Int)?], batchSize: Int, _ start: OnlineFairness) throws -> [Int: OnlineFairness] {
        var online = start
        var states = [0: online]
        var raw: [Double] = [], groups: [Int] = []
        for (number, score) in scores.enumerated() {
            if let score {
                raw.append(score.logit)
                groups.append(score.group)
            }
            if raw.count == batchSize || number == scores.count - 1 {
                if !raw.isEmpty { _ = try online.process(raw, groups: groups) }
                states[number + 1] = online
                (raw, groups) = ([], [])
            }
        }
        return states
    }

    @Test(.timeLimit(.minutes(5)), arguments: [OnlineName.primalDual, .anytime])
    func killedAtRandomMomentsTheStreamGoesOnAsIfNothingHadHappened(_ algorithm: OnlineName) throws {
        let folder = try TemporaryFolder()
        let (lines, scores) = Self.scoreLines(12_000)
        let arguments = ["infer", "--stream", "--scores", "--group-by", "Male,Young", "--online", algorithm.rawValue, "--epsilon", "0.01", "--batch-size", "16"]
        let recording = try Recording(lines, arguments, in: folder)
        let start: OnlineFairness =
            algorithm == .anytime
            ? .anytime(AnytimeParity(groupCount: 4, tolerance: 0.01)) : .primalDual(PrimalDual(groupCount: 4, tolerance: 0.01))
        let expected = try Self.trajectory(scores, batchSize: 16, start)
        let clock = ContinuousClock.now
        let tally = try killRepeatedly(100, recording, arguments, delay: 0.12, in: folder) { saved in
            let reference = try #require(expected[saved.nextSequence], "record \(saved.nextSequence) is not the end of a batch")
            #expect(try JSONDecoder().decode(OnlineFairness.self, from: saved.online) == reference)
            #expect(saved.totals.records == saved.nextSequence)
            #expect(saved.sources.map(\.records).reduce(0, +) == saved.nextSequence)
            #expect(saved.nextSequence == 0 || saved.sources[0].lastOffset == saved.nextSequence - 1)
        }
        print("\(algorithm.rawValue): \(tally), \((ContinuousClock.now - clock))")
        #expect(tally.kills == 100 && tally.withProgress > 10 && tally.repeated > 100)
    }

    @Test(.timeLimit(.minutes(5))) func aModelsStreamSurvivesToo() throws {
        let folder = try TemporaryFolder()
        let model = try makeRun(in: folder)
        let images = ["images/rgb.png", "images/rgb420.jpg", "images/truncated.jpg"].map { Fixture.url($0).path }
        let lines = (0..<3000).map { number in
            number % 5 == 4
                ? #"{"id":\#(number),"logit":\#(Double(number % 7) / 3),"group":"Male=1,Young=1"}"#
                : #"{"id":\#(number),"image":"\#(images[number % 17 == 0 ? 2 : number % 2])","group":"Male=\#(number % 2),Young=\#(number / 2 % 2)"}"#
        }
        let arguments = ["infer", model, "--stream", "--batch-size", "8", "--threads", "1"]
        let recording = try Recording(lines, arguments, in: folder)
        let tally = try killRepeatedly(20, recording, arguments, delay: 0.4, in: folder) { saved in
            #expect(saved.totals.records == saved.nextSequence)
        }
        print("images: \(tally)")
        #expect(tally.kills == 20 && tally.withProgress > 2)
    }
}
