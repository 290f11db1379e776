// Writes JSON text into bytes: keys in the order given, doubles in the shortest form that reads back the same, never NaN.

/// Builds one JSON text.
public struct JSONWriter {
    public private(set) var bytes: [UInt8] = []
    private var needsComma = false

    public init() {}

    public var text: String { String(decoding: bytes, as: UTF8.self) }

    public mutating func object(_ key: String? = nil, _ body: (inout JSONWriter) -> Void) { nest(key, "{", "}", body) }
    public mutating func array(_ key: String? = nil, _ body: (inout JSONWriter) -> Void) { nest(key, "[", "]", body) }

    public mutating func field(_ key: String?, _ value: String?) {
        begin(key)
        if let value { Self.append(string: value, to: &bytes) } else { raw("null") }
    }

    /// A number that is not finite becomes null: JSON has no other word for it.
    public mutating func field(_ key: String?, _ value: Double?) {
        begin(key)
        if let value, value.isFinite { raw(value.description) } else { raw("null") }
    }

    public mutating func field(_ key: String?, _ value: Int?) {
        begin(key)
        raw(value.map(String.init) ?? "null")
    }

    public mutating func field(_ key: String?, _ value: Bool) {
        begin(key)
        raw(value ? "true" : "false")
    }

    public mutating func field(_ key: String?, _ value: JSONValue) {
        switch value {
        case .null: field(key, nil as String?)
        case .bool(let value): field(key, value)
        case .string(let value): field(key, value)
        case .number(let spelling):
            begin(key)
            raw(spelling)
        case .array(let values): array(key) { writer in for value in values { writer.field(nil, value) } }
        case .object(let members): object(key) { writer in for member in members { writer.field(member.key, member.value) } }
        }
    }

    /// Text that is JSON already, such as a value written before.
    public mutating func json(_ key: String?, _ text: [UInt8]) {
        begin(key)
        bytes.append(contentsOf: text)
    }

    /// `"key":value` pairs that are JSON already, to stand among the fields of an object.
    mutating func members(_ text: [UInt8]) {
        begin(nil)
        bytes.append(contentsOf: text)
    }

    /// An object whose end is written elsewhere, or by ``close()``.
    mutating func open() {
        begin(nil)
        bytes.append(UInt8(ascii: "{"))
        needsComma = false
    }

    mutating func close() {
        bytes.append(UInt8(ascii: "}"))
        needsComma = true
    }

    /// Ends a record: the next value starts on a new line without a comma.
    public mutating func newline() {
        bytes.append(0x0A)
        needsComma = false
    }

    private mutating func nest(_ key: String?, _ open: Character, _ close: Character, _ body: (inout JSONWriter) -> Void) {
        begin(key)
        bytes.append(open.asciiValue!)
        needsComma = false
        body(&self)
        bytes.append(close.asciiValue!)
        needsComma = true
    }

    private mutating func begin(_ key: String?) {
        if needsComma { bytes.append(UInt8(ascii: ",")) }
        needsComma = true
        if let key {
            Self.append(string: key, to: &bytes)
            bytes.append(UInt8(ascii: ":"))
        }
    }

    private mutating func raw(_ text: String) { bytes.append(contentsOf: text.utf8) }

    private static func append(string: String, to bytes: inout [UInt8]) {
        bytes.append(UInt8(ascii: "\""))
        for byte in string.utf8 {
            switch byte {
            case UInt8(ascii: "\""): bytes.append(contentsOf: [0x5C, 0x22])
            case UInt8(ascii: "\\"): bytes.append(contentsOf: [0x5C, 0x5C])
            case 0x0A: bytes.append(contentsOf: [0x5C, 0x6E])
            case 0x0D: bytes.append(contentsOf: [0x5C, 0x72])
            case 0x09: bytes.append(contentsOf: [0x5C, 0x74])
            case 0..<0x20:
                bytes.append(contentsOf: "\\u00".utf8)
                bytes.append(hex(byte >> 4))
                bytes.append(hex(byte & 15))
            default: bytes.append(byte)
            }
        }
        bytes.append(UInt8(ascii: "\""))
    }

    private static func hex(_ nibble: UInt8) -> UInt8 { nibble < 10 ? 0x30 + nibble : 0x57 + nibble }
}
