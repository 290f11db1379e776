// Files that are honest but look odd, and files made to mislead the reader.
import Foundation
import NeuralNetwork
import TensorCore
import TestSupport
import Testing

struct HostileFileTests {
    private let temporary: TemporaryFolder

    init() throws { temporary = try TemporaryFolder() }

    private func file(_ header: [UInt8], data: Int) throws -> URL {
        var bytes = withUnsafeBytes(of: UInt64(header.count).littleEndian) { Data($0) }
        bytes.append(contentsOf: header)
        bytes.append(Data(count: data))
        let url = temporary.file(UUID().uuidString)
        try bytes.write(to: url)
        return url
    }

    /// A header whose length ends in the byte 0x80 starts like a pickle, and one of 0x4B50 bytes like a zip: one writer in 32
    /// meets the first.
    @Test(arguments: [0x80, 0x180, 0x1080, 0x4B50, 0x14B50])
    func aLengthThatLooksLikeAPickleIsRead(_ length: Int) throws {
        let tensor = #""a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}"#
        let frame = #"{"__metadata__":{"k":""},"# + tensor + "}"
        let padding = String(repeating: "x", count: length - frame.utf8.count)
        let header = #"{"__metadata__":{"k":""# + padding + #""},"# + tensor + "}"
        let url = try file(Array(header.utf8), data: 4)
        #expect(try SafeTensorsFile(url).floats("a", shape: [1]) == [0])
        #expect(try SafeTensorsFile(url).metadata["k"] == padding)
    }

    /// The same with a whole model, whose header length depends on the data set's name.
    @Test func aModelWithSuchALengthComesBack() throws {
        let url = temporary.file("m.safetensors")
        func headerLength() throws -> Int { Int(try Data(contentsOf: url)[0]) }
        var description = metadata()
        try Checkpoint.save(smallModel(), metadata: description, to: url)
        description.dataset += String(repeating: "d", count: (0x180 - (try headerLength())) % 0x100)
        try Checkpoint.save(smallModel(), metadata: description, to: url)
        #expect(try headerLength() == 0x80)
        #expect(try Checkpoint.load(url).metadata == description)
    }
}
