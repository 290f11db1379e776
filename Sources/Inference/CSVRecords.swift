// RFC 4180 records with line numbers, from bytes: quotes, quoted line ends and doubled quotes; \n, \r\n and \r end a record.

/// Walks over the records of a CSV text.
struct CSVRecords {
    private let bytes: ArraySlice<UInt8>
    private var position: Int
    /// The line on which the record last returned by ``next()`` starts, counted from 1.
    private(set) var line = 0
    private var nextLine = 1

    init(_ bytes: ArraySlice<UInt8>) {
        self.bytes = bytes
        position = bytes.startIndex
    }

    enum Problem: Error, Equatable {
        /// A quote that is never closed.
        case openQuote(line: Int)
        /// A character behind a closing quote.
        case textAfterQuote(line: Int, field: Int)
        case notUTF8(line: Int, field: Int)

        var line: Int {
            switch self {
            case .openQuote(let line), .textAfterQuote(let line, _), .notUTF8(let line, _): line
            }
        }

        var reason: String {
            switch self {
            case .openQuote: "opens a quote that is never closed; write a quote inside a field as \"\" and quote the field"
            case .textAfterQuote(_, let field): "has text after the closing quote of field \(field); write a quote inside a field as \"\""
            case .notUTF8(_, let field): "is not UTF-8 in field \(field); save the file as UTF-8"
            }
        }
    }

    /// The fields of the next record that is not an empty line; nil at the end.
    mutating func next() throws(Problem) -> [String]? {
        while position < bytes.endIndex {
            line = nextLine
            if endLine() { continue }
            var fields: [String] = []
            repeat { fields.append(try field(number: fields.count + 1)) } while separator()
            _ = endLine()
            return fields
        }
        return nil
    }

    /// Steps over a line end; true when there was one.
    private mutating func endLine() -> Bool {
        guard position < bytes.endIndex else { return false }
        switch bytes[position] {
        case 0x0A: position += 1
        case 0x0D:
            position += 1
            if position < bytes.endIndex, bytes[position] == 0x0A { position += 1 }
        default: return false
        }
        nextLine += 1
        return true
    }

    private mutating func separator() -> Bool {
        guard position < bytes.endIndex, bytes[position] == UInt8(ascii: ",") else { return false }
        position += 1
        return true
    }

    private mutating func field(number: Int) throws(Problem) -> String {
        if position < bytes.endIndex, bytes[position] == UInt8(ascii: "\"") { return try quotedField(number: number) }
        let start = position
        while position < bytes.endIndex, bytes[position] != UInt8(ascii: ","), bytes[position] != 0x0A, bytes[position] != 0x0D { position += 1 }
        return try text(bytes[start..<position], number)
    }

    private mutating func quotedField(number: Int) throws(Problem) -> String {
        let opened = nextLine
        position += 1
        var content: [UInt8] = []
        while position < bytes.endIndex {
            let byte = bytes[position]
            position += 1
            if byte == UInt8(ascii: "\"") {
                guard position < bytes.endIndex else { return try text(content[...], number) }
                if bytes[position] == UInt8(ascii: "\"") {
                    position += 1
                } else if bytes[position] == UInt8(ascii: ",") || bytes[position] == 0x0A || bytes[position] == 0x0D {
                    return try text(content[...], number)
                } else {
                    throw .textAfterQuote(line: nextLine, field: number)
                }
            } else if byte == 0x0A || (byte == 0x0D && !(position < bytes.endIndex && bytes[position] == 0x0A)) {
                nextLine += 1
            }
            content.append(byte)
        }
        throw .openQuote(line: opened)
    }

    private func text(_ slice: ArraySlice<UInt8>, _ number: Int) throws(Problem) -> String {
        guard let text = String(validating: slice, as: UTF8.self) else { throw .notUTF8(line: line, field: number) }
        return text
    }
}

/// Appends `field` to a CSV text, quoted when it must be.
func appendCSV(_ field: String, to bytes: inout [UInt8]) {
    let special = field.utf8.contains { $0 == UInt8(ascii: ",") || $0 == UInt8(ascii: "\"") || $0 == 0x0A || $0 == 0x0D }
    guard special else { return bytes.append(contentsOf: field.utf8) }
    bytes.append(UInt8(ascii: "\""))
    for byte in field.utf8 {
        if byte == UInt8(ascii: "\"") { bytes.append(byte) }
        bytes.append(byte)
    }
    bytes.append(UInt8(ascii: "\""))
}
