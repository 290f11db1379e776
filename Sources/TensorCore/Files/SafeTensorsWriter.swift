// Writing safetensors: u64 little-endian header length, JSON, then the data without holes.
import Foundation

public enum SafeTensorsWriter {
    /// Writes F32 tensors in the order given, with sorted header keys and a header padded to 8 bytes; the same content gives
    /// the same bytes.
    ///
    /// Errors: ``SafeTensorsError/unwritable(_:_:)``; the old file, if any, is then untouched.
    public static func write(_ tensors: [(name: String, shape: [Int], values: [Float])], metadata: [String: String], to url: URL) throws {
        for (name, shape, values) in tensors {
            precondition(shape.reduce(1, *) == values.count, "'\(name)' of shape \(shape) has \(values.count) values")
        }
        var file = try header(tensors.map { ($0.name, "F32", $0.shape) }, metadata: metadata)
        file.reserveCapacity(file.count + tensors.reduce(0) { $0 + 4 * $1.values.count })
        for (_, _, values) in tensors { values.withUnsafeBytes { file.append(contentsOf: $0) } }
        do { try AtomicFile.write(file, to: url) } catch let error as AtomicFile.Failure {
            throw SafeTensorsError.unwritable(url.path, error.reason)
        }
    }

    /// The head of a file whose tensors follow in the order given: length, JSON with sorted keys, blanks up to a multiple of 8.
    ///
    /// For 8-byte aligned data, put tensors of wide elements before those of narrow ones. A `minimumLength` makes room in the JSON
    /// for values that are not known yet.
    public static func header(
        _ tensors: [(name: String, dtype: String, shape: [Int])], metadata: [String: String], minimumLength: Int = 0
    ) throws -> Data {
        var offset = 0
        var header: [String: Any] = ["__metadata__": metadata.merging(["format": "pt"]) { $1 }]
        for (name, dtype, shape) in tensors {
            guard let size = SafeTensorsFile.itemSizes[dtype] else { preconditionFailure("'\(name)' has the unknown dtype \(dtype)") }
            let end = offset + shape.reduce(size, *)
            header[name] = ["dtype": dtype, "shape": shape, "data_offsets": [offset, end]]
            offset = end
        }
        var json = try JSONSerialization.data(withJSONObject: header, options: [.sortedKeys, .withoutEscapingSlashes])
        let length = (max(json.count, minimumLength) + 7) / 8 * 8
        json.append(contentsOf: [UInt8](repeating: UInt8(ascii: " "), count: length - json.count))
        var head = Data(capacity: 8 + json.count)
        withUnsafeBytes(of: UInt64(json.count).littleEndian) { head.append(contentsOf: $0) }
        head.append(json)
        return head
    }
}
