// What is done to a whole set of logits after the network.
import Fairness

public enum LogitPostprocessor: Sendable {
    case none
    case projection(FairnessLayer)

    /// Applies to batches of `batchSize` rows in order; nil is one batch of everything.
    ///
    /// Errors: `FairnessError`.
    public func apply(_ predictions: Predictions, batchSize: Int? = nil) throws -> Predictions {
        guard case .projection(let layer) = self, !predictions.scores.isEmpty else { return predictions }
        let batch = FairnessBatch(predictions)
        var fair = predictions
        let step = batchSize ?? predictions.scores.count
        for start in stride(from: 0, to: predictions.scores.count, by: step) {
            let rows = start..<min(start + step, predictions.scores.count)
            fair.scores.replaceSubrange(rows, with: try layer.forward(batch[rows]).scores)
        }
        return fair
    }
}
