// What is done to a whole set of logits after the network.
import Fairness

public enum LogitPostprocessor: Codable, Equatable, Sendable {
    case none
    /// The fairness layer with tolerance ε, in logits.
    case projection(tolerance: Double)

    /// Applies to batches of `batchSize` rows in order; nil is one batch of everything.
    ///
    /// Errors: `FairnessError`.
    public func apply(_ predictions: Predictions, groupCount: Int, batchSize: Int? = nil) throws -> Predictions {
        guard case .projection(let tolerance) = self, !predictions.scores.isEmpty else { return predictions }
        let layer = FairnessLayer(groupCount: groupCount, tolerance: tolerance)
        var fair = predictions
        let step = batchSize ?? predictions.scores.count
        for start in stride(from: 0, to: predictions.scores.count, by: step) {
            let rows = start..<min(start + step, predictions.scores.count)
            let projection = try layer.forward(Array(predictions.scores[rows]), groups: Array(predictions.groups[rows]))
            fair.scores.replaceSubrange(rows, with: projection.scores)
        }
        return fair
    }
}
