// Runs the built executable as a user would.
import Foundation

public struct ToolResult: Sendable {
    public let status: Int32
    public let output: Data
    public let error: String
    public var text: String { String(decoding: output, as: UTF8.self) }
    public var lines: [String] { text.split(separator: "\n").map(String.init) }
}

/// `facefair` with arguments and standard input; COLUMNS and LC_ALL are pinned so that help text does not depend on the terminal.
public func runTool(
    _ arguments: [String], input: Data = Data(), in folder: URL? = nil, environment: [String: String] = [:]
) throws -> ToolResult {
    let process = Process()
    process.executableURL = toolURL
    process.arguments = arguments
    process.currentDirectoryURL = folder
    process.environment = ProcessInfo.processInfo.environment
        .merging(["COLUMNS": "100", "LC_ALL": "C", "NO_COLOR": "1"]) { $1 }.merging(environment) { $1 }
    // Files rather than pipes: no reader threads, and no dead-lock whatever the sizes.
    let scratch = try TemporaryFolder()
    let (inputFile, outputFile, errorFile) = (scratch.file("in"), scratch.file("out"), scratch.file("err"))
    try input.write(to: inputFile)
    for file in [outputFile, errorFile] { try Data().write(to: file) }
    process.standardInput = try FileHandle(forReadingFrom: inputFile)
    process.standardOutput = try FileHandle(forWritingTo: outputFile)
    process.standardError = try FileHandle(forWritingTo: errorFile)
    try process.run()
    process.waitUntilExit()
    return ToolResult(
        status: process.terminationStatus, output: try Data(contentsOf: outputFile),
        error: String(decoding: try Data(contentsOf: errorFile), as: UTF8.self))
}

/// The executable beside the test bundle.
public let toolURL: URL = {
    let bundle = URL(fileURLWithPath: CommandLine.arguments[0]).resolvingSymlinksInPath()
    var folder = bundle.deletingLastPathComponent()
    // The test bundle may be an executable in the products folder or lie in a bundle folder inside it.
    for _ in 0..<3 {
        let candidate = folder.appendingPathComponent("facefair")
        if FileManager.default.isExecutableFile(atPath: candidate.path) { return candidate }
        folder.deleteLastPathComponent()
    }
    return Fixture.folder.deletingLastPathComponent().deletingLastPathComponent()
        .appendingPathComponent(".build/release/facefair")
}()
