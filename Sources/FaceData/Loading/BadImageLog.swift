// The list of images that were refused, and of those that a lenient decoder accepted in spite of warnings: one entry per file, in
// the order in which training met them, never a substitute.
import Foundation
import Synchronization

/// Thread-safe. The order of entries does not depend on the number of workers.
public final class BadImageLog: Sendable {
    public struct Entry: Codable, Equatable, Sendable {
        public let file: String
        public let code: ImageErrorCode
        public let message: String
        /// Of a file that a lenient decoder read all the same: how many warnings it raised. nil for a refused one.
        public let warnings: Int?
    }

    private struct State {
        var entries: [Entry] = []
        var files: Set<String> = []
        var refused = 0
    }

    private let state = Mutex(State())

    public init() {}

    /// Adds a refused file unless it is in the list already; says whether it was new.
    @discardableResult
    public func add(_ error: ImageError) -> Bool {
        add(Entry(file: error.name, code: error.code, message: error.detail, warnings: nil))
    }

    /// Adds a file that was accepted with warnings, unless it is in the list already; says whether it was new.
    @discardableResult
    public func add(_ warning: ImageWarning) -> Bool {
        add(Entry(file: warning.name, code: .corrupt, message: warning.first, warnings: warning.count))
    }

    private func add(_ entry: Entry) -> Bool {
        state.withLock { state in
            guard state.files.insert(entry.file).inserted else { return false }
            state.entries.append(entry)
            if entry.warnings == nil { state.refused += 1 }
            return true
        }
    }

    public var entries: [Entry] { state.withLock { $0.entries } }

    /// Number of refused files; --max-errors bounds it.
    public var count: Int { state.withLock { $0.refused } }

    /// Number of files accepted with warnings.
    public var warningCount: Int { state.withLock { $0.entries.count - $0.refused } }

    /// Writes one JSON object per line, in one step (bad_images.jsonl of a run folder); writes an empty file when nothing was refused.
    public func write(to url: URL) throws {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        var lines = Data()
        for entry in entries {
            lines += try encoder.encode(entry)
            lines.append(UInt8(ascii: "\n"))
        }
        try lines.write(to: url, options: .atomic)
    }
}
