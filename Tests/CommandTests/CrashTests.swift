// A run that is killed at any moment, or that meets a full disk, leaves its last good files readable and goes on from them.
import FaceData
import Foundation
import NeuralNetwork
import TestSupport
import Testing

@Suite(.serialized)
struct CrashTests {
    private let temporary: TemporaryFolder
    private let flags = [
        "train", "celeba", "--data", "faces", "--img-size", "32", "--epochs", "4", "--batch-size", "16", "--patience", "0", "--lr", "1e-3",
        "--backbone-lr", "1e-3", "--quiet", "--resume", "auto", "--output",
    ]

    init() throws {
        temporary = try TemporaryFolder()
        try SyntheticFaces.write(to: temporary.file("faces"), layout: .celeba, count: 120, seed: 3)
    }

    private func bytes(_ run: String) throws -> [Data] {
        try ["best", "last", "resume"].map { try Data(contentsOf: temporary.file("\(run)/\($0).safetensors")) }
    }

    @Test func killedAtAnyMomentARunGoesOn() throws {
        let whole = try runTool(flags + ["whole"], in: temporary.url)
        #expect(whole.status == 0, "\(whole.error)")
        var kills = 0
        for attempt in 0..<60 {
            let process = Process()
            process.executableURL = toolURL
            process.arguments = flags + ["killed"]
            process.currentDirectoryURL = temporary.url
            process.standardOutput = FileHandle.nullDevice
            process.standardError = FileHandle.nullDevice
            try process.run()
            // Waits that grow, so that the run gets on whatever the machine's speed, and that fall on all phases of an epoch.
            usleep(UInt32(20_000 + 7_919 * attempt))
            if process.isRunning { kill(process.processIdentifier, SIGKILL) }
            process.waitUntilExit()
            for name in ["best", "last", "resume"] {
                let file = temporary.file("killed/\(name).safetensors")
                if FileManager.default.fileExists(atPath: file.path) { _ = try SafeTensorsFile(file) }
            }
            if process.terminationReason == .exit {
                #expect(process.terminationStatus == 0)
                break
            }
            kills += 1
        }
        let last = try runTool(flags + ["killed"], in: temporary.url)
        #expect(last.status == 0, "\(last.error)")
        #expect(kills > 0)
        #expect(try bytes("whole") == bytes("killed"), "after \(kills) kills")
    }

    @Test func aFullDiskIsAnErrorAndLosesNothing() throws {
        let first = try runTool(flags + ["run", "--epochs", "1"], in: temporary.url)
        #expect(first.status == 0, "\(first.error)")
        let before = try bytes("run")
        // No file may grow beyond 1 MiB: as a disk that fills up while a checkpoint is written.
        let command = ([toolURL.path] + flags + ["run"]).map { "'\($0)'" }.joined(separator: " ")
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/bin/sh")
        process.arguments = ["-c", "ulimit -f 2048; exec \(command) 2> errors.txt"]
        process.currentDirectoryURL = temporary.url
        try process.run()
        process.waitUntilExit()
        let message = try String(contentsOf: temporary.file("errors.txt"), encoding: .utf8)
        #expect(process.terminationStatus == 74, "\(process.terminationStatus): \(message)")
        #expect(message.contains("safetensors"), "\(message)")
        #expect(try bytes("run") == before)
        let again = try runTool(flags + ["run"], in: temporary.url)
        #expect(again.status == 0, "\(again.error)")
        #expect(try runTool(flags + ["whole"], in: temporary.url).status == 0)
        #expect(try bytes("run") == bytes("whole"))
    }
}
