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

    @Test(arguments: [
        ("twice in a tensor", #"{"a":{"dtype":"F32","dtype":"F32","shape":[1],"data_offsets":[0,4]}}"#, "twice"),
        ("twice in the metadata", #"{"__metadata__":{"k":"1","k":"2"},"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}"#, "twice"),
        ("twice by an escape", #"{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"\u0061":{}}"#, "twice"),
        ("two kinds of metadata", #"{"__metadata__":{},"__metadata__":{},"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}"#, "twice"),
        ("metadata is a list", #"{"__metadata__":[],"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}"#, "not an object"),
        ("fraction", #"{"a":{"dtype":"F32","shape":[1.0],"data_offsets":[0,4]}}"#, "impossible shape"),
        ("exponent", #"{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4e0]}}"#, "impossible data_offsets"),
        ("boolean", #"{"a":{"dtype":"F32","shape":[true],"data_offsets":[0,4]}}"#, "impossible shape"),
        ("three offsets", #"{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4,4]}}"#, "impossible data_offsets"),
        ("number beyond 64 bits", #"{"a":{"dtype":"F32","shape":[99999999999999999999],"data_offsets":[0,4]}}"#, "overflows"),
        ("zero in front", #"{"a":{"dtype":"F32","shape":[01],"data_offsets":[0,4]}}"#, "begins with 0"),
        ("comma at the end", #"{"a":{"dtype":"F32","shape":[1,],"data_offsets":[0,4]}}"#, "unexpected character"),
        ("text after the end", #"{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}} x"#, "text after"),
        ("half a pair", #"{"\ud800":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}"#, "lone surrogate"),
        ("tab in a name", "{\"a\t\":{}}", "control character"),
        ("no tensors but data", "{}", "the file at"),
        ("deep", "{\"a\":" + String(repeating: "[", count: 100_000), "nested too deeply"),
    ])
    func headersAreRefused(_ name: String, _ header: String, _ reason: String) throws {
        let url = try file(Array(header.utf8), data: 4)
        #expect { try SafeTensorsFile(url) } throws: { "\($0)".contains(reason) && "\($0)".contains(url.path) }
    }

    @Test func namesMustBeUTF8() throws {
        var header = Array(#"{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}"#.utf8)
        header[2] = 0xFF
        let url = try file(header, data: 4)
        #expect { try SafeTensorsFile(url) } throws: { "\($0)".contains("not UTF-8") }
    }

    @Test func oddButLegalHeadersAreRead() throws {
        let header = "{\"b\\u00e4\\ud83d\\ude00/\\/\" :\n{\"note\":{\"deep\":[null,-1.5e3,false]},\"data_offsets\":[4,8],\"shape\":[],\"dtype\":\"F32\"},"
            + "\"a\":{\"dtype\":\"U8\",\"shape\":[2,2],\"data_offsets\":[0,4]}}   "
        let read = try SafeTensorsFile(try file(Array(header.utf8), data: 8))
        #expect(read.entries["bä😀//"]?.range == 4..<8)
        #expect(read.entries["a"]?.dtype == "U8" && read.entries["a"]?.shape == [2, 2] && read.entries["a"]?.range == 0..<4)
        #expect(try SafeTensorsFile(try file(Array("{}".utf8), data: 0)).entries.isEmpty)
    }

    /// Every cut and every changed byte of a small file is refused or read, never trapped on.
    @Test func damageNeverTraps() throws {
        let url = temporary.file("whole")
        try SafeTensorsWriter.write([("a", [2, 1], [1, 2]), ("b", [], [3])], metadata: ["k": "v\"\\\n"], to: url)
        let whole = try Data(contentsOf: url)
        let damaged = temporary.file("damaged")
        for cut in 0..<whole.count {
            try whole.prefix(cut).write(to: damaged)
            #expect(throws: CheckpointError.self) { try SafeTensorsFile(damaged) }
        }
        for place in 0..<whole.count - 12 {
            for value: UInt8 in [0, 0x22, 0x30, 0x5B, 0x7B, 0x80, 0xFF] {
                var bytes = whole
                bytes[place] = value
                try bytes.write(to: damaged)
                _ = try? SafeTensorsFile(damaged)
            }
        }
    }

    /// A model file is data from anywhere: values that would trap or allocate without end later are refused on loading.
    @Test(arguments: [
        (#""image_size":32"#, #""image_size":8"#, "image size"), (#""head_hidden":128"#, #""head_hidden":1000000000000"#, "head of"),
        (#""head_hidden":128"#, #""head_hidden":-1"#, "head of"), (#""dropout":0"#, #""dropout":1"#, "dropout"),
        (#""base_rate":0.5"#, #""base_rate":7"#, "base rate"), (#""std":[1,1,1]"#, #""std":[1,0,1]"#, "std"),
        (#""mean":[0,0,0]"#, #""mean":[0,0]"#, "mean"), (#""epsilon":0.001"#, #""epsilon":-1"#, "epsilon"),
        (#""eta0":0.1"#, #""eta0":0"#, "eta0"), (#""batch_threshold":100"#, #""batch_threshold":0"#, "batch threshold"),
        (#""threshold":0.5"#, #""threshold":2"#, "threshold"), (#""version":1"#, #""version":9"#, "version 9"),
        (#""values":["0","1"]"#, #""values":[]"#, "groups"), (#""simple_cnn""#, #""no_such_net""#, "cannot be read"),
    ])
    func impossibleMetadataIsRefused(_ old: String, _ new: String, _ reason: String) throws {
        let url = temporary.file("m.safetensors")
        try Checkpoint.save(smallModel(), metadata: metadata(), to: url)
        let text = try #require(try SafeTensorsFile(url).metadata["facefair"])
        #expect(text.contains(old), "\(text)")
        try SafeTensorsWriter.write([], metadata: ["facefair": text.replacingOccurrences(of: old, with: new)], to: url)
        #expect { try Checkpoint.load(url) } throws: { "\($0)".contains(reason) && "\($0)".contains(url.path) }
    }
}
