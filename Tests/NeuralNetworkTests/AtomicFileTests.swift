// Files are whole or absent, and nothing else is disturbed on the way.
import Foundation
import NeuralNetwork
import TensorCore
import TestSupport
import Testing

struct AtomicFileTests {
    private let temporary: TemporaryFolder

    init() throws { temporary = try TemporaryFolder() }

    private var names: [String] { get throws { try FileManager.default.contentsOfDirectory(atPath: temporary.url.path).sorted() } }

    @Test func replacesAFileAndLeavesNothingElse() throws {
        let url = temporary.file("a")
        for text in ["first, longer", "second", ""] {
            try AtomicFile.write(Data(text.utf8), to: url)
            #expect(try String(contentsOf: url, encoding: .utf8) == text)
        }
        #expect(try names == ["a"])
    }

    @Test func theTemporaryNameIsNotFollowed() throws {
        try temporary.write("precious", to: "elsewhere")
        let url = temporary.file("a")
        let leftover = url.path + ".tmp-\(ProcessInfo.processInfo.processIdentifier)"
        try FileManager.default.createSymbolicLink(atPath: leftover, withDestinationPath: temporary.file("elsewhere").path)
        try AtomicFile.write(Data("new".utf8), to: url)
        #expect(try String(contentsOf: temporary.file("elsewhere"), encoding: .utf8) == "precious")
        #expect(try names == ["a", "elsewhere"])
    }

    @Test func devicesAreWrittenNotReplaced() throws {
        let link = temporary.file("null")
        try FileManager.default.createSymbolicLink(atPath: link.path, withDestinationPath: "/dev/null")
        try AtomicFile.write(Data("gone".utf8), to: link)
        #expect(try FileManager.default.destinationOfSymbolicLink(atPath: link.path) == "/dev/null")
        let full = temporary.file("full")
        try FileManager.default.createSymbolicLink(atPath: full.path, withDestinationPath: "/dev/full")
        #expect { try AtomicFile.write(Data("x".utf8), to: full) } throws: { "\($0)".contains("No space left") && "\($0)".contains(full.path) }
        #expect(try names == ["full", "null"])
    }

    @Test func aMissingFolderIsNamed() throws {
        let url = temporary.file("none/m.safetensors")
        #expect { try Checkpoint.save(smallModel(), metadata: metadata(), to: url) } throws: {
            guard case CheckpointError.unwritable(let file, let reason) = $0 else { return false }
            return file == url.path && reason.contains("No such file")
        }
    }

    /// A resume file of another optimizer changes neither the model nor the optimizer.
    @Test func aResumeFileThatDoesNotFitChangesNothing() throws {
        let rates: [ParameterGroup: Double] = [.backbone: 1e-3, .head: 1e-3]
        let url = temporary.file("resume"), writer = smallModel(seed: 1), reader = smallModel(seed: 2)
        try Checkpoint.saveResume(
            writer, optimizer: SGD(writer.store, learningRates: rates), metadata: metadata(), trainerState: "s", to: url)
        let before = reader.store.values.toArray()
        #expect(before != writer.store.values.toArray())
        #expect(throws: CheckpointError.self) {
            try Checkpoint.loadResume(reader, optimizer: AdamW(reader.store, learningRates: rates), from: url)
        }
        #expect(reader.store.values.toArray() == before)
    }
}
