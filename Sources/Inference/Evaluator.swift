// Predicts a split: every sample exactly once, in order.
import FaceData
import Fairness
import TensorCore

public enum Evaluator {
    /// Raw logits with labels and groups, in the order of the loader's samples. Refused images are missing from the result
    /// and stand in the loader's log.
    ///
    /// - `logits`: the network; Shape: `[N, S, S, 3]` → N.
    public static func predict(
        _ loader: DataLoader, batchSize: Int, logits: (Tensor) -> [Double], progress: (Int) -> Void = { _ in }
    ) throws -> Predictions {
        var predictions = Predictions()
        let batches = loader.batches(SequentialBatches.order(count: loader.samples.count, batchSize: batchSize))
        while let batch = try batches.next() {
            for (index, score) in logits(batch.images).enumerated() {
                let label = batch.labels[index]
                predictions.append(score: score, label: label.isNaN ? nil : Int(label), group: batch.groups[index])
            }
            progress(predictions.scores.count)
        }
        return predictions
    }
}

extension Predictor {
    /// Raw logits with labels and groups, in the order of `samples`. A file that is refused is missing from the result.
    ///
    /// Errors: `TooManyBadImages` for more refused files than `maxErrors`; nil allows any number.
    public func predict(
        _ samples: [FaceSample], batchSize: Int = 128, workers: Int = 2, limits: ImageLimits = ImageLimits(), maxErrors: Int? = nil
    ) throws -> Predictions {
        let loader = DataLoader(samples: samples, transform: transform, workers: workers, limits: limits, maxErrors: maxErrors)
        return try Evaluator.predict(loader, batchSize: batchSize) { logits($0) }
    }
}
