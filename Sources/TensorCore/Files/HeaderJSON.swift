// The JSON of a safetensors header, parsed strictly: duplicate keys, which other parsers merge silently, are errors here.

/// A JSON value; object members keep their order.
indirect enum HeaderJSON: Equatable {
    case object([Member])
    case array([HeaderJSON])
    case string(String)
    /// An unsigned integer that fits `Int`, the only number a header needs.
    case integer(Int)
    /// Other numbers, booleans and null: legal JSON that no header field may hold.
    case other

    struct Member: Equatable {
        let key: String
        let value: HeaderJSON
    }

    /// Why and where (byte in the header) parsing stopped.
    struct Failure: Error, Equatable {
        let reason: String
        let offset: Int
    }

    /// The member of an object, nil where there is none.
    subscript(key: String) -> HeaderJSON? {
        guard case .object(let members) = self else { return nil }
        return members.first { $0.key == key }?.value
    }

    /// Errors: throws ``Failure`` for anything that is not one JSON value with nothing but blanks around it.
    static func parse(_ bytes: UnsafeRawBufferPointer) throws -> HeaderJSON {
        var parser = HeaderJSONParser(bytes: bytes)
        let value = try parser.value(depth: 0)
        parser.skipBlanks()
        guard parser.position == bytes.count else { throw parser.failure("text after the JSON value") }
        return value
    }
}

private struct HeaderJSONParser {
    let bytes: UnsafeRawBufferPointer
    var position = 0

    /// A header nests three deep; more is hostile.
    private static let maximumDepth = 8

    func failure(_ reason: String) -> HeaderJSON.Failure { .init(reason: reason, offset: position) }

    private var current: UInt8? { position < bytes.count ? bytes[position] : nil }

    mutating func skipBlanks() {
        while let byte = current, byte == 0x20 || byte == 0x0A || byte == 0x0D || byte == 0x09 { position += 1 }
    }

    private func isDigit(_ byte: UInt8) -> Bool { UInt8(ascii: "0")...UInt8(ascii: "9") ~= byte }

    private mutating func expect(_ character: Unicode.Scalar) throws {
        skipBlanks()
        guard current == UInt8(character.value) else { throw failure("'\(character)' expected") }
        position += 1
    }

    private mutating func take(_ character: Unicode.Scalar) -> Bool {
        skipBlanks()
        guard current == UInt8(character.value) else { return false }
        position += 1
        return true
    }

    mutating func value(depth: Int) throws -> HeaderJSON {
        guard depth < Self.maximumDepth else { throw failure("nested too deeply") }
        skipBlanks()
        switch current {
        case UInt8(ascii: "{"): return try object(depth: depth)
        case UInt8(ascii: "["): return try array(depth: depth)
        case UInt8(ascii: "\""): return .string(try string())
        case UInt8(ascii: "t"): return try word("true")
        case UInt8(ascii: "f"): return try word("false")
        case UInt8(ascii: "n"): return try word("null")
        case let byte? where byte == UInt8(ascii: "-") || isDigit(byte): return try number()
        case nil: throw failure("JSON ends early")
        default: throw failure("unexpected character")
        }
    }

    private mutating func object(depth: Int) throws -> HeaderJSON {
        try expect("{")
        var members: [HeaderJSON.Member] = []
        var keys: Set<String> = []
        if take("}") { return .object([]) }
        repeat {
            skipBlanks()
            let key = try string()
            guard keys.insert(key).inserted else { throw failure("key \"\(key)\" stands twice") }
            try expect(":")
            members.append(.init(key: key, value: try value(depth: depth + 1)))
        } while take(",")
        try expect("}")
        return .object(members)
    }

    private mutating func array(depth: Int) throws -> HeaderJSON {
        try expect("[")
        var elements: [HeaderJSON] = []
        if take("]") { return .array([]) }
        repeat { elements.append(try value(depth: depth + 1)) } while take(",")
        try expect("]")
        return .array(elements)
    }

    private mutating func word(_ word: StaticString) throws -> HeaderJSON {
        for offset in 0..<word.utf8CodeUnitCount {
            guard current == word.utf8Start[offset] else { throw failure("unexpected word") }
            position += 1
        }
        return .other
    }

    private mutating func number() throws -> HeaderJSON {
        let start = position
        while let byte = current, isDigit(byte) || "+-.eE".utf8.contains(byte) { position += 1 }
        let text = String(decoding: bytes[start..<position], as: UTF8.self)
        if text.utf8.allSatisfy(isDigit) {
            guard text == "0" || !text.hasPrefix("0") else { throw failure("number \(text) begins with 0") }
            guard let integer = Int(text) else { throw failure("number \(text) overflows") }
            return .integer(integer)
        }
        guard Double(text) != nil else { throw failure("\(text) is not a number") }
        return .other
    }

    private mutating func string() throws -> String {
        guard current == UInt8(ascii: "\"") else { throw failure("'\"' expected") }
        position += 1
        var text: [UInt8] = []
        while let byte = current {
            position += 1
            switch byte {
            case UInt8(ascii: "\""):
                guard let result = String(validating: text, as: UTF8.self) else { throw failure("string is not UTF-8") }
                return result
            case UInt8(ascii: "\\"): text.append(contentsOf: try escape())
            case ..<0x20: throw failure("control character in a string")
            default: text.append(byte)
            }
        }
        throw failure("string without end")
    }

    private mutating func escape() throws -> [UInt8] {
        guard let byte = current else { throw failure("string without end") }
        position += 1
        switch byte {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): return [byte]
        case UInt8(ascii: "b"): return [0x08]
        case UInt8(ascii: "f"): return [0x0C]
        case UInt8(ascii: "n"): return [0x0A]
        case UInt8(ascii: "r"): return [0x0D]
        case UInt8(ascii: "t"): return [0x09]
        case UInt8(ascii: "u"):
            var code = try hexadecimal4()
            if 0xD800..<0xDC00 ~= code {  // a surrogate pair
                guard position + 1 < bytes.count, bytes[position] == UInt8(ascii: "\\"), bytes[position + 1] == UInt8(ascii: "u")
                else { throw failure("lone surrogate") }
                position += 2
                let low = try hexadecimal4()
                guard 0xDC00..<0xE000 ~= low else { throw failure("lone surrogate") }
                code = 0x10000 + (code - 0xD800) << 10 + (low - 0xDC00)
            }
            guard let scalar = Unicode.Scalar(code) else { throw failure("lone surrogate") }
            return Array(String(Character(scalar)).utf8)
        default: throw failure("unknown escape")
        }
    }

    private mutating func hexadecimal4() throws -> UInt32 {
        guard position + 4 <= bytes.count else { throw failure("string without end") }
        var code: UInt32 = 0
        for _ in 0..<4 {
            guard let digit = Character(Unicode.Scalar(bytes[position])).hexDigitValue else { throw failure("four hex digits expected") }
            code = code << 4 | UInt32(digit)
            position += 1
        }
        return code
    }
}
