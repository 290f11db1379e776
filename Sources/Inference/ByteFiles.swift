// Whole files and descriptors as bytes: read all, write all, and replace a file so that no reader ever sees half of it.
import Foundation
import NeuralNetwork

/// Why a file could not be read or written, in words and as a kind that commands map to exit codes.
public struct FileError: Error, Equatable, CustomStringConvertible {
    public enum Kind: Sendable {
        /// There is no such file (EX_NOINPUT).
        case missing
        /// It exists and may not be read or written (EX_NOPERM).
        case permission
        /// The file cannot be made (EX_CANTCREAT).
        case cannotCreate
        /// Reading or writing failed on the way (EX_IOERR).
        case io
        /// The reader at the other end of a pipe has gone; not a failure.
        case closedPipe
    }

    public let kind: Kind
    public let description: String

    public init(_ kind: Kind, _ description: String) {
        self.kind = kind
        self.description = description
    }
}

public enum ByteFiles {
    /// All bytes of a file.
    ///
    /// Errors: ``FileError`` missing, permission, io.
    public static func read(_ path: String) throws(FileError) -> [UInt8] {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw readError(path) }
        defer { close(descriptor) }
        return try readAll(descriptor, name: path)
    }

    /// All bytes up to the end of an open descriptor.
    public static func readAll(_ descriptor: Int32, name: String) throws(FileError) -> [UInt8] {
        var bytes: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 1 << 16)
        while true {
            let count = chunk.withUnsafeMutableBytes { Foundation.read(descriptor, $0.baseAddress, $0.count) }
            if count == 0 { return bytes }
            if count < 0 {
                if errno == EINTR { continue }
                throw readError(name)
            }
            bytes.append(contentsOf: chunk[..<count])
        }
    }

    /// Writes all of `bytes`.
    ///
    /// Errors: ``FileError`` closedPipe when the reader has gone (SIGPIPE must be ignored), io otherwise.
    public static func write(_ bytes: [UInt8], to descriptor: Int32, name: String) throws(FileError) {
        var offset = 0
        while offset < bytes.count {
            let count = bytes.withUnsafeBytes { Foundation.write(descriptor, $0.baseAddress! + offset, $0.count - offset) }
            if count < 0 {
                if errno == EINTR { continue }
                if errno == EAGAIN {
                    // Another program that shares the descriptor may have set it so.
                    var request = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
                    _ = poll(&request, 1, -1)
                    continue
                }
                if errno == EPIPE { throw FileError(.closedPipe, "\(name): the reader has gone") }
                throw FileError(.io, "\(name): cannot write: \(reason())")
            }
            offset += count
        }
    }

    /// Puts `bytes` at `path` in one step: written beside it, synced, renamed. A device or pipe is written in place.
    ///
    /// Errors: ``FileError`` cannotCreate, permission, io.
    public static func replace(_ path: String, with bytes: [UInt8]) throws(FileError) {
        var status = stat()
        let exists = stat(path, &status) == 0
        if exists && status.st_mode & S_IFMT == S_IFDIR { throw FileError(.cannotCreate, "\(path) is a folder; name a file") }
        // A link stays a link: its target is replaced.
        let target = exists ? URL(fileURLWithPath: path).resolvingSymlinksInPath() : URL(fileURLWithPath: path)
        do { try AtomicFile.write(Data(bytes), to: target) } catch {
            errno = (error as? AtomicFile.Failure)?.code ?? EIO
            throw writeError(path)
        }
    }

    private static func reason() -> String { String(cString: strerror(errno)) }

    private static func readError(_ path: String) -> FileError {
        switch errno {
        case ENOENT, ENOTDIR: FileError(.missing, "\(path): no such file")
        case EISDIR: FileError(.missing, "\(path) is a folder; name a file")
        case EACCES, EPERM: FileError(.permission, "\(path): may not be read by this user")
        default: FileError(.io, "\(path): cannot read: \(reason())")
        }
    }

    private static func writeError(_ path: String) -> FileError {
        switch errno {
        case ENOENT, ENOTDIR: FileError(.cannotCreate, "\(path): its folder does not exist; make it first")
        case EACCES, EPERM, EROFS: FileError(.permission, "\(path): may not be written by this user")
        case EISDIR, EEXIST, ENAMETOOLONG, ELOOP: FileError(.cannotCreate, "\(path): cannot be made: \(reason())")
        default: FileError(.io, "\(path): cannot be written: \(reason())")
        }
    }
}
