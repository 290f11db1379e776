// Progress of a count on stderr with rate and remaining time: a bar on a terminal, a line every few seconds otherwise.
import Foundation

struct RateProgress {
    private let what: String
    private let isQuiet: Bool
    private let showsBar: Bool
    private let start = ContinuousClock.now
    private var shown: ContinuousClock.Instant?
    private var isOnLine = false

    /// Units: seconds between two plain lines, and between two states of the bar.
    private static let lineInterval = 5.0, barInterval = 0.1

    init(what: String, isQuiet: Bool, showsBar: Bool) {
        self.what = what
        self.isQuiet = isQuiet
        self.showsBar = showsBar && isatty(STDERR_FILENO) == 1
    }

    /// `from` is where this process began: rate and remaining time count from there.
    mutating func show(done: Int, total: Int, from: Int = 0) {
        guard !isQuiet, done > from else { return }
        let now = ContinuousClock.now
        let since = shown.map { (now - $0) / .seconds(1) } ?? .infinity
        guard done == total || since >= (showsBar ? Self.barInterval : Self.lineInterval) else { return }
        shown = now
        let rate = Double(done - from) / max((now - start) / .seconds(1), 1e-9)
        let text = String(format: "%d/%d %@  %.0f/s  ETA %@", done, total, what, rate, TrainingProgress.duration(Double(total - done) / rate))
        if showsBar {
            let filled = 30 * done / max(total, 1)
            write("\r\u{1B}[K[\(String(repeating: "=", count: filled) + String(repeating: " ", count: 30 - filled))] \(text)")
            isOnLine = true
        } else {
            write(text + "\n")
        }
    }

    mutating func note(_ text: String) {
        guard !isQuiet else { return }
        end()
        write(text + "\n")
    }

    /// Leaves the bar's line.
    mutating func end() {
        if isOnLine { write("\n") }
        isOnLine = false
    }

    private func write(_ text: String) { FileHandle.standardError.write(Data(text.utf8)) }
}
