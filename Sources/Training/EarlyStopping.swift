// Keeps the best epoch in mind and says when to stop waiting for a better one.

public struct EarlyStopping: Codable, Equatable, Sendable {
    /// Epochs without improvement that are allowed; 0 allows any number.
    public let patience: Int
    public let higherIsBetter: Bool
    public private(set) var best: Double?
    public private(set) var bestEpoch = 0
    private var epochsSince = 0

    public init(patience: Int, higherIsBetter: Bool = false) {
        self.patience = patience
        self.higherIsBetter = higherIsBetter
    }

    /// Takes an epoch's validation metric; true if it is the best so far. NaN never is.
    public mutating func isBest(_ value: Double, epoch: Int) -> Bool {
        if best.map({ higherIsBetter ? value > $0 : value < $0 }) ?? !value.isNaN {
            (best, bestEpoch, epochsSince) = (value, epoch, 0)
            return true
        }
        epochsSince += 1
        return false
    }

    public var shouldStop: Bool { patience > 0 && epochsSince >= patience }
}
