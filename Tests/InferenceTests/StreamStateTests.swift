// The durable state of a stream: going on, replays, whom it belongs to, and reading it from outside.
import Fairness
import Foundation
import Inference
import TestSupport
import Testing

/// Settings of a stream of ready logits with batches of 4.
private func scoreSettings(
    _ online: OnlineName = .primalDual, identity: ReplayIdentity = .position(source: "in", first: 0), _ change: (inout StreamSettings) -> Void = { _ in }
) -> StreamSettings {
    var settings = StreamSettings(tolerance: 0.01)
    settings.online = online
    settings.batchSize = 4
    settings.maxDelay = nil
    settings.scoresOnly = true
    settings.identity = identity
    change(&settings)
    return settings
}

private func openState(
    _ file: URL, _ settings: StreamSettings, hash: String = "aaaa", features: SensitiveFeatures = maleYoung, adopt: Bool = false
) throws -> StreamState {
    let binding = StateBinding(settings, features: features, modelHash: hash, modelName: "test@\(hash)")
    return try StreamState(path: file.path, binding: binding, settings: settings, adopt: adopt)
}

/// Runs `records` through a stream and returns the lines it answers with; with a `file` they are saved there.
private func run(_ settings: StreamSettings, state file: URL?, _ records: some Sequence<String>) throws -> [String] {
    let folder = try TemporaryFolder()
    let input = try FileHandle(forReadingFrom: folder.write(records.joined(separator: "\n"), to: "in"))
    let state = try file.map { try openState($0, settings) }
    let stream = try StreamingInference(settings: settings, features: maleYoung, modelName: "test@aaaa", imageSize: 0, state: state) { _ in [] }
    var bytes: [UInt8] = []
    try withExtendedLifetime(input) {
        _ = try stream.run(.lines(descriptor: input.fileDescriptor, name: "in")) { bytes += $0.lines }
    }
    return String(decoding: bytes, as: UTF8.self).split(separator: "\n").map(String.init)
}

/// Logits of all four groups, with a broken record and an unknown group among every twenty.
private func records(_ count: Int, keys: (Int) -> String = { #""id":\#($0)"# }) -> [String] {
    (0..<count).map { number in
        let logit = sin(Double(number) * 1.7) * 2 + Double(number % 4)
        switch number % 20 {
        case 7: return #"{\#(keys(number)),"logit":\#(logit),"group":"Male=9"}"#
        case 13: return #"{\#(keys(number)),"logit":\#(logit)}"#
        default: return #"{\#(keys(number)),"logit":\#(logit),"group":{"Male":\#(number % 4 / 2),"Young":\#(number % 2)}}"#
        }
    }
}

private func errorCode(_ line: String) -> String? {
    try? JSONValue.parse(line)["error"]?["code"].flatMap { if case .string(let code) = $0 { code } else { nil } }
}

@Suite struct StreamStateTests {
    @Test(arguments: [OnlineName.primalDual, .anytime]) func aRestartedStreamGoesOnWhereItWas(_ online: OnlineName) throws {
        let folder = try TemporaryFolder()
        let all = records(84)
        let whole = try run(scoreSettings(online, identity: .none), state: nil, all)
        #expect(whole.count == 84)
        let file = folder.file("state.db")
        // 42 records are two broken ones and ten full batches.
        let first = try run(scoreSettings(online, identity: .none), state: file, all[..<42])
        let second = try run(scoreSettings(online, identity: .none), state: file, all[42...])
        #expect(first + second == whole)
        let saved = try SavedStream(reading: file.path)
        #expect(saved.nextSequence == 84 && saved.totals.records == 84 && saved.totals.failures == ["group_invalid": 4])
    }

    @Test(arguments: [
        ReplayIdentity.position(source: "in", first: 0), .offset(sourceKeys: ["topic"]), .offset(sourceKeys: []), .id(sourceKeys: ["topic"]), .id(sourceKeys: []),
    ])
    func whatIsSentAgainGetsTheSameAnswerAndCountsOnce(_ identity: ReplayIdentity) throws {
        let folder = try TemporaryFolder()
        let file = folder.file("state.db")
        let all = records(84) { #""id":"r\#($0)","offset":\#($0),"topic":"t""# }
        let settings = scoreSettings(identity: identity)
        let whole = try run(settings, state: folder.file("other.db"), all)
        let first = try run(settings, state: file, all[..<42])
        // From the start again, and with half a batch of new records between replays.
        let again = try run(settings, state: file, all)
        #expect(first == Array(whole[..<42]) && again == whole)
        let saved = try SavedStream(reading: file.path)
        #expect(saved.totals.records == 84 && saved.nextSequence == 84)
        #expect(try saved.online == SavedStream(reading: folder.file("other.db").path).online)
    }

    @Test func replaysWithinOneRunAreAnsweredToo() throws {
        let folder = try TemporaryFolder()
        let all = records(40)
        let lines = try run(scoreSettings(identity: .id(sourceKeys: [])), state: folder.file("s.db"), all[..<20] + all)
        #expect(lines.count == 60 && Array(lines[20..<40]) == Array(lines[..<20]))
        #expect(try SavedStream(reading: folder.file("s.db").path).totals.records == 40)
    }

    @Test func whatCannotBeToldIsNotAnsweredWithAnythingElse() throws {
        let folder = try TemporaryFolder()
        let file = folder.file("state.db")
        let all = records(84)
        let settings = scoreSettings { $0.replayWindow = 16 }
        let first = try run(settings, state: file, all)
        // Another record in a counted place; places that have left the window.
        var changed = all
        changed[80] = #"{"id":"other","logit":1}"#
        let again = try run(settings, state: file, changed)
        #expect(again.count == 84)
        #expect(again[..<60].allSatisfy { errorCode($0) == "replay_invalid" && $0.contains(#""seq":null"#) })
        #expect(errorCode(again[80]) == "replay_invalid" && again[80].contains("another id") && again[80].contains(#""id":"other""#))
        #expect(Array(again[81...]) == Array(first[81...]))
        let saved = try SavedStream(reading: file.path)
        #expect(saved.totals.answered == 80, "a replay was counted")
    }

    /// States of versions that did not count images with warnings are read, and a stream without any writes the same as those did.
    @Test func totalsWithoutACountOfWarningsAreRead() throws {
        let encoder = JSONEncoder()
        let text = String(decoding: try encoder.encode(StreamSummary(groupCount: 4)), as: UTF8.self)
        #expect(!text.contains("enient"))
        let read = try JSONDecoder().decode(StreamSummary.self, from: Data(text.utf8))
        #expect(read == StreamSummary(groupCount: 4) && read.imagesWithWarnings == 0)
    }

    @Test func aTransientErrorMayBeTriedAgain() throws {
        let folder = try TemporaryFolder()
        let file = folder.file("state.db")
        var settings = scoreSettings(identity: .id(sourceKeys: []))
        settings.scoresOnly = false
        let image = Fixture.url("images/rgb.png").path
        func answer(_ logit: Double) throws -> RecordAnswer? {
            let stream = try StreamingInference(
                settings: settings, features: maleYoung, modelName: "m", imageSize: 8, state: try openState(file, settings)
            ) { _ in [logit] }
            let input = try FileHandle(forReadingFrom: folder.write(#"{"id":1,"image":"\#(image)","group":"Male=1,Young=1"}"#, to: "in"))
            var answers: [RecordAnswer] = []
            try withExtendedLifetime(input) { _ = try stream.run(.lines(descriptor: input.fileDescriptor, name: "in")) { answers += $0.answers } }
            return answers.first
        }
        let failed = try #require(try answer(.nan))
        if case .failure(let error) = failed.result { #expect(error.code == .internalError) } else { Issue.record("a NaN was answered") }
        #expect(try answer(2)?.result.get().rawLogit == 2)
        #expect(try answer(3) == nil, "a second success is a replay")
        #expect(try SavedStream(reading: file.path).totals.answered == 1)
    }
}

@Suite struct StateOwnershipTests {
    @Test func oneStreamHasOneWriter() throws {
        let folder = try TemporaryFolder()
        let file = folder.file("state.db")
        let settings = scoreSettings()
        do {
            let state = try openState(file, settings)
            let error = #expect(throws: StateError.self) { try openState(file, settings) }
            #expect(error?.kind == .busy && error?.description.contains("one writer") == true)
            try FileManager.default.createSymbolicLink(at: folder.file("link.db"), withDestinationURL: file)
            #expect(throws: StateError.self) { try openState(folder.file("link.db"), settings) }
            _ = state
        }
        _ = try openState(file, settings)
    }

    @Test func aStateBelongsToItsModelAndSettings() throws {
        let folder = try TemporaryFolder()
        let file = folder.file("state.db")
        _ = try run(scoreSettings(), state: file, records(10))
        func refusal(_ settings: StreamSettings, hash: String = "aaaa", features: SensitiveFeatures = maleYoung, adopt: Bool = false) -> String? {
            do {
                _ = try openState(file, settings, hash: hash, features: features, adopt: adopt)
                return nil
            } catch let error as StateError { return error.kind == .mismatch ? error.description : "\(error.kind)" } catch { return "\(error)" }
        }
        #expect(refusal(scoreSettings()) == nil)
        #expect(refusal(scoreSettings(), hash: "bbbb")?.contains("--adopt-state") == true)
        let young = SensitiveFeatures([.init(name: "Young", values: ["0", "1"])])
        for (settings, features, part) in [
            (scoreSettings { $0.tolerance = 0.02 }, maleYoung, "--epsilon 0.01 (this run: 0.02)"), (scoreSettings(.anytime), maleYoung, "--online primal-dual"),
            (scoreSettings { $0.eta0 = 0.5 }, maleYoung, "--eta0"), (scoreSettings { $0.pairPenalty = .sum }, maleYoung, "--pair-penalty"),
            (scoreSettings(identity: .none), maleYoung, "--replay-by"), (scoreSettings(), young, "groups"),
        ] {
            // Not even to be adopted: λ of other settings means nothing.
            for adopt in [false, true] { #expect(refusal(settings, features: features, adopt: adopt)?.contains(part) == true, "\(part)") }
        }
        #expect(refusal(scoreSettings(), hash: "bbbb", adopt: true) == nil)
        #expect(refusal(scoreSettings())?.contains("test@bbbb") == true, "an adopted state belongs to its new model")
    }

    @Test func whatIsNoStateIsRefusedAndLeftAlone() throws {
        let folder = try TemporaryFolder()
        let text = try folder.write("important notes, not a state\n", to: "notes.txt")
        for attempt in [{ _ = try openState(text, scoreSettings()) }, { _ = try SavedStream(reading: text.path) }] as [() throws -> Void] {
            let error = #expect(throws: StateError.self) { try attempt() }
            #expect(error?.kind == .unusable && error?.description.contains("name another") == true)
        }
        let error = #expect(throws: StateError.self) { try SavedStream(reading: folder.url.path) }
        #expect(error?.kind == .unusable)
        #expect(try String(contentsOf: text, encoding: .utf8) == "important notes, not a state\n")
        #expect(throws: StateError.self) { try openState(folder.file("no/such/folder.db"), scoreSettings()) }
        #expect(throws: StateError.self) { try SavedStream(reading: folder.file("none").path) }
        try folder.write("", to: "empty.db")
        #expect(throws: StateError(.unusable, "\(folder.file("empty.db").path): holds no stream yet")) { try SavedStream(reading: folder.file("empty.db").path) }
    }

    @Test func aDamagedStateIsFoundOut() throws {
        let folder = try TemporaryFolder()
        let file = folder.file("state.db")
        _ = try run(scoreSettings(), state: file, records(40))
        var bytes = try Data(contentsOf: file)
        let place = try #require(bytes.range(of: Data("\"steps\":".utf8)) ?? bytes.range(of: Data("\"multiplier\":".utf8)))
        bytes[place.upperBound] = bytes[place.upperBound] == 0x31 ? 0x32 : 0x31
        try bytes.write(to: file)
        for attempt in [{ _ = try openState(file, scoreSettings()) }, { _ = try SavedStream(reading: file.path) }] as [() throws -> Void] {
            let error = #expect(throws: StateError.self) { try attempt() }
            #expect(error?.kind == .unusable)
        }
    }
}

@Suite struct StateReadingTests {
    /// Name → content of all files in a folder.
    private func contents(_ folder: URL) throws -> [String: Data] {
        var files: [String: Data] = [:]
        for name in try FileManager.default.contentsOfDirectory(atPath: folder.path) { files[name] = try Data(contentsOf: folder.appendingPathComponent(name)) }
        return files
    }

    /// A rollback journal as SQLite's file format describes it, of a file of `pages` pages and with none of them changed: what a
    /// process leaves that is killed while it makes the file.
    private func rollbackJournal(pages: Int) -> Data {
        var data = Data([0xD9, 0xD5, 0x05, 0xF9, 0x20, 0xA1, 0x63, 0xD7])
        for field in [0, 1, UInt32(pages), 512, 4096] { withUnsafeBytes(of: field.bigEndian) { data.append(contentsOf: $0) } }
        return data + Data(count: 512 - data.count)
    }

    @Test func aRollbackJournalIsNoObstacle() throws {
        let folder = try TemporaryFolder()
        let file = folder.file("state/s.db")
        try FileManager.default.createDirectory(at: folder.file("state"), withIntermediateDirectories: true)
        _ = try run(scoreSettings(), state: file, records(40))
        let before = try SavedStream(reading: file.path)
        try rollbackJournal(pages: try Data(contentsOf: file).count / 4096).write(to: folder.file("state/s.db-journal"))
        let files = try contents(folder.file("state"))
        #expect(files.count == 2)
        let after = try SavedStream(reading: file.path)
        #expect(after.nextSequence == 40 && after.online == before.online)
        #expect(try contents(folder.file("state")) == files, "reading changed the folder")
        // The next stream takes it up.
        #expect(try run(scoreSettings(), state: file, records(60)).count == 60)
        #expect(try SavedStream(reading: file.path).nextSequence == 60)
    }

    @Test func commitsInTheLogOfAKilledStreamAreSeen() throws {
        let folder = try TemporaryFolder()
        let (live, killed) = (folder.file("live"), folder.file("killed"))
        for url in [live, killed] { try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true) }
        let settings = scoreSettings()
        let stream = try StreamingInference(
            settings: settings, features: maleYoung, modelName: "m", imageSize: 0, state: try openState(live.appendingPathComponent("s.db"), settings)
        ) { _ in [] }
        let requests = (0..<40).map { StreamRecord(id: .null, input: .logit(Double($0)), group: $0 % 4) }
        _ = try stream.run(.requests(requests)) { _ in }
        // What a kill at this moment leaves: the log is not in the file yet. With and without its index.
        for withIndex in [true, false] {
            for suffix in withIndex ? ["", "-wal", "-shm"] : ["", "-wal"] {
                try Data(contentsOf: live.appendingPathComponent("s.db" + suffix)).write(to: killed.appendingPathComponent("s.db" + suffix))
            }
            let files = try contents(killed)
            #expect(try SavedStream(reading: killed.appendingPathComponent("s.db").path).nextSequence == 40)
            #expect(try contents(killed) == files, "reading changed the folder")
            try FileManager.default.removeItem(at: killed)
            try FileManager.default.createDirectory(at: killed, withIntermediateDirectories: true)
        }
        withExtendedLifetime(stream) {}
    }

    @Test(.timeLimit(.minutes(1))) func aReaderDoesNotDisturbTheStream() throws {
        let folder = try TemporaryFolder()
        let file = folder.file("s.db")
        let settings = scoreSettings()
        let stream = try StreamingInference(settings: settings, features: maleYoung, modelName: "m", imageSize: 0, state: try openState(file, settings)) { _ in [] }
        let requests = (0..<1200).map { StreamRecord(id: .number("\($0)"), input: .logit(Double($0 % 7)), group: $0 % 4) }
        var answered = 0, seen = 0
        _ = try stream.run(.requests(requests)) { batch in
            answered += batch.answers.count
            let saved = try SavedStream(reading: file.path)
            #expect(saved.nextSequence >= answered && saved.nextSequence >= seen)
            _ = try saved.decodedOnline(file.path)
            seen = saved.nextSequence
        }
        #expect(answered == 1200)
    }
}
