// Progress of a run on stderr: a bar with rate and remaining time on a terminal, plain lines otherwise.
import Foundation
import Training

struct TrainingProgress {
    let isQuiet: Bool
    /// Images between two plain lines.
    let logInterval: Int
    private var batches = 0

    init(isQuiet: Bool, showsBar: Bool, logInterval: Int) {
        self.isQuiet = isQuiet
        self.logInterval = logInterval
        showsProgressBar = showsBar && isatty(STDERR_FILENO) == 1
    }

    private let showsProgressBar: Bool

    mutating func show(_ event: TrainingEvent) {
        guard !isQuiet else { return }
        switch event {
        case .note(let text): line(text)
        case .progress(let epoch, let epochs, let images, let total, let loss, _, let rate):
            batches += 1
            let remaining = Double(total - images) / max(rate, 1e-9)
            let figures = String(format: "loss %.4f  %.0f images/s  ETA %@", loss, rate, Self.duration(remaining))
            if showsProgressBar {
                let filled = total > 0 ? min(30, 30 * images / total) : 0
                let bar = String(repeating: "=", count: filled) + String(repeating: " ", count: 30 - filled)
                write("\r\u{1B}[Kepoch \(epoch)/\(epochs) [\(bar)] \(images)/\(total)  \(figures)")
            } else if batches % logInterval == 0 {
                line("epoch \(epoch)/\(epochs)  \(images)/\(total)  \(figures)")
            }
        case .epoch(let row, let epochs, let isBest):
            batches = 0
            line(Self.summary(row, epochs) + (isBest ? "  *best" : ""))
        }
    }

    /// Loss, accuracy, gap before → after the layer, validation, and where the time went.
    static func summary(_ row: EpochRow, _ epochs: Int) -> String {
        let busy = max(row.dataSeconds + row.networkSeconds + row.fairnessSeconds, 1e-9)
        func share(_ seconds: Double) -> String { String(format: "%.1f%%", 100 * seconds / busy) }
        return String(
            format: "epoch %d/%d  loss %.4f  acc %.4f  gap %.4f -> %.2g | valid loss %.4f  acc %.4f  gap %.4f -> %.2g | %.0f images/s  ",
            row.epoch, epochs, row.trainLoss, row.trainAccuracy, row.trainGapRaw, row.trainGap, row.validLoss, row.validAccuracy,
            row.validGapRaw, row.validGap, row.imagesPerSecond)
            + "data \(share(row.dataSeconds)) network \(share(row.networkSeconds)) fairness \(share(row.fairnessSeconds))"
    }

    static func duration(_ seconds: Double) -> String {
        guard seconds.isFinite, seconds < 360_000 else { return "--" }
        let s = Int(seconds.rounded())
        return s >= 3600 ? String(format: "%d:%02d:%02d", s / 3600, s / 60 % 60, s % 60) : String(format: "%d:%02d", s / 60, s % 60)
    }

    private func line(_ text: String) { write((showsProgressBar ? "\r\u{1B}[K" : "") + text + "\n") }
    private func write(_ text: String) { FileHandle.standardError.write(Data(text.utf8)) }
}
