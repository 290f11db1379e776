// SIGINT and SIGTERM as a request: the first one is reported to a callback, the second one ends the process as usual.
import Foundation

/// The writing end of the pipe that the handler tells; -1 before ``StopSignals/handle(_:)``.
/// A signal handler can reach nothing but globals. It is written once, before the handler is installed.
private nonisolated(unsafe) var signalPipe: Int32 = -1

public enum StopSignals {
    /// Calls `body` on a thread of its own with the number of the first SIGINT or SIGTERM. To be called once per process.
    public static func handle(_ body: @escaping @Sendable (Int32) -> Void) {
        var ends: [Int32] = [0, 0]
        guard pipe(&ends) == 0 else { return }
        let reading = ends[0]
        signalPipe = ends[1]
        for number in [SIGINT, SIGTERM] {
            signal(number) { number in
                var byte = UInt8(truncatingIfNeeded: number)
                _ = write(signalPipe, &byte, 1)
            }
        }
        // A parent may have started us with both blocked: Foundation's Process does, from a dispatch thread.
        var both = sigset_t()
        sigemptyset(&both)
        for number in [SIGINT, SIGTERM] { sigaddset(&both, number) }
        pthread_sigmask(SIG_UNBLOCK, &both, nil)
        let thread = Thread {
            var byte: UInt8 = 0
            while read(reading, &byte, 1) != 1 {}
            for number in [SIGINT, SIGTERM] { signal(number, SIG_DFL) }
            body(Int32(byte))
        }
        thread.start()
    }
}
