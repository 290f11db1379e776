// The stream as a whole, with a network that is a plain function: order, batches, delays, broken neighbours, stopping.
import Fairness
import Foundation
import Inference
import TestSupport
import Testing

/// A stream whose "network" returns the first byte of each decoded image, as a small logit.
private func makeStream(_ change: (inout StreamSettings) -> Void = { _ in }, predict: (([[UInt8]]) -> [Double])? = nil) throws -> StreamingInference {
    var settings = StreamSettings(tolerance: 0.01, batchThreshold: 100, eta0: 0.1)
    settings.batchSize = 4
    settings.maxDelay = nil
    change(&settings)
    return try StreamingInference(
        settings: settings, features: maleYoung, modelName: "test@000000", imageSize: 8,
        predict: predict ?? { images in images.map { Double($0[0]) / 64 - 2 } })
}

private let image = Fixture.url("images/rgb.png").path
private let otherImage = Fixture.url("images/rgb420.jpg").path

/// Runs `text` through a stream, from a file.
private func answers(_ stream: StreamingInference, _ text: String) throws -> [[RecordAnswer]] {
    let file = try TemporaryFolder()
    let input = try FileHandle(forReadingFrom: file.write(text, to: "in"))
    var batches: [[RecordAnswer]] = []
    // The descriptor is closed with the object, and its number may then mean another test's file.
    let ending = try withExtendedLifetime(input) {
        try stream.run(.lines(descriptor: input.fileDescriptor, name: "in")) { batches.append($0.answers) }
    }
    #expect(ending == .endOfInput)
    return batches
}

private func line(_ id: Int, _ path: String = image, group: String = "null", extra: String = "") -> String {
    #"{"id":\#(id),"image":"\#(path)","group":\#(group)\#(extra)}"# + "\n"
}

@Suite struct StreamingInferenceTests {
    @Test func answersEveryLineInOrderWhateverTheNeighbours() throws {
        let truncated = Fixture.url("images/truncated.jpg").path
        let gif = Fixture.url("images/picture.gif").path
        let text =
            line(0, group: #""Male=0,Young=0""#) + "{broken\n" + line(2, truncated) + "\n\r\n" + line(3, group: #"{"Male":7}"#) + line(4, "/nowhere.jpg")
            + line(5, gif) + line(6, extra: #","label":5"#) + String(repeating: "x", count: 600) + "\n" + line(8, otherImage, group: #""Male=1,Young=0""#)
        let stream = try makeStream { $0.maxLineBytes = 500 }
        let all = try answers(stream, text).flatMap { $0 }
        #expect(all.map(\.sequence) == Array(0..<9))
        #expect(all.map { $0.id.spelling } == ["0", "", "2", "3", "4", "5", "6", "", "8"])
        let codes = all.map { answer -> String in
            switch answer.result {
            case .success: "ok"
            case .failure(let error): error.code.rawValue
            }
        }
        #expect(
            codes == [
                "ok", "json_invalid", "image_truncated", "group_invalid", "image_missing", "image_unsupported", "label_invalid", "record_too_large", "ok",
            ])
        #expect(stream.summary.answered == 2 && stream.summary.failed == 7 && stream.summary.batches == 1)
        for answer in all { if case .failure(let error) = answer.result { #expect(!error.message.isEmpty) } }
    }

    @Test func brokenRecordsDoNotFillABatch() throws {
        let text = (0..<12).map { $0 % 3 == 0 ? line($0, "/nowhere.png") : line($0) }.joined()
        let batches = try answers(try makeStream(), text)
        #expect(batches.map(\.count) == [6, 6])
        // …but they do not hold back the answers for ever.
        #expect(try answers(try makeStream(), String(repeating: line(1, "/nowhere.png"), count: 40)).map(\.count) == [16, 16, 8])
    }

    @Test(arguments: [1, 2, 5]) func answersDoNotDependOnTheNumberOfWorkers(_ workers: Int) throws {
        let text = (0..<60).map { line($0, $0 % 2 == 0 ? image : otherImage, group: "{\"Male\":\($0 % 2),\"Young\":1}") }.joined()
        func run(_ workers: Int) throws -> [UInt8] {
            let stream = try makeStream { $0.workers = workers }
            return RecordWriter(stream).lines(try answers(stream, text).flatMap { $0 })
        }
        #expect(try run(workers) == run(3))
    }

    @Test func theOnlineAlgorithmSeesTheDecodedRecordsOnly() throws {
        let predictions = [1.0, -1, 3, 0.5, 2, -2, 0.25]
        var calls = 0
        let stream = try makeStream(
            { $0.batchThreshold = 4 },
            predict: { images in
                defer { calls += images.count }
                return Array(predictions[calls..<calls + images.count])
            })
        let groups = [#""Male=0,Young=0""#, #""Male=1,Young=0""#, "null", #""Male=0,Young=0""#, #""Male=0,Young=0""#, #""Male=1,Young=1""#, "null"]
        var text = ""
        for (index, group) in groups.enumerated() { text += line(index, group: group) + line(100, "/nowhere") }
        let all = try answers(stream, text).flatMap { $0 }

        var expected = PrimalDual(groupCount: 4, tolerance: 0.01, eta0: 0.1, batchThreshold: 4)
        let first = try expected.process([1, -1, 3, 0.5], groups: [0, 2, -1, 0])
        let second = try expected.process([2, -2, 0.25], groups: [0, 3, -1])
        let scores = all.compactMap { try? $0.result.get() }
        #expect(scores.map(\.logit) == first.scores + second.scores)
        #expect(scores.map(\.rawLogit) == predictions)
        #expect(scores.map(\.step.batchCount) == [3, 3, 3, 3, 2, 2, 2])
        #expect(stream.online == .primalDual(expected))
        #expect(scores[6].logit == 0.25 && scores[6].group == unknownGroup)
        #expect(stream.summary.unknownGroups == 2)
    }

    @Test func largeBatchesAreHardAndBatchesWithoutGroupsPassThrough() throws {
        let hard = try makeStream { $0.batchThreshold = 4 }
        let known = (0..<4).map { line($0, $0 < 2 ? image : otherImage, group: "{\"Male\":\($0 / 2),\"Young\":1}") }.joined()
        #expect(try answers(hard, known)[0].allSatisfy { try $0.result.get().step.regime == .hard })
        #expect(hard.online.pooledGap <= 0.01 + 1e-12)
        let unknown = try makeStream()
        for answer in try answers(unknown, (0..<4).map { line($0) }.joined())[0] {
            let score = try answer.result.get()
            #expect(score.step.regime == .passthrough && score.logit == score.rawLogit)
        }
    }

    @Test func aLogitThatIsNoNumberIsAnErrorOfItsRecordAlone() throws {
        let stream = try makeStream(predict: { $0.indices.map { $0 == 1 ? .nan : 1 } })
        let all = try answers(stream, (0..<3).map { line($0, group: #""Male=0,Young=0""#) }.joined()).flatMap { $0 }
        #expect(all.map { (try? $0.result.get()) != nil } == [true, false, true])
        if case .failure(let error) = all[1].result { #expect(error.code == .internalError && error.code.isRetryable) }
        #expect(stream.online.samples == 2)
    }

    @Test func summaryCountsAccuracyOfLabelledRecords() throws {
        let stream = try makeStream(predict: { $0.indices.map { $0 % 2 == 0 ? 3 : -3 } })
        _ = try answers(stream, line(0, extra: #","label":1"#) + line(1, extra: #","label":1"#) + line(2, extra: #","label":1"#) + line(3))
        #expect(stream.summary.labelled == 3)
        expectClose(stream.summary.accuracyAfter!, 2.0 / 3)
    }

    @Test func writesTheKeysOfTheContract() throws {
        let stream = try makeStream(predict: { $0.indices.map { $0 == 0 ? 1 : 0.5 } })
        let all = try answers(stream, line(7, group: #""Male=0,Young=1""#) + line(8) + "nonsense\n").flatMap { $0 }
        let lines = String(decoding: RecordWriter(stream).lines(all), as: UTF8.self).split(separator: "\n").map(String.init)
        let fairness =
            #""fairness":{"criterion":"demographic-parity","epsilon":0.01,"algorithm":"primal-dual","regime":"primal_dual","lambda":0.0,"#
            + #""batch_n":1,"batch_gap":0.0,"average_gap":0.0,"bound":0.01,"pooled_gap":0.0,"updates":1},"model":"test@000000"}"#
        #expect(
            lines[0] == #"{"v":1,"seq":0,"id":7,"status":"ok","logit":1.0,"logit_raw":1.0,"score":0.7310585786300049,"decision":1,"threshold":0.5,"#
                + #""group":"Male=0,Young=1","group_source":"given","# + fairness)
        #expect(
            lines[1] == #"{"v":1,"seq":1,"id":8,"status":"ok","logit":0.5,"logit_raw":0.5,"score":0.6224593312018546,"decision":1,"threshold":0.5,"#
                + #""group":null,"group_source":"unknown","# + fairness)
        #expect(
            lines[2] == #"{"v":1,"seq":2,"id":null,"status":"error","error":{"code":"json_invalid","#
                + #""message":"not valid JSON at byte 1: expected null","retryable":false}}"#)
    }
}

/// The parts that depend on time.
@Suite(.serialized, .timeLimit(.minutes(1))) struct StreamTimingTests {
    @Test func anIdleInputFlushesThePartialBatch() throws {
        let pipe = Pipe()
        let stream = try makeStream { $0.maxDelay = .milliseconds(20) }
        let reader = pipe.fileHandleForReading.fileDescriptor
        try pipe.fileHandleForWriting.write(contentsOf: Data(line(0).utf8))
        var counts: [Int] = []
        _ = try stream.run(.lines(descriptor: reader, name: "pipe")) { batch in
            counts.append(batch.answers.count)
            // The answer came although the pipe is open; go on, then close.
            if counts.count == 1 {
                try pipe.fileHandleForWriting.write(contentsOf: Data((line(1) + line(2)).utf8))
                try pipe.fileHandleForWriting.close()
            }
        }
        withExtendedLifetime(pipe) { #expect(counts == [1, 2]) }
    }

    @Test func stoppingAnswersTheBatchInHandAndLeavesTheRest() throws {
        let pipe = Pipe()
        let stream = try makeStream()
        try pipe.fileHandleForWriting.write(contentsOf: Data((0..<6).map { line($0) }.joined().utf8))
        var counts: [Int] = []
        let stop = stream.stop
        let reader = pipe.fileHandleForReading.fileDescriptor
        let ending = try stream.run(.lines(descriptor: reader, name: "pipe")) { batch in
            counts.append(batch.answers.count)
            stop()
        }
        #expect(ending == .stopped)
        // What was taken into the next batch before the stop is in hand too; nothing is answered by half.
        #expect(counts == [4] || counts == [4, 1] || counts == [4, 2], "\(counts)")
        try pipe.fileHandleForWriting.close()
    }

    @Test func afterAStopNobodyReadsTheInput() throws {
        let pipe = Pipe()
        let stream = try makeStream()
        try pipe.fileHandleForWriting.write(contentsOf: Data((0..<4).map { line($0) }.joined().utf8))
        let stop = stream.stop
        _ = try stream.run(.lines(descriptor: pipe.fileHandleForReading.fileDescriptor, name: "pipe")) { _ in stop() }
        // The reader waited for more when the stream was stopped. Had it been left behind, it would take this.
        try pipe.fileHandleForWriting.write(contentsOf: Data("later\n".utf8))
        usleep(50_000)
        #expect(String(decoding: pipe.fileHandleForReading.availableData, as: UTF8.self) == "later\n")
    }

    @Test func whatEmitThrowsEndsTheStream() throws {
        let stream = try makeStream()
        let requests = (0..<100).map { StreamRecord(id: .number("\($0)"), input: .unresolved(image), group: unknownGroup) }
        #expect(throws: FileError.self) {
            _ = try stream.run(.requests(requests)) { _ in throw FileError(.closedPipe, "gone") }
        }
    }
}
