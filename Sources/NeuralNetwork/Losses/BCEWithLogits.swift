// The training loss.
import Foundation

/// Binary cross-entropy from logits, mean over the batch. Source: torch.nn.BCEWithLogitsLoss.
public enum BCEWithLogits {
    /// Mean loss and its gradient with respect to each logit: (sigmoid(z) − y) / n. NaN reaches the loss.
    ///
    /// Shape: n logits, n labels in [0, 1].
    public static func loss(_ logits: [Double], labels: [Float]) -> (loss: Double, gradient: [Double]) {
        precondition(logits.count == labels.count && !logits.isEmpty, "\(logits.count) logits, \(labels.count) labels")
        let n = Double(logits.count)
        var loss = 0.0
        let gradient = zip(logits, labels).map { z, label -> Double in
            let y = Double(label)
            let tail = exp(-abs(z))
            loss += (z > 0 ? z : 0) - z * y + log1p(tail)
            return ((z >= 0 ? 1 / (1 + tail) : tail / (1 + tail)) - y) / n
        }
        return (loss / n, gradient)
    }
}
