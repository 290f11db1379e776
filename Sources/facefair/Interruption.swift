// SIGINT and SIGTERM ask; the command finishes what it has in hand, saves, and exits 130 or 143.
import Foundation
import Synchronization

enum Interruption {
    private static let received = Atomic<Int32>(0)

    /// From now on the two signals are noted instead of ending the process; a second one ends it.
    static func install() {
        for number in [SIGINT, SIGTERM] {
            signal(number) { number in
                Interruption.received.store(number, ordering: .relaxed)
                signal(number, SIG_DFL)
            }
        }
    }

    static var isRequested: Bool { received.load(ordering: .relaxed) != 0 }

    /// The exit code of the signal that came.
    static var status: ExitStatus { received.load(ordering: .relaxed) == SIGTERM ? .terminated : .interrupted }
}
