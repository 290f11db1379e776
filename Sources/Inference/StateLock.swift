// Who may write to a state file: one stream at a time, over all processes and within one.
import Foundation

/// The lock that keeps a second writer out: on the file itself, so that nothing is left behind, of a kind that SQLite does not use,
/// and gone with the process, however that ends.
final class StateLock: Sendable {
    /// The states that this process writes to. Opening and closing such a file beside SQLite would drop SQLite's own locks on it:
    /// POSIX locks end with the first close of any descriptor of the file.
    private static let written = Monitor(Set<FileIdentity>())
    /// A reader holds the lock while it copies the file, and a killed writer until the kernel has taken it down.
    private static let patience = Duration.seconds(2)

    private let descriptor: Int32
    private let identity: FileIdentity

    /// Makes the file if there is none.
    ///
    /// Errors: ``StateError`` busy, permission, cannotCreate, io.
    init(path: String) throws(StateError) {
        let deadline = ContinuousClock.now + Self.patience
        while true {
            if let (descriptor, identity) = try Self.attempt(path) {
                (self.descriptor, self.identity) = (descriptor, identity)
                return
            }
            guard ContinuousClock.now < deadline else { throw Self.busy(path, "another facefair is writing to it") }
            usleep(20_000)
        }
    }

    deinit {
        close(descriptor)
        Self.written.update { [identity] in _ = $0.remove(identity) }
    }

    private static func busy(_ path: String, _ reason: String) -> StateError {
        StateError(.busy, "--state \(path): \(reason); one stream has one writer, so stop that one or take another file")
    }

    /// nil while another process has it.
    private static func attempt(_ path: String) throws(StateError) -> (Int32, FileIdentity)? {
        try written.update { written -> Result<(Int32, FileIdentity)?, StateError> in
            if let identity = FileIdentity(path), written.contains(identity) {
                return .failure(busy(path, "a stream of this process is writing to it"))
            }
            let descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
            guard descriptor >= 0, let identity = FileIdentity(descriptor) else { return .failure(openError(path)) }
            guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else {
                let failure = errno
                close(descriptor)
                return failure == EWOULDBLOCK
                    ? .success(nil) : .failure(StateError(.io, "--state \(path): cannot be locked: \(String(cString: strerror(failure)))"))
            }
            written.insert(identity)
            return .success((descriptor, identity))
        }.get()
    }

    private static func openError(_ path: String) -> StateError {
        let reason = String(cString: strerror(errno))
        return switch errno {
        case EACCES, EPERM, EROFS: StateError(.permission, "--state \(path): may not be written by this user")
        case ENOENT, ENOTDIR, EISDIR, ENAMETOOLONG, ELOOP: StateError(.cannotCreate, "--state \(path): cannot be made: \(reason)")
        default: StateError(.io, "--state \(path): \(reason)")
        }
    }

    /// Runs `body` while nobody can begin to write; nil while somebody writes. The file itself need not be writable.
    static func withoutWriters<Result: Sendable>(_ path: String, _ body: () throws -> Result) throws -> Result? {
        let descriptor = written.update { written -> Int32? in
            if let identity = FileIdentity(path), written.contains(identity) { return nil }
            return open(path, O_RDONLY | O_CLOEXEC)
        }
        guard let descriptor else { return nil }
        guard descriptor >= 0 else { throw StateError(.io, "\(path): cannot be opened: \(String(cString: strerror(errno)))") }
        defer { close(descriptor) }
        return flock(descriptor, LOCK_SH | LOCK_NB) == 0 ? try body() : nil
    }
}

/// Tells whether two paths are one file.
private struct FileIdentity: Hashable, Sendable {
    private let device: UInt64, number: UInt64

    init?(_ path: String) {
        var status = stat()
        guard stat(path, &status) == 0 else { return nil }
        self.init(status)
    }

    init?(_ descriptor: Int32) {
        var status = stat()
        guard fstat(descriptor, &status) == 0 else { return nil }
        self.init(status)
    }

    private init(_ status: stat) { (device, number) = (UInt64(status.st_dev), UInt64(status.st_ino)) }
}
