// Keeps the best epoch in mind and says when to stop waiting for a better one.

public struct EarlyStopping: Codable, Equatable, Sendable {
    /// Epochs without improvement that are allowed; 0 allows any number.
    public let patience: Int
    public private(set) var best: Double?
    public private(set) var bestEpoch = 0
    private var epochsSince = 0

    public init(patience: Int) { self.patience = patience }

    /// Takes an epoch's validation loss; true if it is the best so far. NaN never is.
    public mutating func isBest(_ loss: Double, epoch: Int) -> Bool {
        if best.map({ loss < $0 }) ?? !loss.isNaN {
            (best, bestEpoch, epochsSince) = (loss, epoch, 0)
            return true
        }
        epochsSince += 1
        return false
    }

    public var shouldStop: Bool { patience > 0 && epochsSince >= patience }
}
