// Sums over an epoch's batches, and where the time went. Saved within an epoch without its times.
import Fairness
import Foundation

struct EpochTally: Codable {
    struct Seconds {
        var data = 0.0, network = 0.0, fairness = 0.0
    }

    private(set) var images = 0
    private var correct = 0
    private var lossSum = 0.0, gapBeforeSum = 0.0, gapAfterSum = 0.0
    private var batches = 0
    /// Of the last batch: its loss, and its gap after the method.
    private(set) var lastLoss = 0.0
    private(set) var lastGap = 0.0
    private var seconds = Seconds()
    private var start = ContinuousClock.now
    /// Of them, before a resume: they took none of this process's time.
    private var imagesBefore = 0

    private enum CodingKeys: String, CodingKey { case images, correct, lossSum, gapBeforeSum, gapAfterSum, batches, lastGap }

    init() {}

    init(from decoder: any Decoder) throws {
        let saved = try decoder.container(keyedBy: CodingKeys.self)
        images = try saved.decode(Int.self, forKey: .images)
        correct = try saved.decode(Int.self, forKey: .correct)
        lossSum = try saved.decode(Double.self, forKey: .lossSum)
        gapBeforeSum = try saved.decode(Double.self, forKey: .gapBeforeSum)
        gapAfterSum = try saved.decode(Double.self, forKey: .gapAfterSum)
        batches = try saved.decode(Int.self, forKey: .batches)
        lastGap = try saved.decode(Double.self, forKey: .lastGap)
        imagesBefore = images
    }

    /// Runs `body` and books its time.
    mutating func time<T>(_ part: WritableKeyPath<Seconds, Double>, _ body: () throws -> T) rethrows -> T {
        let start = ContinuousClock.now
        defer { seconds[keyPath: part] += (ContinuousClock.now - start) / .seconds(1) }
        return try body()
    }

    mutating func add(_ objective: Objective, labels: [Float]) {
        images += labels.count
        batches += 1
        lossSum += objective.loss * Double(labels.count)
        gapBeforeSum += objective.gapBefore
        gapAfterSum += objective.gapAfter
        lastLoss = objective.loss
        lastGap = objective.gapAfter
        correct += zip(objective.logits, labels).count { ($0 >= 0) == ($1 >= 0.5) }
    }

    var elapsed: Double { (ContinuousClock.now - start) / .seconds(1) }
    var meanLoss: Double { images > 0 ? lossSum / Double(images) : 0 }
    var imagesPerSecond: Double { Double(images - imagesBefore) / max(elapsed, 1e-9) }

    func row(epoch: Int, step: Int, learningRate: Double, multiplier: Double?) -> EpochRow {
        var row = EpochRow()
        row.epoch = epoch
        row.step = step
        row.learningRate = learningRate
        row.trainLoss = meanLoss
        row.trainAccuracy = Double(correct) / Double(images)
        row.trainGapRaw = gapBeforeSum / Double(batches)
        row.trainGap = gapAfterSum / Double(batches)
        row.multiplier = multiplier
        row.imagesPerSecond = imagesPerSecond
        row.seconds = elapsed
        (row.dataSeconds, row.networkSeconds, row.fairnessSeconds) = (seconds.data, seconds.network, seconds.fairness)
        return row
    }
}
