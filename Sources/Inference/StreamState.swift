// The durable state of a stream: one SQLite file with the algorithm's state, the counters, how far each source was read, and the
// answers that a replay may ask for. Everything a batch changes is written in one transaction before its answers leave.
import Foundation
import GRDB

/// An open state file. One process at a time; the lock goes with the process, however it ends.
public final class StreamState: Sendable {
    public let path: String
    /// What the file held when it was opened.
    let saved: SavedStream
    let index: ReplayIndex

    private let database: DatabaseQueue
    private let lock: StateLock
    private let window: Int

    /// Opens or makes the file and binds it.
    ///
    /// With `adopt`, a state of another model file is taken over as it stands; its groups and settings must agree all the same.
    /// Errors: ``StateError``.
    public init(path: String, binding: StateBinding, settings: StreamSettings, adopt: Bool = false) throws(StateError) {
        self.path = path
        window = settings.identity == .none ? 0 : settings.replayWindow
        lock = try StateLock(path: path)
        let window = window
        do {
            (database, saved, index) = try StateFile.translating(path) {
                let database = try StateFile.open(path)
                var saved = try database.read { try StateFile.load($0, path: path) }
                if var found = saved {
                    let differences = binding.differences(from: found.binding)
                    guard differences.isEmpty else {
                        throw StateError(
                            .mismatch,
                            "\(path): made with \(differences.joined(separator: ", ")); go on with the same, or start a new state file")
                    }
                    if found.binding != binding {
                        guard adopt || found.binding.modelHash == binding.modelHash else {
                            throw StateError(
                                .mismatch,
                                "\(path): belongs to the model \(found.binding.modelName) (\(found.binding.modelHash)), this is \(binding.modelName) (\(binding.modelHash)); name that model, start a new state file, or take the state over with --adopt-state"
                            )
                        }
                        found.binding = binding
                        saved = found
                    }
                }
                let stream =
                    try saved ?? SavedStream(binding: binding, online: JSONEncoder.state.encode(settings.start(groupCount: binding.features.groupCount)))
                // Decoded here so that a damaged state is found before the first record is read.
                _ = try stream.decodedOnline(path)
                try database.write { try StateFile.save(stream, in: $0) }
                let index = try database.read { try StateFile.index($0, window: window, sources: stream.sources) }
                return (database, stream, index)
            }
        } catch { throw error }
    }

    /// Before the lock goes, which is a descriptor of the same file.
    deinit { try? database.close() }

    /// Writes what the batches changed, all of it or nothing, and returns when it is on disk.
    ///
    /// Errors: ``StateError`` io.
    func commit(_ batches: [DurableBatch]) throws(StateError) {
        guard let last = batches.last else { return }
        try StateFile.translating(path) {
            let online = try JSONEncoder.state.encode(last.online)
            let totals = try JSONEncoder.state.encode(last.totals)
            try database.write { database in
                for batch in batches {
                    if let kept = batch.kept { try StateFile.insert(kept, in: database) }
                    for (name, count) in batch.sources { try StateFile.add(count, to: name, in: database) }
                }
                try StateFile.save(binding: saved.binding, online: online, totals: totals, next: last.nextSequence, in: database)
                if window > 0 { try StateFile.forgetAnswers(before: last.nextSequence - window, in: database) }
            }
        }
    }

    /// The kept answers of the batch that has record `sequence`, nil when they are gone.
    func answers(holding sequence: Int) throws(StateError) -> KeptAnswers? {
        try StateFile.translating(path) { try database.read { try StateFile.answers($0, holding: sequence) } }
    }
}
