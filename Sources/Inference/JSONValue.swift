// A strict JSON reader for records: duplicate keys, deep nesting and broken UTF-8 are errors, and numbers keep their spelling,
// so that an id such as 12345678901234567890 comes back as it went in. Foundation's reader allows the first and loses the last.

/// One JSON value; objects keep the order of their keys.
public enum JSONValue: Equatable, Sendable {
    case null
    case bool(Bool)
    /// The number as it was spelled; ``double`` reads it.
    case number(String)
    case string(String)
    case array([JSONValue])
    case object([JSONMember])

    /// The finite number this value spells, or nil.
    public var double: Double? {
        guard case .number(let text) = self, let value = Double(text), value.isFinite else { return nil }
        return value
    }

    /// The value under `key`; nil when this is no object or has no such key.
    public subscript(key: String) -> JSONValue? {
        guard case .object(let members) = self else { return nil }
        return members.first { $0.key == key }?.value
    }

    /// "a string", "an array", …: for messages.
    public var kind: String {
        switch self {
        case .null: "null"
        case .bool: "true or false"
        case .number: "a number"
        case .string: "a string"
        case .array: "an array"
        case .object: "an object"
        }
    }
}

/// One `key: value` pair of a JSON object.
public struct JSONMember: Equatable, Sendable {
    public let key: String
    public let value: JSONValue

    public init(_ key: String, _ value: JSONValue) {
        self.key = key
        self.value = value
    }
}

/// Why a text is not the JSON we accept, and at which byte (counted from 1).
public struct JSONError: Error, Equatable, CustomStringConvertible {
    public let byte: Int
    public let reason: String

    public init(byte: Int, reason: String) {
        self.byte = byte
        self.reason = reason
    }

    public var description: String { "not valid JSON at byte \(byte): \(reason)" }
}

extension JSONValue {
    /// Nesting beyond this is refused; a record needs 3.
    public static let maximumDepth = 32
    /// A text with more values than this is refused: it is no record, and it would take hundreds of megabytes.
    public static let maximumValues = 1_000_000

    /// Reads one JSON text that fills `bytes`.
    ///
    /// Errors: ``JSONError`` for bad syntax, broken UTF-8, a duplicate key, nesting beyond ``maximumDepth``,
    /// more than ``maximumValues`` values, a number beyond Double.
    public static func parse(_ bytes: UnsafeBufferPointer<UInt8>) throws(JSONError) -> JSONValue {
        var reader = JSONReader(bytes: bytes)
        let value = try reader.value(depth: 1)
        reader.skipSpace()
        guard reader.position == bytes.count else { throw reader.error("text after the end of the value") }
        return value
    }

    /// Reads one JSON text.
    public static func parse(_ text: String) throws(JSONError) -> JSONValue {
        let bytes = Array(text.utf8)
        var result: Result<JSONValue, JSONError> = .success(.null)
        bytes.withUnsafeBufferPointer { buffer in
            do throws(JSONError) { result = .success(try parse(buffer)) } catch { result = .failure(error) }
        }
        return try result.get()
    }
}

/// The recursive descent behind ``JSONValue/parse(_:)``.
private struct JSONReader {
    let bytes: UnsafeBufferPointer<UInt8>
    var position = 0
    private var values = 0

    init(bytes: UnsafeBufferPointer<UInt8>) { self.bytes = bytes }

    func error(_ reason: String, at offset: Int? = nil) -> JSONError { JSONError(byte: (offset ?? position) + 1, reason: reason) }

    private var current: UInt8? { position < bytes.count ? bytes[position] : nil }

    mutating func skipSpace() {
        while let byte = current, byte == 0x20 || byte == 0x09 || byte == 0x0A || byte == 0x0D { position += 1 }
    }

    mutating func value(depth: Int) throws(JSONError) -> JSONValue {
        guard depth <= JSONValue.maximumDepth else { throw error("nested deeper than \(JSONValue.maximumDepth) levels") }
        values += 1
        guard values <= JSONValue.maximumValues else { throw error("more than \(JSONValue.maximumValues) values") }
        skipSpace()
        guard let byte = current else { throw error("ends where a value was expected") }
        switch byte {
        case UInt8(ascii: "{"): return try object(depth: depth)
        case UInt8(ascii: "["): return try array(depth: depth)
        case UInt8(ascii: "\""): return .string(try string())
        case UInt8(ascii: "t"): try word("true"); return .bool(true)
        case UInt8(ascii: "f"): try word("false"); return .bool(false)
        case UInt8(ascii: "n"): try word("null"); return .null
        case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"): return try number()
        default:
            if byte == UInt8(ascii: "N") || byte == UInt8(ascii: "I") { throw error("NaN and Infinity are not JSON; leave the value out or write null") }
            if byte == UInt8(ascii: "'") { throw error("strings stand in double quotes") }
            throw error("a value cannot start with \(shown(byte))")
        }
    }

    private func shown(_ byte: UInt8) -> String {
        byte > 0x20 && byte < 0x7F ? "\"\(Character(UnicodeScalar(byte)))\"" : "byte \(byte)"
    }

    private mutating func word(_ expected: StaticString) throws(JSONError) {
        let count = expected.utf8CodeUnitCount
        guard position + count <= bytes.count,
            (0..<count).allSatisfy({ bytes[position + $0] == expected.utf8Start[$0] })
        else { throw error("expected \(expected)") }
        position += count
    }

    private mutating func object(depth: Int) throws(JSONError) -> JSONValue {
        position += 1
        var members: [JSONMember] = []
        members.reserveCapacity(8)
        // Records have few keys; a set pays off only for objects that are no records.
        var manyKeys: Set<String> = []
        skipSpace()
        if current == UInt8(ascii: "}") { position += 1; return .object([]) }
        while true {
            skipSpace()
            guard current == UInt8(ascii: "\"") else { throw error("expected a key in double quotes") }
            let start = position
            let key = try string()
            if members.count == 16 { manyKeys = Set(members.map(\.key)) }
            if members.count < 16 ? members.contains(where: { $0.key == key }) : !manyKeys.insert(key).inserted {
                throw error("key \"\(key)\" stands twice", at: start)
            }
            guard members.count < 256 else { throw error("more than 256 keys in one object", at: start) }
            skipSpace()
            guard current == UInt8(ascii: ":") else { throw error("expected \":\" after key \"\(key)\"") }
            position += 1
            members.append(JSONMember(key, try value(depth: depth + 1)))
            skipSpace()
            if current == UInt8(ascii: ",") { position += 1; continue }
            if current == UInt8(ascii: "}") { position += 1; return .object(members) }
            throw error(current == nil ? "ends inside an object" : "expected \",\" or \"}\"")
        }
    }

    private mutating func array(depth: Int) throws(JSONError) -> JSONValue {
        position += 1
        var elements: [JSONValue] = []
        skipSpace()
        if current == UInt8(ascii: "]") { position += 1; return .array([]) }
        while true {
            elements.append(try value(depth: depth + 1))
            skipSpace()
            if current == UInt8(ascii: ",") { position += 1; continue }
            if current == UInt8(ascii: "]") { position += 1; return .array(elements) }
            throw error(current == nil ? "ends inside an array" : "expected \",\" or \"]\"")
        }
    }

    private mutating func digits() -> Int {
        let start = position
        while let byte = current, byte >= UInt8(ascii: "0"), byte <= UInt8(ascii: "9") { position += 1 }
        return position - start
    }

    private mutating func number() throws(JSONError) -> JSONValue {
        let start = position
        if current == UInt8(ascii: "-") { position += 1 }
        let leadingZero = current == UInt8(ascii: "0")
        let whole = digits()
        guard whole > 0 else { throw error("expected a digit") }
        if leadingZero && whole > 1 { throw error("a number does not start with 0", at: start) }
        if current == UInt8(ascii: ".") {
            position += 1
            guard digits() > 0 else { throw error("expected a digit after the decimal point") }
        }
        if current == UInt8(ascii: "e") || current == UInt8(ascii: "E") {
            position += 1
            if current == UInt8(ascii: "+") || current == UInt8(ascii: "-") { position += 1 }
            guard digits() > 0 else { throw error("expected a digit in the exponent") }
        }
        let text = String(decoding: bytes[start..<position], as: UTF8.self)
        guard let value = Double(text), value.isFinite else { throw error("number \(text) is beyond what a double holds", at: start) }
        return .number(text)
    }

    private mutating func string() throws(JSONError) -> String {
        position += 1
        let start = position
        // Most strings have no escape and are one slice.
        while let byte = current, byte != UInt8(ascii: "\""), byte != UInt8(ascii: "\\"), byte >= 0x20 { position += 1 }
        if current == UInt8(ascii: "\"") {
            defer { position += 1 }
            return try text(bytes[start..<position], at: start)
        }
        var unescaped = Array(bytes[start..<position])
        while let byte = current {
            if byte == UInt8(ascii: "\"") {
                position += 1
                return try unescaped.withUnsafeBufferPointer { (all) throws(JSONError) in try text(all[...], at: start) }
            }
            if byte < 0x20 { throw error("a control character inside a string; write it as \\u00\(byte < 16 ? "0" : "")\(String(byte, radix: 16))") }
            position += 1
            if byte == UInt8(ascii: "\\") { try escape(into: &unescaped) } else { unescaped.append(byte) }
        }
        throw error("ends inside a string")
    }

    private func text(_ slice: Slice<UnsafeBufferPointer<UInt8>>, at start: Int) throws(JSONError) -> String {
        // Keys, numbers in quotes, paths: nearly everything is ASCII, which needs no look at what follows what.
        if slice.allSatisfy({ $0 < 0x80 }) { return String(decoding: UnsafeBufferPointer(rebasing: slice), as: UTF8.self) }
        guard let text = String(validating: slice, as: UTF8.self) else { throw error("a string that is not UTF-8", at: start) }
        return text
    }

    private mutating func escape(into out: inout [UInt8]) throws(JSONError) {
        guard let byte = current else { throw error("ends inside a string") }
        position += 1
        switch byte {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): out.append(byte)
        case UInt8(ascii: "b"): out.append(0x08)
        case UInt8(ascii: "f"): out.append(0x0C)
        case UInt8(ascii: "n"): out.append(0x0A)
        case UInt8(ascii: "r"): out.append(0x0D)
        case UInt8(ascii: "t"): out.append(0x09)
        case UInt8(ascii: "u"):
            let start = position - 2
            var code = try hexadecimal()
            if code & 0xFC00 == 0xD800, current == UInt8(ascii: "\\"), position + 1 < bytes.count, bytes[position + 1] == UInt8(ascii: "u") {
                position += 2
                let low = try hexadecimal()
                guard low & 0xFC00 == 0xDC00 else { throw error("half of a surrogate pair", at: start) }
                code = 0x10000 + (code - 0xD800) << 10 + (low - 0xDC00)
            }
            guard let scalar = UnicodeScalar(code) else { throw error("half of a surrogate pair", at: start) }
            out.append(contentsOf: UTF8.encode(scalar)!)
        default: throw error("unknown escape \\\(Character(UnicodeScalar(byte)))", at: position - 2)
        }
    }

    private mutating func hexadecimal() throws(JSONError) -> UInt32 {
        guard position + 4 <= bytes.count else { throw error("ends inside a string") }
        var code: UInt32 = 0
        for _ in 0..<4 {
            guard let digit = Character(UnicodeScalar(bytes[position])).hexDigitValue else { throw error("\\u needs four hexadecimal digits") }
            code = code << 4 | UInt32(digit)
            position += 1
        }
        return code
    }
}
