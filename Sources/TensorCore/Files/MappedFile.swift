// A file's bytes in memory without reading them: the system loads pages when they are touched and drops them when it needs room.
import Foundation

/// Read-only; lives until the last owner lets go. A file that another process shortens meanwhile ends this one (SIGBUS), as with
/// every mapping, so files that facefair writes are replaced, never changed.
public final class MappedFile: Sendable {
    public let count: Int
    /// Valid while the object lives.
    public nonisolated(unsafe) let start: UnsafeRawPointer
    private let isMapped: Bool

    /// Why a file could not be mapped.
    public struct Failure: Error, CustomStringConvertible {
        public let path: String
        public let code: Int32
        public var reason: String { String(cString: strerror(code)) }
        public var description: String { "\(path): cannot be read: \(reason)" }
    }

    /// Errors: ``Failure`` with errno; ENOENT for what is not a regular file.
    public init(_ path: String) throws(Failure) {
        // O_NONBLOCK: a named pipe must not hang the caller.
        let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
        guard descriptor >= 0 else { throw Failure(path: path, code: errno) }
        defer { close(descriptor) }
        var status = stat()
        guard fstat(descriptor, &status) == 0 else { throw Failure(path: path, code: errno) }
        guard status.st_mode & S_IFMT == S_IFREG else { throw Failure(path: path, code: ENOENT) }
        count = Int(status.st_size)
        isMapped = count > 0
        guard isMapped else {
            start = UnsafeRawPointer(UnsafeMutableRawPointer.allocate(byteCount: 1, alignment: 1))
            return
        }
        guard let address = mmap(nil, count, PROT_READ, MAP_SHARED, descriptor, 0), address != MAP_FAILED else {
            throw Failure(path: path, code: errno)
        }
        start = UnsafeRawPointer(address)
    }

    deinit {
        let memory = UnsafeMutableRawPointer(mutating: start)
        if isMapped { munmap(memory, count) } else { memory.deallocate() }
    }

    public var bytes: UnsafeRawBufferPointer { UnsafeRawBufferPointer(start: start, count: count) }
}
