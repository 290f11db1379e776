// A packed file from anywhere: what it claims is checked before it is believed, and other tools can read it.
import FaceData
import Foundation
import TensorCore
import TestSupport
import Testing

/// A packed file as bytes with the places of its tensors.
private struct PackedBytes {
    var bytes: Data
    let url: URL
    private let places: [String: Range<Int>]

    init(_ url: URL) throws {
        self.url = url
        bytes = try Data(contentsOf: url)
        let length = bytes[0..<8].enumerated().reduce(0) { $0 + Int($1.element) << (8 * $1.offset) }
        let header = try JSONSerialization.jsonObject(with: bytes[8..<8 + length]) as? [String: Any] ?? [:]
        var places: [String: Range<Int>] = [:]
        for (name, entry) in header {
            guard let offsets = (entry as? [String: Any])?["data_offsets"] as? [Int] else { continue }
            places[name] = 8 + length + offsets[0]..<8 + length + offsets[1]
        }
        self.places = places
    }

    func range(_ tensor: String) throws -> Range<Int> { try #require(places[tensor]) }

    /// Writes a changed copy and says why it is refused.
    func refusal(_ change: (inout Data) throws -> Void) throws -> String {
        var changed = bytes
        try change(&changed)
        let copy = url.deletingLastPathComponent().appendingPathComponent("changed.safetensors")
        try changed.write(to: copy)
        do { return "accepted \(try PackedImages(copy).count) images" } catch { return "\(error)" }
    }
}

@Suite struct PackedFileTests {
    @Test func impossibleContentsAreRefusedWithTheReason() throws {
        let source = try PackSource(count: 40, broken: [4])
        try source.pack()
        let file = try PackedBytes(source.output)
        func refusal(_ change: (inout Data) throws -> Void) throws -> String { try file.refusal(change) }
        func refusal(_ tensor: String, at offset: Int = 0, byte: UInt8) throws -> String {
            let place = try file.range(tensor).lowerBound + offset
            return try refusal { $0[place] = byte }
        }
        /// Same length, so that the offsets hold.
        func rewritten(_ old: String, _ new: String) throws -> String {
            try refusal { data in
                let place = try #require(data.range(of: Data(old.utf8)), "\(old)")
                #expect(old.utf8.count == new.utf8.count)
                data.replaceSubrange(place, with: Data(new.utf8))
            }
        }
        #expect(try refusal { _ in } == "accepted 39 images")
        #expect(try refusal("labels", byte: 9).contains("is 9, there are 2 classes"))
        #expect(try refusal("split", byte: 3).contains("3 is no split"))
        #expect(try refusal("file_id", byte: 1).contains("stands twice"))
        #expect(try refusal("file_id", at: 2, byte: 1).contains("is impossible"))
        let names = try file.range("names")
        #expect(try refusal { $0.replaceSubrange(names, with: Data(repeating: 65, count: names.count)) }.contains("0 names for 39 images"))
        #expect(try refusal("refused", byte: 65).contains("line 1 of 'refused'"))
        #expect(try refusal { $0.removeLast() }.contains("not a usable safetensors file"))
        #expect(try refusal { $0.append(0) }.contains("not a usable safetensors file"))
        #expect(try rewritten("\\\"version\\\":1", "\\\"version\\\":2").contains("version 2"))
        #expect(try rewritten("\\\"image_size\\\":12", "\\\"image_size\\\":13").contains("expected U8 [any, 13, 13, 3]"))
        #expect(try rewritten("\\\"rows\\\":40", "\\\"rows\\\":41").contains("41 rows"))
        #expect(try rewritten("\\\"layout\\\":\\\"folder\\\"", "\\\"layout\\\":\\\"cellar\\\"").contains("cannot be read"))
        #expect(try rewritten("facefair_pack", "facefair_park").contains("no packed data set"))

        let other = source.folder.file("weights.safetensors")
        try Data("not safetensors at all".utf8).write(to: other)
        #expect(throws: DatasetError.self) { try PackedImages(other) }
        let missing = #expect(throws: DatasetError.self) { try PackedImages(source.folder.file("nothing.safetensors")) }
        #expect(missing?.exitCode == 66)
    }

    /// The layout that docs/data.md promises to other readers.
    @Test func itIsPlainSafetensors() throws {
        let source = try PackSource(count: 70, broken: [4])
        try source.pack()
        let file = try SafeTensorsFile(source.output)
        let shapes = file.entries.mapValues { "\($0.dtype) \($0.shape)" }
        #expect(shapes["images"] == "U8 [69, 12, 12, 3]" && shapes["file_id"] == "I32 [69]" && shapes["split"] == "U8 [69]")
        #expect(shapes["labels"] == "I8 [69, 3]")
        let images = try #require(file.entries["images"])
        let decoder = ImageDecoder()
        var pixels = [UInt8](repeating: 0, count: 12 * 12 * 3)
        for (row, id) in [(0, 0), (3, 3), (4, 5), (68, 69)] {  // 4 is left out
            let name = try #require(
                FileManager.default.contentsOfDirectory(atPath: source.root.appendingPathComponent("images").path)
                    .first { $0.hasPrefix("\(id).") })
            try pixels.withUnsafeMutableBufferPointer {
                try decoder.decode(path: source.root.appendingPathComponent("images/\(name)").path, size: 12, into: $0.baseAddress!)
            }
            #expect(Array(file.bytes(images)[row * 432..<(row + 1) * 432]) == pixels, "row \(row)")
        }
        // Pixels begin on a page, for mmap.
        #expect(try PackedBytes(source.output).range("images").lowerBound % 4096 == 0)
        let metadata = try #require(file.metadata["facefair_pack"])
        let description = try #require(JSONSerialization.jsonObject(with: Data(metadata.utf8)) as? [String: Any])
        #expect(description["layout"] as? String == "folder" && description["rows"] as? Int == 70)
        #expect((description["columns"] as? [[String: Any]])?.map { $0["name"] as? String } == ["smiling", "gender", "shade"])
        #expect(((description["preprocessing"] as? [String: Any])?["image_size"]) as? Int == 12)
    }
}
