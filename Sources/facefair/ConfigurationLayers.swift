// Flags that come from elsewhere: a YAML file (--config) and FACEFAIR_* variables, put in front of the user's own flags.
// The last one given counts, so: flag > environment > file > default.
import ArgumentParser
import FaceData
import Foundation
import Yams

struct ConfigurationArguments: ParsableArguments {
    @Option(
        name: [.customShort("c"), .long],
        help: ArgumentHelp("YAML file of this command's flags, such as 'batch-size: 64'; flags given here count more.", valueName: "file"))
    var config: String?
}

enum ConfigurationLayers {
    /// The arguments with the flags of the configuration file and the environment inserted after the subcommand.
    ///
    /// Errors: `Failure` with exit code 66 for a file that is missing, 78 for one that is not a mapping of known flags.
    static func expand(_ arguments: [String], environment: [String: String]) throws -> [String] {
        let variables = environment.filter { $0.key.hasPrefix(prefix) && !notFlags.contains($0.key) }
        let file = configurationFile(arguments) ?? environment[prefix + "CONFIG"]
        guard file != nil || !variables.isEmpty else { return arguments }

        let (command, depth) = HelpTree.command(of: arguments)
        var inserted: [String] = []
        if let file, !command.options.isEmpty { inserted += try flags(ofFile: file, command) }
        for option in command.options where !notFromOutside.contains(option.name) {
            let variable = prefix + option.name.uppercased().replacingOccurrences(of: "-", with: "_")
            if let value = variables[variable] { inserted += try flag(option, value, from: variable) }
        }
        return Array(arguments.prefix(depth)) + inserted + arguments.dropFirst(depth)
    }

    private static let prefix = "FACEFAIR_"
    /// Variables of the kernels, and the file itself.
    private static let notFlags: Set = ["FACEFAIR_ISA", "FACEFAIR_CONFIG"]
    private static let notFromOutside: Set = ["config", "print-config", "dry-run", "help", "version"]

    private static func configurationFile(_ arguments: [String]) -> String? {
        for (i, argument) in arguments.enumerated() {
            if argument == "--" { return nil }
            if argument == "--config" || argument == "-c" { return i + 1 < arguments.count ? arguments[i + 1] : nil }
            if argument.hasPrefix("--config=") { return String(argument.dropFirst("--config=".count)) }
        }
        return nil
    }

    private static func flags(ofFile file: String, _ command: HelpTree.Command) throws -> [String] {
        guard let data = FileManager.default.contents(atPath: file) else {
            throw Failure(.inputMissing, "--config \(file): no such file, or it cannot be read")
        }
        let entries: [(key: String, value: String)]
        do { entries = try YAMLFlags.read(String(decoding: data, as: UTF8.self)) } catch let error as YAMLFlags.Refusal {
            throw Failure(.badConfiguration, "--config \(file): \(error.reason)")
        }
        let known = command.options.map(\.name).filter { !notFromOutside.contains($0) }
        return try entries.flatMap { key, value in
            let name = key.replacingOccurrences(of: "_", with: "-")
            guard let option = command.options.first(where: { $0.name == name }), known.contains(name) else {
                throw Failure(
                    .badConfiguration,
                    "--config \(file): '\(key)' is not a flag of this command\(Suggestion.hint(for: name, in: known))")
            }
            return try flag(option, value, from: "--config \(file): \(key)")
        }
    }

    private static func flag(_ option: HelpTree.Option, _ value: String, from source: String) throws -> [String] {
        guard option.isFlag else { return ["--\(option.name)=\(value)"] }
        switch value.lowercased() {
        case "true", "yes", "1", "on": return ["--\(option.name)"]
        case "false", "no", "0", "off": return []
        default: throw Failure(.badConfiguration, "\(source): '\(value)' is neither true nor false")
        }
    }
}

/// A YAML mapping of flags to scalars or lists of scalars.
enum YAMLFlags {
    struct Refusal: Error { let reason: String }

    /// The pairs in the file's order; lists are joined by commas, null entries are left out.
    static func read(_ text: String) throws -> [(key: String, value: String)] {
        let node: Node?
        do { node = try Yams.compose(yaml: text) } catch { throw Refusal(reason: "not YAML: \(error)") }
        guard let node else { return [] }
        guard let mapping = node.mapping else { throw Refusal(reason: "must be a mapping of flags to values, such as 'epochs: 5'") }
        return try mapping.compactMap { key, value in
            guard let key = key.string else { throw Refusal(reason: "a key is not a word") }
            if value.null != nil { return nil }
            if let items = value.sequence {
                return (key, try items.map { item in
                    guard let scalar = item.scalar else { throw Refusal(reason: "'\(key)' may hold plain values only") }
                    return scalar.string
                }.joined(separator: ","))
            }
            guard let scalar = value.scalar else { throw Refusal(reason: "'\(key)' must be one value or a list") }
            return (key, scalar.string)
        }
    }

    /// The same pairs as YAML that ``read(_:)`` takes back unchanged.
    static func write(_ entries: [(key: String, value: String)]) -> String {
        entries.map { "\($0.key): \(isPlain($0.value) ? $0.value : quoted($0.value))\n" }.joined()
    }

    private static func isPlain(_ value: String) -> Bool { value.wholeMatch(of: /[A-Za-z0-9\/.+-][A-Za-z0-9_\/.,+-]*/) != nil }
    private static func quoted(_ value: String) -> String { "'" + value.replacingOccurrences(of: "'", with: "''") + "'" }
}

/// The flags of every subcommand, as ArgumentParser describes them.
enum HelpTree {
    struct Option {
        let name: String
        let isFlag: Bool
    }

    struct Command: Decodable {
        let commandName: String
        var subcommands: [Command]?
        private let arguments: [Argument]?

        var options: [Option] {
            (arguments ?? []).compactMap { argument in
                guard argument.kind != "positional", let name = argument.names?.first(where: { $0.kind == "long" })?.name else {
                    return nil
                }
                return Option(name: name, isFlag: argument.kind == "flag")
            }
        }
    }

    private struct Argument: Decodable {
        let kind: String
        let names: [Name]?
    }

    private struct Name: Decodable {
        let kind: String
        let name: String
    }

    private struct Root: Decodable { let command: Command }

    /// The command that the leading words name, and how many words that took.
    static func command(of arguments: [String]) -> (Command, depth: Int) {
        // The description is ArgumentParser's own and always decodes; a change of its format must not pass unseen.
        guard let root = try? JSONDecoder().decode(Root.self, from: Data(FacefairCommand._dumpHelp().utf8)) else {
            fatalError("ArgumentParser's help description has a new format")
        }
        var command = root.command
        var depth = 0
        while depth < arguments.count, let next = command.subcommands?.first(where: { $0.commandName == arguments[depth] }) {
            command = next
            depth += 1
        }
        return (command, depth)
    }
}
