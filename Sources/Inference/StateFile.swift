// The tables of a state file and the statements on them.
import Fairness
import Foundation
import GRDB

/// What a state file says apart from the kept answers.
public struct SavedStream: Sendable {
    public internal(set) var binding: StateBinding
    /// The algorithm's own state, as JSON.
    public internal(set) var online: Data
    public internal(set) var totals: StreamSummary
    /// The number of the next new record.
    public internal(set) var nextSequence = 0
    public internal(set) var sources: [SavedSource] = []
    /// When it was last written, as SQLite spells it (UTC).
    public internal(set) var updated = ""
    public internal(set) var keptAnswers = 0

    init(binding: StateBinding, online: Data) {
        self.binding = binding
        self.online = online
        totals = StreamSummary(groupCount: binding.features.groupCount)
    }

    /// Errors: ``StateError`` unusable.
    package func decodedOnline(_ path: String) throws -> OnlineFairness {
        do { return try JSONDecoder().decode(OnlineFairness.self, from: online) } catch {
            throw StateError(.unusable, "\(path): its online state cannot be read: \(error)")
        }
    }
}

/// How far one source was read.
public struct SavedSource: Codable, Equatable, Sendable {
    public let name: String
    public let records: Int
    /// nil where records have ids instead.
    public let lastOffset: Int?
}

extension JSONEncoder {
    package static var state: JSONEncoder {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        return encoder
    }
}

enum StateFile {
    static let version = 1
    /// "FFst": tells a state file from other SQLite files.
    static let applicationID = 0x4646_7374

    /// Runs `body` and turns what SQLite throws into a ``StateError`` about `path`.
    static func translating<Result>(_ path: String, _ body: () throws -> Result) throws(StateError) -> Result {
        do { return try body() } catch let error as StateError { throw error } catch let error as DatabaseError {
            let detail = error.message ?? "\(error.resultCode)"
            switch error.resultCode {
            case .SQLITE_NOTADB: throw StateError(.unusable, "\(path): not a state file of facefair; name another one")
            case .SQLITE_CORRUPT: throw StateError(.unusable, "\(path): damaged (\(detail)); start a new state file")
            case .SQLITE_BUSY, .SQLITE_LOCKED: throw StateError(.busy, "\(path): another program holds it (\(detail)); try again")
            case .SQLITE_FULL: throw StateError(.io, "\(path): the disk is full; make room and start again, nothing unanswered was counted")
            case .SQLITE_CANTOPEN: throw StateError(.cannotCreate, "\(path): cannot be opened (\(detail))")
            case .SQLITE_READONLY, .SQLITE_PERM: throw StateError(.permission, "\(path): may not be written (\(detail))")
            default: throw StateError(.io, "\(path): \(detail)")
            }
        } catch let error as CocoaError {
            throw StateError(.io, "\(path): \(error.localizedDescription)")
        } catch { throw StateError(.io, "\(path): \(error)") }
    }

    /// Opens for writing, and makes the tables of a new file.
    static func open(_ path: String) throws -> DatabaseQueue {
        var configuration = Configuration()
        // A reader may hold a lock for a moment: see StateReading.swift.
        configuration.busyMode = .timeout(10)
        let queue = try DatabaseQueue(path: path, configuration: configuration)
        try queue.writeWithoutTransaction { database in
            let tables = try Int.fetchOne(database, sql: "SELECT count(*) FROM sqlite_master") ?? 0
            if tables > 0 { try check(database, path: path) }
            // FULL: a commit is on disk when it returns. With NORMAL, which is usual with WAL, a power cut loses the last ones.
            try database.execute(sql: "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL")
            guard tables == 0 else { return }
            try database.inTransaction {
                try database.execute(
                    sql: """
                        PRAGMA application_id = \(applicationID);
                        PRAGMA user_version = \(version);
                        CREATE TABLE stream (
                            id INTEGER PRIMARY KEY CHECK (id = 1), binding TEXT NOT NULL, online TEXT NOT NULL, totals TEXT NOT NULL,
                            next_sequence INTEGER NOT NULL, updated TEXT NOT NULL, checksum TEXT NOT NULL);
                        CREATE TABLE sources (name TEXT PRIMARY KEY, records INTEGER NOT NULL, last_offset INTEGER) WITHOUT ROWID;
                        CREATE TABLE answers (
                            first_sequence INTEGER PRIMARY KEY, count INTEGER NOT NULL, heads BLOB NOT NULL, tail BLOB NOT NULL, places BLOB NOT NULL);
                        """)
                return .commit
            }
        }
        return queue
    }

    /// Errors: ``StateError`` when the file is another program's or another version's.
    static func check(_ database: Database, path: String) throws {
        guard try Int.fetchOne(database, sql: "PRAGMA application_id") == applicationID else {
            throw StateError(.unusable, "\(path): a database of another program, not a state file of facefair; name another one")
        }
        let found = try Int.fetchOne(database, sql: "PRAGMA user_version") ?? 0
        guard found == version else {
            throw StateError(.unusable, "\(path): a state of version \(found); this facefair reads version \(version)")
        }
    }

    // MARK: Reading

    static func load(_ database: Database, path: String) throws -> SavedStream? {
        guard let row = try Row.fetchOne(database, sql: "SELECT * FROM stream") else { return nil }
        let binding: Data = row["binding"], online: Data = row["online"], totals: Data = row["totals"]
        let next: Int = row["next_sequence"]
        guard row["checksum"] == checksum(binding, online, totals, next) else {
            throw StateError(.unusable, "\(path): its checksum does not fit, so it was changed by hand or damaged; start a new state file")
        }
        do {
            var saved = SavedStream(binding: try JSONDecoder().decode(StateBinding.self, from: binding), online: online)
            saved.totals = try JSONDecoder().decode(StreamSummary.self, from: totals)
            saved.nextSequence = next
            saved.updated = row["updated"]
            saved.sources = try Row.fetchAll(database, sql: "SELECT * FROM sources ORDER BY name").map {
                SavedSource(name: $0["name"], records: $0["records"], lastOffset: $0["last_offset"])
            }
            saved.keptAnswers = try Int.fetchOne(database, sql: "SELECT total(count) FROM answers") ?? 0
            return saved
        } catch let error as DecodingError {
            throw StateError(.unusable, "\(path): cannot be read: \(error)")
        }
    }

    /// The places of all kept answers.
    static func index(_ database: Database, window: Int, sources: [SavedSource]) throws -> ReplayIndex {
        var offsets: [String: Int] = [:]
        for source in sources { offsets[source.name] = source.lastOffset }
        var index = ReplayIndex(window: window, lastOffsets: offsets)
        let rows = try Row.fetchCursor(database, sql: "SELECT first_sequence, places FROM answers ORDER BY first_sequence")
        while let row = try rows.next() {
            var sequence: Int = row["first_sequence"]
            let places: Data = row["places"]
            for line in [UInt8](places).split(separator: 0x0A, omittingEmptySubsequences: false).dropLast() {
                var retryable = false
                if let place = ReplayPlace(decoding: line, retryable: &retryable) {
                    index.add(place, sequence: sequence)
                    if retryable { index.allowRetry([place]) }
                }
                sequence += 1
            }
        }
        return index
    }

    static func answers(_ database: Database, holding sequence: Int) throws -> KeptAnswers? {
        let row = try Row.fetchOne(
            database, sql: "SELECT * FROM answers WHERE first_sequence <= ? ORDER BY first_sequence DESC LIMIT 1", arguments: [sequence])
        guard let row else { return nil }
        let heads: Data = row["heads"], tail: Data = row["tail"], places: Data = row["places"]
        return KeptAnswers(
            firstSequence: row["first_sequence"], count: row["count"], heads: [UInt8](heads), tail: [UInt8](tail), places: [UInt8](places))
    }

    // MARK: Writing

    static func save(_ stream: SavedStream, in database: Database) throws {
        try save(
            binding: stream.binding, online: stream.online, totals: JSONEncoder.state.encode(stream.totals), next: stream.nextSequence, in: database)
    }

    static func save(binding: StateBinding, online: Data, totals: Data, next: Int, in database: Database) throws {
        let binding = try JSONEncoder.state.encode(binding)
        func text(_ data: Data) -> String { String(decoding: data, as: UTF8.self) }
        let statement = try database.cachedStatement(
            sql: "INSERT OR REPLACE INTO stream VALUES (1, ?, ?, ?, ?, strftime('%Y-%m-%dT%H:%M:%fZ'), ?)")
        try statement.execute(arguments: [text(binding), text(online), text(totals), next, checksum(binding, online, totals, next)])
    }

    static func insert(_ kept: KeptAnswers, in database: Database) throws {
        let statement = try database.cachedStatement(sql: "INSERT INTO answers VALUES (?, ?, ?, ?, ?)")
        try statement.execute(arguments: [kept.firstSequence, kept.count, Data(kept.heads), Data(kept.tail), Data(kept.places)])
    }

    static func add(_ count: SourceCount, to name: String, in database: Database) throws {
        let statement = try database.cachedStatement(
            sql: """
                INSERT INTO sources VALUES (?1, ?2, ?3)
                ON CONFLICT (name) DO UPDATE SET records = records + ?2, last_offset = max(coalesce(last_offset, ?3), ?3)
                """)
        try statement.execute(arguments: [name, count.records, count.lastOffset])
    }

    /// Keeps the batch that record `sequence` is in.
    static func forgetAnswers(before sequence: Int, in database: Database) throws {
        guard sequence > 0 else { return }
        let statement = try database.cachedStatement(
            sql: "DELETE FROM answers WHERE first_sequence < (SELECT max(first_sequence) FROM answers WHERE first_sequence <= ?)")
        try statement.execute(arguments: [sequence])
    }

    private static func checksum(_ binding: Data, _ online: Data, _ totals: Data, _ next: Int) -> String {
        fingerprint(binding + online + totals + Data("\(next)".utf8))
    }
}
