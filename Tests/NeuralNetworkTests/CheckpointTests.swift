import Foundation
import NeuralNetwork
import TensorCore
import TestSupport
import Testing

struct CheckpointTests {
    private let temporary: TemporaryFolder

    init() throws { temporary = try TemporaryFolder() }

    private func safetensors(_ header: String, data: Int = 0) throws -> URL {
        var bytes = withUnsafeBytes(of: UInt64(header.utf8.count).littleEndian) { Data($0) }
        bytes.append(Data(header.utf8))
        bytes.append(Data(count: data))
        let url = temporary.file(UUID().uuidString)
        try bytes.write(to: url)
        return url
    }

    @Test func theBytesOfASmallFile() throws {
        let url = temporary.file("a.safetensors")
        try SafeTensorsWriter.write([("b", [2], [1, -2]), ("a", [1, 1], [3])], metadata: ["k": "v"], to: url)
        let data = try Data(contentsOf: url)
        let header = #"{"__metadata__":{"format":"pt","k":"v"},"a":{"data_offsets":[8,12],"dtype":"F32","shape":[1,1]},"#
            + #""b":{"data_offsets":[0,8],"dtype":"F32","shape":[2]}}"#
        let padded = header + String(repeating: " ", count: (8 - header.utf8.count % 8) % 8)
        #expect(data.prefix(8).reversed().reduce(0) { $0 << 8 | Int($1) } == padded.utf8.count)
        #expect(String(decoding: data.dropFirst(8).prefix(padded.utf8.count), as: UTF8.self) == padded)
        #expect(Array(data.suffix(12)) == [0, 0, 128, 63, 0, 0, 0, 192, 0, 0, 64, 64])
        let file = try SafeTensorsFile(url)
        #expect(try file.floats("b", shape: [2]) == [1, -2])
        #expect(file.metadata["k"] == "v")
        #expect(throws: CheckpointError.self) { try file.floats("b", shape: [1, 2]) }
    }

    @Test func emptyAndRankZeroTensorsAreRead() throws {
        let url = try safetensors(#"{"e":{"dtype":"F32","shape":[0,3],"data_offsets":[0,0]},"s":{"dtype":"F32","shape":[],"data_offsets":[0,4]}}"#, data: 4)
        let file = try SafeTensorsFile(url)
        #expect(try file.floats("e", shape: [0, 3]) == [])
        #expect(try file.floats("s", shape: []) == [0])
    }

    @Test(arguments: [
        ("overlap", #"{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},"b":{"dtype":"F32","shape":[2],"data_offsets":[4,12]}}"#, 12, "overlap"),
        ("hole", #"{"a":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}}"#, 8, "hole"),
        ("trailing", #"{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}"#, 5, "the file at"),
        ("truncated", #"{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}"#, 4, "the file at"),
        ("shape", #"{"a":{"dtype":"F32","shape":[3],"data_offsets":[0,8]}}"#, 8, "needs 12 bytes"),
        ("overflow", #"{"a":{"dtype":"F32","shape":[4611686018427387904,4],"data_offsets":[0,8]}}"#, 8, "impossible shape"),
        ("negative", #"{"a":{"dtype":"F32","shape":[-1],"data_offsets":[0,8]}}"#, 8, "impossible shape"),
        ("offsets", #"{"a":{"dtype":"F32","shape":[1],"data_offsets":[4,0]}}"#, 4, "offsets"),
        ("dtype", #"{"a":{"dtype":"F31","shape":[1],"data_offsets":[0,4]}}"#, 4, "unknown dtype"),
        ("fields", #"{"a":{"dtype":"F32","data_offsets":[0,4]}}"#, 4, "lacks"),
        ("duplicate", #"{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}"#, 4, "twice"),
        ("metadata", #"{"__metadata__":{"k":1},"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}"#, 4, "not a string"),
        ("json", #"{"a":"#, 0, "not valid JSON"), ("array", #"[1]"#, 0, "not a JSON object"),
    ])
    func headersAreRefused(_ name: String, _ header: String, _ data: Int, _ reason: String) throws {
        let url = try safetensors(header, data: data)
        #expect { try SafeTensorsFile(url) } throws: { "\($0)".contains(reason) && "\($0)".contains(url.path) }
    }

    @Test func filesThatAreNotSafetensorsAreRefused() throws {
        func expect(_ bytes: Data, _ reason: String) throws {
            let url = temporary.file(UUID().uuidString)
            try bytes.write(to: url)
            #expect { try SafeTensorsFile(url) } throws: { "\($0)".contains(reason) }
        }
        try expect(Data("PK\u{3}\u{4}rest".utf8), "PyTorch .pt file")
        try expect(Data([0x80, 2, 0x63, 0, 0, 0, 0, 0, 0]), "PyTorch .pt file")
        try expect(Data([1, 2, 3]), "only 3 bytes")
        try expect(Data([0, 0, 0, 0, 0, 1, 0, 0, 0x7b]), "at most")
        try expect(Data([200, 0, 0, 0, 0, 0, 0, 0, 0x7b]), "the file has 9")
        #expect(throws: CheckpointError.missing("/nowhere/x")) { try SafeTensorsFile(URL(fileURLWithPath: "/nowhere/x")) }
        #expect(throws: CheckpointError.missing(temporary.url.path)) { try SafeTensorsFile(temporary.url) }
    }

    @Test func aFailedWriteLeavesTheOldFile() throws {
        let url = temporary.file("folder/x.safetensors")
        #expect(throws: CheckpointError.self) { try SafeTensorsWriter.write([("a", [1], [1])], metadata: [:], to: url) }
        // A folder in the way: the rename fails, and the temporary file is gone.
        let taken = temporary.file("taken")
        try FileManager.default.createDirectory(at: taken.appendingPathComponent("inside"), withIntermediateDirectories: true)
        #expect(throws: CheckpointError.self) { try SafeTensorsWriter.write([("a", [1], [1])], metadata: [:], to: taken) }
        #expect(try FileManager.default.contentsOfDirectory(atPath: temporary.url.path) == ["taken"])
    }

    @Test func modelsComeBack() throws {
        let model = smallModel(seed: 3), a = temporary.file("a"), b = temporary.file("b")
        try Checkpoint.save(model, metadata: metadata(), to: a)
        let (loaded, description) = try Checkpoint.load(a)
        #expect(description == metadata())
        let images = fixtureImages(seed: 1, n: 3, size: 16)
        #expect(loaded.forward(images, .inference) == model.forward(images, .inference))
        try Checkpoint.save(loaded, metadata: description, to: b)
        #expect(try Data(contentsOf: a) == Data(contentsOf: b))
        #expect(try SafeTensorsFile(a).entries["backbone.conv2.weight"]?.shape == [64, 32, 3, 3])
    }

    @Test func strangersAndGapsAreRefused() throws {
        let description = try { () throws -> [String: String] in
            let url = temporary.file("a")
            try Checkpoint.save(smallModel(), metadata: metadata(), to: url)
            return try SafeTensorsFile(url).metadata
        }()
        let url = temporary.file("b")
        try SafeTensorsWriter.write([("stranger", [1], [1])], metadata: description, to: url)
        #expect { try Checkpoint.load(url) } throws: { "\($0)".contains("'stranger' is not part") }
        try SafeTensorsWriter.write([("head.3.bias", [1], [1])], metadata: description, to: url)
        #expect { try Checkpoint.load(url) } throws: { "\($0)".contains("is missing") }
        try SafeTensorsWriter.write([("head.3.bias", [1], [1])], metadata: [:], to: url)
        #expect { try Checkpoint.load(url) } throws: { "\($0)".contains("not a facefair model") }
    }

    @Test(arguments: OptimizerName.allCases) func resumedTrainingIsTheSame(_ name: OptimizerName) throws {
        func make() -> (FaceClassifier, any Optimizer) {
            let model = smallModel(dropout: 0.3)
            let rates: [ParameterGroup: Double] = [.backbone: 1e-3, .head: 1e-2]
            return (model, name == .adamw ? AdamW(model.store, learningRates: rates) : SGD(model.store, learningRates: rates))
        }
        let images = fixtureImages(seed: 8, n: 4, size: 16)
        let (model, optimizer) = make()
        backwardPass(model, images, fixtureLabels(4))
        optimizer.update()
        let url = temporary.file("resume")
        try Checkpoint.saveResume(model, optimizer: optimizer, metadata: metadata(), trainerState: "state", to: url)
        let random = model.dropoutRandom
        backwardPass(model, images, fixtureLabels(4))
        optimizer.update()

        let (other, second) = make()
        #expect(try Checkpoint.loadResume(other, optimizer: second, from: url).trainerState == "state")
        second.step = 1
        other.dropoutRandom = random
        backwardPass(other, images, fixtureLabels(4))
        second.update()
        #expect(other.store.values.toArray() == model.store.values.toArray())
    }
}
