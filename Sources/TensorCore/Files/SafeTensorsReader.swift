// Reading safetensors: u64 little-endian header length N, N bytes of JSON, then the data. Everything in the header is
// checked before a byte of data is used, because the file may come from anywhere.
import Foundation

/// An open file: its entries and metadata, the data mapped.
public struct SafeTensorsFile: Sendable {
    public struct Entry: Equatable, Sendable {
        public let dtype: String
        public let shape: [Int]
        /// Relative to the start of the data.
        public let range: Range<Int>
    }

    public let url: URL
    public let entries: [String: Entry]
    public let metadata: [String: String]
    private let file: MappedFile
    private let dataStart: Int

    /// No header of ours comes near it; the reference's limit is 100 MB.
    static let maxHeaderBytes = 10 * 1024 * 1024
    static let itemSizes = [
        "F64": 8, "I64": 8, "U64": 8, "F32": 4, "I32": 4, "U32": 4, "F16": 2, "BF16": 2, "I16": 2, "U16": 2, "I8": 1, "U8": 1,
        "BOOL": 1,
    ]

    /// Maps and validates a file.
    ///
    /// Errors: ``SafeTensorsError``; the rejections are those of the reference implementation and duplicate keys.
    public init(_ url: URL) throws {
        self.url = url
        let path = url.path
        do { file = try MappedFile(path) } catch {
            throw [ENOENT, ENOTDIR, EISDIR].contains(error.code)
                ? SafeTensorsError.missing(path) : SafeTensorsError.unreadable(path, error.reason)
        }
        let data = file.bytes
        func reject(_ reason: String) -> SafeTensorsError { .malformed(path, reason) }

        if Self.looksLikePickle(data) { throw SafeTensorsError.pickle(path) }
        guard data.count >= 8 else { throw reject("only \(data.count) bytes; a safetensors file starts with an 8-byte length") }
        let length = data.prefix(8).reversed().reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
        guard length <= UInt64(Self.maxHeaderBytes) else {
            throw reject("the header claims \(length) bytes; at most \(Self.maxHeaderBytes) are read")
        }
        guard 8 + Int(length) <= data.count else { throw reject("the header claims \(length) bytes, the file has \(data.count)") }
        dataStart = 8 + Int(length)
        let header = UnsafeRawBufferPointer(rebasing: data[8..<dataStart])
        guard header.first == UInt8(ascii: "{") else { throw reject("the header is not a JSON object") }
        let json: HeaderJSON
        do { json = try HeaderJSON.parse(header) } catch let failure as HeaderJSON.Failure {
            throw reject("the header is not valid JSON: \(failure.reason) at its byte \(failure.offset)")
        }
        guard case .object(let members) = json else { throw reject("the header is not a JSON object") }

        var entries: [String: Entry] = [:]
        var metadata: [String: String] = [:]
        for member in members {
            if member.key == "__metadata__" {
                metadata = try Self.metadata(member.value, reject)
            } else {
                entries[member.key] = try Self.entry(member.key, member.value, reject)
            }
        }
        self.entries = entries
        self.metadata = metadata

        var end = 0
        for (name, entry) in entries.sorted(by: { ($0.value.range.lowerBound, $0.value.range.upperBound) < ($1.value.range.lowerBound, $1.value.range.upperBound) }) {
            guard entry.range.lowerBound == end else {
                throw reject("'\(name)' starts at byte \(entry.range.lowerBound) of the data, expected \(end): \(entry.range.lowerBound < end ? "overlap" : "hole")")
            }
            end = entry.range.upperBound
        }
        // Not dataStart + end, which a hostile offset may overflow.
        guard end == data.count - dataStart else {
            throw reject("the tensors end at byte \(end) of the data, the file at \(data.count - dataStart): truncated or followed by other data")
        }
    }

    /// A zip or a pickle, unless its first bytes are a header's length that happens to begin alike and a header follows.
    private static func looksLikePickle(_ data: UnsafeRawBufferPointer) -> Bool {
        guard data.starts(with: Array("PK".utf8)) || data.first == 0x80 else { return false }
        let bytes = Array(data.prefix(9))
        let isHeader = bytes.count == 9 && bytes[4..<8].allSatisfy { $0 == 0 } && bytes[8] == UInt8(ascii: "{")
        return !isHeader
    }

    private static func metadata(_ value: HeaderJSON, _ reject: (String) -> SafeTensorsError) throws -> [String: String] {
        guard case .object(let members) = value else { throw reject("__metadata__ is not an object") }
        var metadata: [String: String] = [:]
        for member in members {
            guard case .string(let text) = member.value else {
                throw reject("__metadata__ holds something that is not a string: '\(member.key)'")
            }
            metadata[member.key] = text
        }
        return metadata
    }

    private static func entry(_ name: String, _ value: HeaderJSON, _ reject: (String) -> SafeTensorsError) throws -> Entry {
        guard case .string(let dtype) = value["dtype"], case .array(let sizes) = value["shape"],
            case .array(let limits) = value["data_offsets"]
        else { throw reject("'\(name)' lacks dtype, shape or data_offsets") }
        guard let itemSize = itemSizes[dtype] else { throw reject("'\(name)' has the unknown dtype \(dtype)") }
        guard let shape = integers(sizes) else { throw reject("'\(name)' has an impossible shape: only integers from 0 on are sizes") }
        guard let offsets = integers(limits), offsets.count == 2, offsets[0] <= offsets[1] else {
            throw reject("'\(name)' has impossible data_offsets: they must be its begin and its end")
        }
        var bytes = itemSize
        for size in shape {
            let (product, overflow) = bytes.multipliedReportingOverflow(by: size)
            guard !overflow else { throw reject("'\(name)' has the impossible shape \(shape)") }
            bytes = product
        }
        guard bytes == offsets[1] - offsets[0] else {
            throw reject("'\(name)' of \(dtype) \(shape) needs \(bytes) bytes, its offsets give \(offsets[1] - offsets[0])")
        }
        return Entry(dtype: dtype, shape: shape, range: offsets[0]..<offsets[1])
    }

    private static func integers(_ elements: [HeaderJSON]) -> [Int]? {
        var integers: [Int] = []
        for element in elements {
            guard case .integer(let integer) = element else { return nil }
            integers.append(integer)
        }
        return integers
    }

    /// The values of an F32 tensor of the expected shape.
    public func floats(_ name: String, shape: [Int]) throws -> [Float] {
        guard let entry = entries[name] else {
            throw SafeTensorsError.malformed(url.path, "the tensor '\(name)' is missing")
        }
        guard entry.dtype == "F32", entry.shape == shape else {
            throw SafeTensorsError.malformed(
                url.path, "'\(name)' is \(entry.dtype) \(entry.shape), this model needs F32 \(shape)")
        }
        return [Float](unsafeUninitializedCapacity: entry.range.count / 4) { values, count in
            UnsafeMutableRawBufferPointer(values).copyMemory(from: bytes(entry))
            count = entry.range.count / 4
        }
    }

    /// The bytes of an entry, mapped: valid while this value, or a copy of it, lives.
    public func bytes(_ entry: Entry) -> UnsafeRawBufferPointer {
        UnsafeRawBufferPointer(start: file.start + dataStart + entry.range.lowerBound, count: entry.range.count)
    }
}
