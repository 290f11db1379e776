// Data goes to stdout, everything a person is told goes to stderr.
import Foundation

enum Console {
    static func error(_ line: String) { FileHandle.standardError.write(Data((line + "\n").utf8)) }
    static func note(_ line: String) { error(line) }
    static func output(_ text: String) { FileHandle.standardOutput.write(Data((text + "\n").utf8)) }

    /// One JSON object on stdout: keys in snake_case and sorted, doubles in shortest form.
    static func json(_ value: some Encodable) throws { output(String(decoding: try encoded(value), as: UTF8.self)) }

    /// The bytes of ``json(_:)``, without the line end.
    static func encoded(_ value: some Encodable) throws -> [UInt8] {
        let encoder = JSONEncoder()
        encoder.keyEncodingStrategy = .convertToSnakeCase
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        return [UInt8](try encoder.encode(value))
    }
}
