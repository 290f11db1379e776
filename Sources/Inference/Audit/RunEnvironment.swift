// Where a figure was made: what somebody who wants to make it again needs to know besides the command.
import Foundation
import TensorCore

public struct RunEnvironment: Codable, Equatable, Sendable {
    public var facefairVersion: String
    /// Such as `Debian GNU/Linux 12 (bookworm), Linux 6.1.0 x86_64`.
    public var operatingSystem: String
    public var processor: String
    public var cores: Int
    /// Of the kernels.
    public var instructionSet: String
    /// Relative paths of the command start here.
    public var directory: String
    /// FACEFAIR_* variables that were set; they act like flags.
    public var variables: [String: String]

    /// Of this process.
    public static var current: RunEnvironment {
        RunEnvironment(
            facefairVersion: facefairVersionText, operatingSystem: system, processor: processorName,
            cores: ProcessInfo.processInfo.activeProcessorCount, instructionSet: "\(InstructionSet.current)",
            directory: FileManager.default.currentDirectoryPath,
            variables: ProcessInfo.processInfo.environment.filter { $0.key.hasPrefix("FACEFAIR_") })
    }

    private static var system: String {
        var names = utsname()
        uname(&names)
        func text<T>(_ field: T) -> String {
            withUnsafeBytes(of: field) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
        }
        let kernel = "\(text(names.sysname)) \(text(names.release)) \(text(names.machine))"
        guard let release = value(of: "PRETTY_NAME", in: "/etc/os-release", separator: "=") else { return kernel }
        return "\(release.trimmingCharacters(in: CharacterSet(charactersIn: "\""))), \(kernel)"
    }

    private static var processorName: String {
        value(of: "model name", in: "/proc/cpuinfo", separator: ":") ?? "unknown"
    }

    private static func value(of key: String, in file: String, separator: Character) -> String? {
        guard let data = FileManager.default.contents(atPath: file) else { return nil }
        for line in String(decoding: data, as: UTF8.self).split(separator: "\n") {
            let parts = line.split(separator: separator, maxSplits: 1)
            if parts.count == 2, parts[0].trimmingCharacters(in: .whitespaces) == key {
                return parts[1].trimmingCharacters(in: .whitespaces)
            }
        }
        return nil
    }
}

/// The version that files are stamped with.
let facefairVersionText = "0.1.0"

/// A command as it can be pasted into a shell.
public struct ShellCommand: Codable, Equatable, Sendable {
    public var arguments: [String]

    /// - Parameter arguments: of the process, the program first; the program is called by its name, wherever it lay.
    public init(_ arguments: [String]) {
        self.arguments = arguments.isEmpty ? [] : ["facefair"] + arguments.dropFirst()
    }

    public var text: String { arguments.map(Self.quoted).joined(separator: " ") }

    /// With the variables in front that acted on it.
    public func text(in environment: RunEnvironment?) -> String {
        let variables = (environment?.variables ?? [:]).sorted { $0.key < $1.key }.map { "\($0.key)=\(Self.quoted($0.value))" }
        return (variables + [text]).joined(separator: " ")
    }

    /// One word of it, in quotes where it needs them.
    public static func quoted(_ word: String) -> String {
        let isPlain = !word.isEmpty && word.unicodeScalars.allSatisfy {
            $0.isASCII && ($0.properties.isAlphabetic || ("0"..."9").contains($0) || "_-./=,:@%+".unicodeScalars.contains($0))
        }
        if isPlain { return word }
        return "'" + word.split(separator: "'", omittingEmptySubsequences: false).joined(separator: "'\\''") + "'"
    }
}
