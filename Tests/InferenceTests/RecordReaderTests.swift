// One line of a record stream: what is read from it, and which error code every defect gets.
import Fairness
import Foundation
import Inference
import TestSupport
import Testing

let maleYoung = SensitiveFeatures([.init(name: "Male", values: ["0", "1"]), .init(name: "Young", values: ["0", "1"])])

private func read(_ line: String, _ reader: RecordReader = RecordReader(features: maleYoung)) throws(RecordError) -> StreamRecord {
    let bytes = Array(line.utf8)
    let result: Result<StreamRecord, RecordError> = bytes.withUnsafeBufferPointer { buffer in
        do throws(RecordError) { return .success(try reader.read(buffer)) } catch { return .failure(error) }
    }
    return try result.get()
}

@Suite struct RecordReaderTests {
    @Test func readsTheRecordOfTheContract() throws {
        let record = try read(#"{"id":"a17","image":"img/000001.jpg","group":{"Male":0,"Young":1},"label":1,"ts":"2026-11-20T12:00:00Z"}"#)
        #expect(
            record == StreamRecord(id: .string("a17"), input: .file(path: "img/000001.jpg", name: "img/000001.jpg"), group: 1, label: 1))
    }

    @Test(arguments: [
        (#"{"Male":0,"Young":1}"#, 1), (#"{"Young":"0","Male":"1"}"#, 2), (#""Male=1,Young=1""#, 3), (#"" Male = 1 , Young = 0 ""#, 2), ("null", -1),
        (#""""#, -1), ("{}", -1), (#"{"Male":0}"#, -1), (#"{"Male":null,"Young":1}"#, -1), (#"{"Male":true,"Young":false}"#, 2), (#"{"Male":1.0,"Young":0}"#, 2),
    ])
    func readsGroups(_ group: String, _ expected: Int) throws {
        #expect(try read(#"{"image":"x","group":\#(group)}"#).group == expected)
    }

    @Test(arguments: [("0", 0), ("1", 1), ("true", 1), ("1.0", 1), ("\"0\"", 0), ("null", nil)] as [(String, Int?)])
    func readsLabels(_ label: String, _ expected: Int?) throws {
        #expect(try read(#"{"image":"x","label":\#(label)}"#).label == expected)
    }

    @Test func readsEmbeddedImages() throws {
        #expect(try read(#"{"id":7,"image_b64":"AQID"}"#) == StreamRecord(id: .number("7"), input: .bytes([1, 2, 3]), group: unknownGroup))
    }

    @Test(arguments: [
        ("", RecordErrorCode.jsonInvalid, JSONValue.null, "ends"),
        ("{\"id\":1,\"image\":\"x\"", .jsonInvalid, .null, "object"),
        ("[]", .jsonInvalid, .null, "an array"),
        (#"{"id":1,"id":2,"image":"x"}"#, .jsonInvalid, .null, "twice"),
        (#"{"id":[1],"image":"x"}"#, .jsonInvalid, .null, "id"),
        (#"{"id":1,"image":5}"#, .jsonInvalid, .number("1"), "a number"),
        (#"{"id":1,"image":"x","image_b64":"AQID"}"#, .jsonInvalid, .number("1"), "one of them"),
        (#"{"id":1}"#, .imageMissing, .number("1"), "image_b64"),
        (#"{"id":1,"image":""}"#, .imageMissing, .number("1"), "empty"),
        (#"{"id":1,"image_b64":""}"#, .imageMissing, .number("1"), "empty"),
        (#"{"id":1,"image":null}"#, .imageMissing, .number("1"), "no image"),
        (#"{"id":1,"image_b64":"@@@"}"#, .imageCorrupt, .number("1"), "base64"),
        (#"{"id":1,"tensor":[1,2]}"#, .imageUnsupported, .number("1"), "tensor"),
        (#"{"id":1,"image":"https://x/y.jpg"}"#, .imageUnsupported, .number("1"), "not fetched"),
        (#"{"id":1,"image":"a\u0000b"}"#, .pathNotAllowed, .number("1"), "NUL"),
        (#"{"id":1,"image":"x","group":{"Male":2,"Young":1}}"#, .groupInvalid, .number("1"), "allowed are 0, 1"),
        (#"{"id":1,"image":"x","group":{"male":1}}"#, .groupInvalid, .number("1"), "Male, Young"),
        (#"{"id":1,"image":"x","group":"Male"}"#, .groupInvalid, .number("1"), "name=value"),
        (#"{"id":1,"image":"x","group":3}"#, .groupInvalid, .number("1"), "a number"),
        (#"{"id":1,"image":"x","group":{"Male":[1]}}"#, .groupInvalid, .number("1"), "an array"),
        (#"{"id":1,"image":"x","label":2}"#, .labelInvalid, .number("1"), "\"2\""),
        (#"{"id":1,"image":"x","label":"yes"}"#, .labelInvalid, .number("1"), "yes"),
        (#"{"id":1,"image":"x","label":{}}"#, .labelInvalid, .number("1"), "an object"),
    ])
    func refuses(_ line: String, _ code: RecordErrorCode, _ id: JSONValue, _ part: String) {
        let error = #expect(throws: RecordError.self) { try read(line) }
        #expect(error?.code == code && error?.id == id, "\(String(describing: error))")
        #expect(error?.message.contains(part) == true, "\(error?.message ?? "accepted")")
    }

    @Test func onlyTransientErrorsAreRetryable() {
        #expect(RecordErrorCode.allCases.filter(\.isRetryable) == [.deadlineExceeded, .internalError])
        #expect(
            RecordErrorCode.allCases.map(\.rawValue) == [
                "json_invalid", "record_too_large", "image_missing", "image_too_large", "image_truncated", "image_corrupt", "image_unsupported",
                "path_not_allowed", "group_invalid", "label_invalid", "replay_invalid", "deadline_exceeded", "internal",
            ])
    }
}

@Suite struct ImageRootTests {
    @Test func confinesPaths() throws {
        let folder = try TemporaryFolder()
        try folder.write("x", to: "root/a/in.jpg")
        try folder.write("x", to: "out.jpg")
        try folder.write("x", to: "root2/near.jpg")
        let manager = FileManager.default
        let root = folder.file("root").path
        try manager.createSymbolicLink(atPath: root + "/leak.jpg", withDestinationPath: folder.file("out.jpg").path)
        try manager.createSymbolicLink(atPath: root + "/leakdir", withDestinationPath: folder.url.path)
        try manager.createSymbolicLink(atPath: root + "/good.jpg", withDestinationPath: "a/in.jpg")
        mkfifo(root + "/pipe", 0o600)

        let confined = try ImageRoot(root)
        func outcome(_ name: String) -> String {
            do throws(RecordError) { return URL(fileURLWithPath: try confined.resolve(name)).lastPathComponent } catch { return error.code.rawValue }
        }
        for inside in ["a/in.jpg", "./a/../a/in.jpg", "good.jpg", root + "/a/in.jpg"] where !root.isEmpty {
            #expect(outcome(inside) == "in.jpg", "\(inside)")
        }
        for outside in [
            "../out.jpg", "a/../../out.jpg", folder.file("out.jpg").path, "leak.jpg", "leakdir/out.jpg", "../root2/near.jpg", root + "2/near.jpg", "a", ".",
            "pipe", "/etc/passwd", "../nothing",
        ] { #expect(outcome(outside) == "path_not_allowed", "\(outside)") }
        #expect(outcome("nothing.jpg") == "image_missing")
        #expect(throws: FileError.self) { try ImageRoot(folder.file("none").path) }
        #expect(throws: FileError.self) { try ImageRoot(folder.file("out.jpg").path) }
    }
}

@Suite struct LineSplitterTests {
    private func split(_ text: String, limit: Int = 10, chunk: Int) -> [InputLine] {
        var splitter = LineSplitter(limit: limit)
        var lines: [InputLine] = []
        let bytes = Array(text.utf8)
        for start in stride(from: 0, to: bytes.count, by: chunk) {
            splitter.feed(bytes[start..<min(start + chunk, bytes.count)]) { lines.append($0) }
        }
        splitter.end { lines.append($0) }
        return lines
    }

    @Test(arguments: [1, 2, 3, 7, 100])
    func cutsLinesWhateverTheChunks(_ chunk: Int) {
        func text(_ line: String) -> InputLine { .text(Array(line.utf8)) }
        #expect(split("\u{FEFF}ab\r\n\n  \t\r\ncd\nlast", chunk: chunk) == [text("ab"), text("cd"), text("last")])
        #expect(split("0123456789\n0123456789\r\n0123456789A\nx\n", chunk: chunk) == [text("0123456789"), text("0123456789"), .tooLong(bytes: 11), text("x")])
        #expect(split(String(repeating: "y", count: 99), chunk: chunk) == [.tooLong(bytes: 99)])
        #expect(split("", chunk: chunk).isEmpty)
        #expect(split("a\n\u{FEFF}", chunk: chunk) == [text("a"), text("\u{FEFF}")])
    }

    @Test func aLongLineDoesNotMakeLaterOnesLarge() {
        var splitter = LineSplitter(limit: 1 << 20)
        var capacities: [Int] = []
        let text = Array((String(repeating: "x", count: 1_000_000) + "\nshort\nshort\nsh").utf8)
        for chunk in [text[..<500_000], text[500_000...], Array("ort\n".utf8)[...]] {
            splitter.feed(chunk) { if case .text(let bytes) = $0 { capacities.append(bytes.capacity) } }
        }
        #expect(capacities.count == 4 && capacities[1...].allSatisfy { $0 < 1000 }, "\(capacities)")
    }
}
