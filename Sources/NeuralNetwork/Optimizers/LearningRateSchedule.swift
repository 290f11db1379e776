// Learning rates that depend on the epoch only. The plateau schedule, which listens to a metric, has its own file.
import Foundation

public enum ScheduleName: String, Codable, CaseIterable, Sendable { case plateau, cosine, step, constant }

/// The rate of an epoch as a share of the base rate, after a linear warm-up.
///
/// Source: torch.optim.lr_scheduler.CosineAnnealingLR and StepLR, counted from the end of the warm-up.
public struct LearningRateSchedule: Equatable, Sendable {
    public let name: ScheduleName
    /// Epochs in all.
    public let epochs: Int
    public let warmupEpochs: Int
    /// Of `step`: epochs between two changes, and the factor of each.
    public let stepSize: Int
    public let gamma: Double
    /// No rate falls below it, the warm-up aside.
    public let minimum: Double

    public init(
        _ name: ScheduleName, epochs: Int, warmupEpochs: Int = 0, stepSize: Int = 30, gamma: Double = 0.1, minimum: Double = 0
    ) {
        self.name = name
        self.epochs = epochs
        self.warmupEpochs = warmupEpochs
        self.stepSize = stepSize
        self.gamma = gamma
        self.minimum = minimum
    }

    /// The rate of an epoch, counted from 1. nil: not this schedule's business, the rate stays as it is.
    public func rate(base: Double, epoch: Int) -> Double? {
        let finished = epoch - 1
        if finished < warmupEpochs { return base * Double(epoch) / Double(warmupEpochs + 1) }
        let since = finished - warmupEpochs
        let floor = min(minimum, base)
        switch name {
        case .plateau: return since == 0 ? base : nil
        case .constant: return base
        case .step: return max(base * pow(gamma, Double(since / stepSize)), floor)
        case .cosine:
            let progress = Double(since) / Double(max(epochs - warmupEpochs, 1))
            return floor + (base - floor) * (1 + cos(.pi * min(progress, 1))) / 2
        }
    }
}
