// SIGINT and SIGTERM ask; the command finishes what it has in hand, saves, and exits 130 or 143.
import Inference
import Synchronization

enum Interruption {
    private static let received = Atomic<Int32>(0)

    /// From now on the first signal is noted, and told to `body`, instead of ending the process; a second one ends it.
    static func install(_ body: @escaping @Sendable () -> Void = {}) {
        StopSignals.handle { number in
            received.store(number, ordering: .relaxed)
            body()
        }
    }

    static var isRequested: Bool { received.load(ordering: .relaxed) != 0 }

    /// The exit code of the signal that came: 128 + its number.
    static var exitCode: Int32 { 128 + received.load(ordering: .relaxed) }
}
