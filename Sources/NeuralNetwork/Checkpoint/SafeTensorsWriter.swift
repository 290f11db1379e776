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

    /// Errors: throws ``Failure``; the old file, if any, is then untouched. A device or pipe (`/dev/null`, `/dev/stdout`) is written
    /// as it is: a rename would put a file in its place.
    public static func write(_ data: Data, to url: URL) throws {
        var status = stat()
        let isSpecial = stat(url.path, &status) == 0 && ![S_IFREG, S_IFDIR].contains(status.st_mode & S_IFMT)
        let target = isSpecial ? url.path : url.path + ".tmp-\(getpid())"
        if !isSpecial { unlink(target) }  // what a killed process of the same id left; O_EXCL then follows no link
        let descriptor = open(target, O_WRONLY | O_CLOEXEC | (isSpecial ? 0 : O_CREAT | O_EXCL), 0o644)
        guard descriptor >= 0 else { throw Failure(path: url.path, code: errno) }
        var failure = append(data, to: descriptor)
        if failure == 0, !isSpecial, fsync(descriptor) != 0 { failure = errno }
        if close(descriptor) != 0, failure == 0 { failure = errno }
        if failure == 0, !isSpecial, rename(target, url.path) != 0 { failure = errno }
        guard failure == 0 else {
            if !isSpecial { unlink(target) }
            throw Failure(path: url.path, code: failure)
        }
        if !isSpecial { syncFolder(of: url) }
    }

    /// Returns errno, 0 when everything is written.
    private static func append(_ data: Data, to descriptor: Int32) -> Int32 {
        data.withUnsafeBytes { bytes in
            var written = 0
            while written < bytes.count {
                let count = Foundation.write(descriptor, bytes.baseAddress! + written, bytes.count - written)
                if count > 0 { written += count } else if count == 0 { return ENOSPC } else if errno != EINTR { return errno }
            }
            return 0
        }
    }

    /// Makes the rename itself survive a power cut. Some file systems cannot fsync a folder, which is no reason to fail.
    private static func syncFolder(of url: URL) {
        let descriptor = open(url.deletingLastPathComponent().path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard descriptor >= 0 else { return }
        _ = fsync(descriptor)
        _ = close(descriptor)
    }
}
