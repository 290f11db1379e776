// The list of refused images: one entry per file, in the order in which training met them, never a substitute.
import Foundation
import Synchronization

/// Thread-safe. The order of entries does not depend on the number of workers.
public final class BadImageLog: Sendable {
    public struct Entry: Codable, Equatable, Sendable {
        public let file: String
        public let code: ImageErrorCode
        public let message: String
    }

    private struct State {
        var entries: [Entry] = []
        var files: Set<String> = []
    }

    private let state = Mutex(State())

    public init() {}

    /// Adds the file unless it is in the list already; says whether it was new.
    @discardableResult
    public func add(_ error: ImageError) -> Bool {
        state.withLock { state in
            guard state.files.insert(error.name).inserted else { return false }
            state.entries.append(Entry(file: error.name, code: error.code, message: error.detail))
            return true
        }
    }

    public var entries: [Entry] { state.withLock { $0.entries } }

    /// Number of different files.
    public var count: Int { state.withLock { $0.entries.count } }

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
