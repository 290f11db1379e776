// The paper's learning-rate schedule.

/// Lowers the learning rate when a metric has not fallen for `patience` epochs.
///
/// Source: torch.optim.lr_scheduler.ReduceLROnPlateau (mode "min", threshold 1e-4 relative, eps 1e-8).
public struct ReduceLROnPlateau: Codable, Equatable, Sendable {
    public let factor: Double
    public let patience: Int
    public let minimum: Double
    /// nil until the first finite metric.
    private var best: Double?
    private var badEpochs = 0

    public init(factor: Double = 0.8, patience: Int = 1, minimum: Double = 1e-6) {
        self.factor = factor
        self.patience = patience
        self.minimum = minimum
    }

    /// Takes an epoch's metric; returns true where the rates were lowered.
    public mutating func step(_ metric: Double, optimizer: any Optimizer) -> Bool {
        if best.map({ metric < $0 * (1 - 1e-4) }) ?? metric.isFinite {
            best = metric
            badEpochs = 0
        } else {
            badEpochs += 1
        }
        guard badEpochs > patience else { return false }
        badEpochs = 0
        var lowered = false
        for (group, rate) in optimizer.learningRates {
            let next = max(rate * factor, minimum)
            if rate - next > 1e-8 {
                optimizer.learningRates[group] = next
                lowered = true
            }
        }
        return lowered
    }
}
