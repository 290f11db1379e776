// Writing a file that must never be seen half-written.
import Foundation

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
