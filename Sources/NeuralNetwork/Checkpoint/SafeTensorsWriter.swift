// Writing safetensors, and any other file that must never be seen half-written.
import Foundation

public enum SafeTensorsWriter {
    /// Writes F32 tensors in the order given, with sorted header keys and a header padded to 8 bytes; the same content gives
    /// the same bytes.
    ///
    /// Errors: ``CheckpointError/unwritable(_:_:)``; the old file, if any, is then untouched.
    public static func write(_ tensors: [(name: String, shape: [Int], values: [Float])], metadata: [String: String], to url: URL) throws {
        var offset = 0
        var header: [String: Any] = ["__metadata__": metadata.merging(["format": "pt"]) { $1 }]
        for (name, shape, values) in tensors {
            precondition(shape.reduce(1, *) == values.count, "'\(name)' of shape \(shape) has \(values.count) values")
            header[name] = ["dtype": "F32", "shape": shape, "data_offsets": [offset, offset + 4 * values.count]]
            offset += 4 * values.count
        }
        var json = try JSONSerialization.data(withJSONObject: header, options: [.sortedKeys, .withoutEscapingSlashes])
        json.append(contentsOf: [UInt8](repeating: UInt8(ascii: " "), count: (8 - json.count % 8) % 8))

        var file = Data(capacity: 8 + json.count + offset)
        withUnsafeBytes(of: UInt64(json.count).littleEndian) { file.append(contentsOf: $0) }
        file.append(json)
        for (_, _, values) in tensors { values.withUnsafeBytes { file.append(contentsOf: $0) } }
        do { try AtomicFile.write(file, to: url) } catch let error as AtomicFile.Failure {
            throw CheckpointError.unwritable(url.path, error.reason)
        }
    }
}

/// A file that is either the old one or the whole new one, also after a crash: temporary name, fsync, rename.
public enum AtomicFile {
    public struct Failure: Error, CustomStringConvertible {
        public let path: String
        public let code: Int32
        public var reason: String { String(cString: strerror(code)) }
        public var description: String { "\(path): cannot be written: \(reason)" }
    }

    public static func write(_ data: Data, to url: URL) throws {
        let temporary = url.path + ".tmp-\(getpid())"
        let descriptor = open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o644)
        guard descriptor >= 0 else { throw Failure(path: url.path, code: errno) }
        var failure: Int32 = 0
        data.withUnsafeBytes { bytes in
            var written = 0
            while written < bytes.count, failure == 0 {
                let count = Foundation.write(descriptor, bytes.baseAddress! + written, bytes.count - written)
                if count >= 0 { written += count } else if errno != EINTR { failure = errno }
            }
        }
        if failure == 0, fsync(descriptor) != 0 { failure = errno }
        if close(descriptor) != 0, failure == 0 { failure = errno }
        if failure == 0, rename(temporary, url.path) != 0 { failure = errno }
        guard failure == 0 else {
            unlink(temporary)
            throw Failure(path: url.path, code: failure)
        }
    }
}
