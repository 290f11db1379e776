// The parts of a packed file around its pixels. The pixels begin at an offset that is known before the first image is decoded,
// whatever number will be refused, so they are written in place as they come.
import Foundation
import TensorCore

struct PackFrame {
    /// Where the images begin, on a page. Units: bytes.
    let imageOffset: Int
    private let description: PackedDescription
    /// Room for the header with any counts in it.
    private let headerLength: Int

    private static let page = 4096
    /// Digits by which the counts in a header can differ from those it was planned with.
    private static let slack = 64

    /// Rows that are refused later only make what stands before the images shorter; zeros after the names fill the room.
    init(_ description: PackedDescription, names: [String]) throws {
        self.description = description
        let nameBytes = names.reduce(0) { $0 + $1.utf8.count + 1 }
        let widest = try Self.header(description, kept: names.count, nameBytes: nameBytes, refusedBytes: 0, minimumLength: 0)
        headerLength = (widest.count - 8 + Self.slack + 7) / 8 * 8
        let end = 8 + headerLength + Self.fixedBytes(names.count, description.columns.count) + nameBytes
        imageOffset = (end + Self.page - 1) / Self.page * Self.page
    }

    /// file_id, labels, split.
    private static func fixedBytes(_ kept: Int, _ columns: Int) -> Int { kept * (4 + columns + 1) }

    private static func header(
        _ description: PackedDescription, kept: Int, nameBytes: Int, refusedBytes: Int, minimumLength: Int
    ) throws -> Data {
        let size = description.preprocessing.imageSize
        return try SafeTensorsWriter.header(
            [
                ("file_id", "I32", [kept]), ("labels", "I8", [kept, description.columns.count]), ("split", "U8", [kept]),
                ("names", "U8", [nameBytes]), ("images", "U8", [kept, size, size, 3]), ("refused", "U8", [refusedBytes]),
            ], metadata: [PackedDescription.key: description.encoded()], minimumLength: minimumLength)
    }

    /// What stands before the images, `imageOffset` bytes, and after them.
    func parts(_ table: LabelTable, refused: [PackedRefusal], imagesSHA256: String) throws -> (head: Data, tail: Data) {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        var tail = Data()
        for refusal in refused {
            tail += try encoder.encode(refusal)
            tail.append(UInt8(ascii: "\n"))
        }
        var description = description
        description.imagesSHA256 = imagesSHA256
        let gone = Set(refused.map(\.fileID))
        let kept = table.names.indices.filter { !gone.contains($0) }
        let nameBytes = imageOffset - 8 - headerLength - Self.fixedBytes(kept.count, table.codes.count)
        var head = try Self.header(
            description, kept: kept.count, nameBytes: nameBytes, refusedBytes: tail.count, minimumLength: headerLength)
        head.reserveCapacity(imageOffset)
        for row in kept { withUnsafeBytes(of: Int32(row).littleEndian) { head.append(contentsOf: $0) } }
        for row in kept {
            for codes in table.codes { head.append(UInt8(bitPattern: Int8(codes[row]))) }
        }
        for row in kept { head.append(table.given[row]?.packedCode ?? PackedDescription.noSplit) }
        for row in kept {
            head.append(contentsOf: table.names[row].utf8)
            head.append(0)
        }
        head.append(Data(count: imageOffset - head.count))
        return (head, tail)
    }
}
