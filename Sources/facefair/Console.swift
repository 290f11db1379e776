// Data goes to stdout, everything a person is told goes to stderr.
import Foundation

enum Console {
    static func error(_ line: String) { FileHandle.standardError.write(Data((line + "\n").utf8)) }
    static func note(_ line: String) { error(line) }
    static func output(_ text: String) { FileHandle.standardOutput.write(Data((text + "\n").utf8)) }

    /// One JSON object on stdout: keys in snake_case and sorted, doubles in shortest form.
    static func json(_ value: some Encodable) throws {
        let encoder = JSONEncoder()
        encoder.keyEncodingStrategy = .convertToSnakeCase
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        output(String(decoding: try encoder.encode(value), as: UTF8.self))
    }
}
