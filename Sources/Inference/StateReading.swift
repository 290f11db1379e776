// Reading a state from outside: beside a live stream, and after a crash. The file stays as it is in either case.
import Foundation
import GRDB

extension SavedStream {
    /// Reads a state file, also one that a stream is writing to or was writing to when it was killed, and leaves it as it is.
    ///
    /// Errors: ``StateError``.
    public init(reading path: String) throws(StateError) {
        guard access(path, F_OK) == 0 else { throw StateError(.missing, "\(path): no such file") }
        guard access(path, R_OK) == 0 else { throw StateError(.permission, "\(path): may not be read by this user") }
        var status = stat()
        guard stat(path, &status) == 0, status.st_mode & S_IFMT == S_IFREG else {
            throw StateError(.unusable, "\(path): not a regular file, so not a state file of facefair; name another one")
        }
        let saved = try StateFile.translating(path) {
            try StateFile.read(path) { database -> SavedStream? in
                // A process that ended before its first commit leaves an empty file.
                guard try Int.fetchOne(database, sql: "SELECT count(*) FROM sqlite_master") != 0 else { return nil }
                try StateFile.check(database, path: path)
                return try StateFile.load(database, path: path)
            }
        }
        guard let saved else { throw StateError(.unusable, "\(path): holds no stream yet") }
        self = saved
    }
}

extension StateFile {
    /// A killed writer leaves SQLite work: commits in the write-ahead log that are not in the index of that log, or the rollback journal
    /// of the file's first page. The next writer does that work, but a connection that may not write cannot ("attempt to write a
    /// readonly database"), and one that may would change the file. So where nobody writes, a private copy is read; it is made in an
    /// instant in which nobody can begin to write. Where somebody writes, SQLite shares the file, and nothing is left to be done.
    fileprivate static func read<Result: Sendable>(_ path: String, _ body: (Database) throws -> Result) throws -> Result {
        let deadline = ContinuousClock.now + .seconds(5)
        while true {
            let folder = FileManager.default.temporaryDirectory.appendingPathComponent("facefair-state-\(UUID().uuidString)")
            defer { try? FileManager.default.removeItem(at: folder) }
            if let copy = try StateLock.withoutWriters(path, { try copy(path, to: folder) }) {
                return try DatabaseQueue(path: copy).read(body)
            }
            do {
                var configuration = Configuration()
                configuration.readonly = true
                configuration.busyMode = .timeout(5)
                return try DatabaseQueue(path: path, configuration: configuration).read(body)
            } catch let error as DatabaseError where [.SQLITE_READONLY, .SQLITE_CANTOPEN, .SQLITE_BUSY].contains(error.resultCode) {
                // The writer has only just begun and has that work before it, or it has just ended and cleared up.
                guard ContinuousClock.now < deadline else { throw error }
                usleep(20_000)
            }
        }
    }

    /// The file and what belongs to it, but for the index of the log, which SQLite makes anew.
    private static func copy(_ path: String, to folder: URL) throws -> String {
        let manager = FileManager.default
        try manager.createDirectory(at: folder, withIntermediateDirectories: false, attributes: [.posixPermissions: 0o700])
        // SQLite puts the log beside the file itself, not beside a link to it.
        let source = URL(fileURLWithPath: path).resolvingSymlinksInPath().path
        let target = folder.appendingPathComponent("state").path
        for suffix in ["", "-journal", "-wal"] where suffix.isEmpty || manager.fileExists(atPath: source + suffix) {
            try Data(contentsOf: URL(fileURLWithPath: source + suffix), options: .mappedIfSafe).write(to: URL(fileURLWithPath: target + suffix))
        }
        return target
    }
}
