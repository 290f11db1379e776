// One row per epoch, as history.csv keeps it.
import Foundation

public struct EpochRow: Codable, Equatable, Sendable {
    public var epoch = 0
    /// Optimizer steps so far.
    public var step = 0
    public var learningRate = 0.0
    public var trainLoss = 0.0
    public var trainAccuracy = 0.0
    /// Mean over batches of the mean-logit gap before and after the method. Units: logits.
    public var trainGapRaw = 0.0
    public var trainGap = 0.0
    public var validLoss = 0.0
    public var validAccuracy = 0.0
    public var validBalancedAccuracy: Double?
    public var validWorstGroupAccuracy: Double?
    /// Of the whole validation split: raw logits, after the method's postprocessor, and of decisions.
    public var validGapRaw = 0.0
    public var validGap = 0.0
    public var validDecisionGap: Double?
    public var multiplier: Double?
    public var imagesPerSecond = 0.0
    public var seconds = 0.0
    /// Where the training time went.
    public var dataSeconds = 0.0
    public var networkSeconds = 0.0
    public var fairnessSeconds = 0.0

    /// NaN where the metric is undefined.
    func value(of metric: EvaluationMetric) -> Double {
        switch metric {
        case .loss: validLoss
        case .accuracy: validAccuracy
        case .balancedAccuracy: validBalancedAccuracy ?? .nan
        case .worstGroupAccuracy: validWorstGroupAccuracy ?? .nan
        }
    }

    static let header =
        "epoch,step,lr,train_loss,train_accuracy,train_gap_raw,train_gap,val_loss,val_accuracy,val_balanced_accuracy,"
        + "val_worst_group_accuracy,val_gap_raw,val_gap_score,val_gap_decision,lambda,images_per_second,seconds,data_seconds,network_seconds,fairness_seconds"

    var line: String {
        let numbers: [Double?] = [
            learningRate, trainLoss, trainAccuracy, trainGapRaw, trainGap, validLoss, validAccuracy, validBalancedAccuracy,
            validWorstGroupAccuracy, validGapRaw, validGap, validDecisionGap, multiplier,
        ]
        let times = [imagesPerSecond, seconds, dataSeconds, networkSeconds, fairnessSeconds]
        return (["\(epoch)", "\(step)"] + numbers.map { $0.map { "\($0)" } ?? "" } + times.map { String(format: "%.3f", $0) })
            .joined(separator: ",")
    }
}

/// history.csv as lines: the header once, then a row per epoch, also after a resume.
public struct RunHistory {
    private(set) var lines: [String] = []

    mutating func append(_ row: EpochRow) { lines.append(row.line) }

    var text: String { ([EpochRow.header] + lines).joined(separator: "\n") + "\n" }

    /// Mean of the column `seconds` of a history file; nil where there is none.
    public static func meanSeconds(_ url: URL) -> Double? {
        guard let text = try? String(contentsOf: url, encoding: .utf8),
            let column = EpochRow.header.split(separator: ",").firstIndex(of: "seconds")
        else { return nil }
        let seconds = text.split(separator: "\n").dropFirst().compactMap { line -> Double? in
            let cells = line.split(separator: ",", omittingEmptySubsequences: false)
            return column < cells.count ? Double(cells[column]) : nil
        }
        return seconds.isEmpty ? nil : seconds.reduce(0, +) / Double(seconds.count)
    }

    /// The rows of an earlier file up to and including an epoch.
    static func read(_ url: URL, through epoch: Int) -> RunHistory {
        var history = RunHistory()
        guard let text = try? String(contentsOf: url, encoding: .utf8) else { return history }
        history.lines = text.split(separator: "\n").dropFirst().map(String.init)
            .filter { Int($0.prefix { $0 != "," }).map { $0 <= epoch } ?? false }
        return history
    }
}
