// A reader of comma-separated values (RFC 4180) that works on bytes, streams, and knows the line number of every record.
import Foundation

/// What is wrong with a CSV file, and in which line.
public struct CSVError: Error, Equatable, Sendable, CustomStringConvertible {
    /// 1-based; the line where the record begins.
    public let line: Int
    public let reason: String

    public var description: String { "line \(line): \(reason)" }
}

/// One record with its fields as strings.
public struct CSVRecord: Equatable, Sendable {
    public let line: Int
    public let fields: [String]

    public init(line: Int, fields: [String]) {
        self.line = line
        self.fields = fields
    }
}

/// Reads records one by one. Accepts LF, CRLF and CR line ends, quoted fields with "" inside, a UTF-8 byte order mark; skips blank
/// lines. Not Sendable.
///
/// Either take whole records with ``next()``, or, where speed counts, call ``advance()`` and look at single fields.
public final class CSVReader {
    /// Line in which the current record begins, 1-based.
    public private(set) var line = 0
    public var fieldCount: Int { fields.count }

    private struct Field {
        var start: Int
        var end: Int
        var hasEscapes: Bool
    }

    private let source: (() throws -> [UInt8]?)?
    private let separator: UInt8
    private let maximumRecordBytes: Int
    private var buffer: [UInt8]
    private var position = 0
    private var ended: Bool
    private var nextLine = 1
    private var fields: [Field] = []

    public init(_ bytes: [UInt8], separator: Character = ",") {
        source = nil
        ended = true
        buffer = bytes
        self.separator = separator.asciiValue ?? UInt8(ascii: ",")
        maximumRecordBytes = .max
    }

    public convenience init(_ data: Data, separator: Character = ",") { self.init([UInt8](data), separator: separator) }

    /// Streams: `chunks` gives the next bytes and nil at the end.
    public init(
        separator: Character = ",", maximumRecordBytes: Int = 16 << 20, chunks: @escaping () throws -> [UInt8]?
    ) {
        source = chunks
        ended = false
        buffer = []
        self.separator = separator.asciiValue ?? UInt8(ascii: ",")
        self.maximumRecordBytes = maximumRecordBytes
    }

    /// The next record, or nil at the end. Errors: ``CSVError``, and what the source throws.
    public func next() throws -> CSVRecord? {
        try advance() ? record() : nil
    }

    /// All fields of the current record. Errors: ``CSVError`` when one is not UTF-8.
    public func record() throws -> CSVRecord {
        CSVRecord(line: line, fields: try (0..<fields.count).map { try string($0) })
    }

    /// Moves to the next record; false at the end. Errors: ``CSVError``, and what the source throws.
    public func advance() throws -> Bool {
        while true {
            guard let end = try scanRefilling() else { return false }
            let isBlank = fields.count == 1 && fields[0].start == fields[0].end && buffer[position] != CSVReader.quote
            line = nextLine - lastRecordLines
            position = end
            if !isBlank { return true }
        }
    }

    /// Field `index` of the current record. Errors: ``CSVError`` when it is not UTF-8.
    public func string(_ index: Int) throws -> String {
        let field = fields[index]
        let text = buffer[field.start..<field.end].withUnsafeBufferPointer { String(validating: $0, as: UTF8.self) }
        guard let text else { throw CSVError(line: line, reason: "field \(index + 1) is not UTF-8 text") }
        return field.hasEscapes ? text.replacingOccurrences(of: "\"\"", with: "\"") : text
    }

    /// The bytes of field `index` as they stand in the file, quotes around it removed, quotes inside still doubled.
    public func withBytes<T>(_ index: Int, _ body: (UnsafeBufferPointer<UInt8>) throws -> T) rethrows -> T {
        let field = fields[index]
        return try buffer.withUnsafeBufferPointer { try body(UnsafeBufferPointer(rebasing: $0[field.start..<field.end])) }
    }

    // MARK: Scanning

    private static let quote = UInt8(ascii: "\"")
    private static let lineFeed = UInt8(ascii: "\n")
    private static let carriageReturn = UInt8(ascii: "\r")
    private var lastRecordLines = 0

    /// Finds the record at `position`, reading on where it is cut; returns where it ends, nil at the end of the input.
    private func scanRefilling() throws -> Int? {
        if nextLine == 1 && position == 0 { try skipByteOrderMark() }
        while true {
            if position >= buffer.count && ended { return nil }
            if position < buffer.count, let end = try buffer.withUnsafeBufferPointer({ try scan($0) }) { return end }
            guard buffer.count - position <= maximumRecordBytes else {
                throw CSVError(line: nextLine, reason: "the record is longer than \(maximumRecordBytes) bytes")
            }
            try refill()
        }
    }

    private func refill() throws {
        buffer.removeFirst(position)
        position = 0
        if let chunk = try source?() { buffer += chunk } else { ended = true }
    }

    private func skipByteOrderMark() throws {
        while buffer.count < 3 && !ended { try refill() }
        if buffer.starts(with: [0xEF, 0xBB, 0xBF]) { position = 3 }
        if buffer.starts(with: [0xFF, 0xFE]) || buffer.starts(with: [0xFE, 0xFF]) {
            throw CSVError(line: 1, reason: "the text is UTF-16; save it as UTF-8")
        }
    }

    /// Fills `fields`; returns the position after the record, or nil when its end is not in the buffer yet.
    private func scan(_ bytes: UnsafeBufferPointer<UInt8>) throws -> Int? {
        fields.removeAll(keepingCapacity: true)
        let count = bytes.count
        var at = position
        var lines = 1
        while true {
            if at < count && bytes[at] == CSVReader.quote {
                guard let field = try scanQuoted(bytes, from: at + 1, &lines) else { return nil }
                fields.append(field)
                at = field.end + 1
                if at >= count && !ended { return nil }
            } else {
                let start = at
                while at < count && bytes[at] != separator && bytes[at] != CSVReader.lineFeed
                    && bytes[at] != CSVReader.carriageReturn
                { at += 1 }
                if at >= count && !ended { return nil }
                fields.append(Field(start: start, end: at, hasEscapes: false))
            }
            if at < count && bytes[at] == separator {
                at += 1
                continue
            }
            if at < count {
                switch bytes[at] {
                case CSVReader.lineFeed: at += 1
                case CSVReader.carriageReturn:
                    if at + 1 >= count && !ended { return nil }
                    at += at + 1 < count && bytes[at + 1] == CSVReader.lineFeed ? 2 : 1
                default: throw CSVError(line: nextLine, reason: "text follows the closing quote of field \(fields.count)")
                }
            }
            lastRecordLines = lines
            nextLine += lines
            return at
        }
    }

    private func scanQuoted(_ bytes: UnsafeBufferPointer<UInt8>, from start: Int, _ lines: inout Int) throws -> Field? {
        var at = start
        var hasEscapes = false
        while at < bytes.count {
            if bytes[at] == CSVReader.quote {
                if at + 1 >= bytes.count && !ended { return nil }
                guard at + 1 < bytes.count && bytes[at + 1] == CSVReader.quote else {
                    return Field(start: start, end: at, hasEscapes: hasEscapes)
                }
                hasEscapes = true
                at += 1
            } else if bytes[at] == CSVReader.lineFeed {
                lines += 1
            }
            at += 1
        }
        if ended { throw CSVError(line: nextLine, reason: "the quote that opens field \(fields.count + 1) is never closed") }
        return nil
    }
}
