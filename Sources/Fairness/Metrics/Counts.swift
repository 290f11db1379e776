// The counts and sums that every metric is a quotient of; one per group and one overall.
import Foundation

/// Labelled or unlabelled scores with their groups. Scores are logits; a decision is `sigmoid(score) ≥ threshold`.
public struct Predictions: Sendable {
    public var scores: [Double]
    /// 0, 1, or nil where the truth is unknown.
    public var labels: [Int?]
    public var groups: [Int]

    public init(scores: [Double] = [], labels: [Int?] = [], groups: [Int] = []) {
        precondition(scores.count == labels.count && scores.count == groups.count, "predictions of unequal lengths")
        self.scores = scores
        self.labels = labels
        self.groups = groups
    }

    public mutating func append(score: Double, label: Int?, group: Int) {
        scores.append(score)
        labels.append(label)
        groups.append(group)
    }
}

/// 1 / (1 + e^−x), without overflow at either end.
public func sigmoid(_ logit: Double) -> Double {
    if logit >= 0 { return 1 / (1 + exp(-logit)) }
    let e = exp(logit)
    return e / (1 + e)
}

/// Additive tallies of a set of predictions.
struct Counts {
    var count = 0, positives = 0, negatives = 0
    var selected = 0, truePositives = 0, falsePositives = 0
    /// Scores that are not finite: they decide nothing, and leave every metric but the count undefined.
    var unusable = 0
    var logitSum = 0.0, probabilitySum = 0.0, lossSum = 0.0

    mutating func add(score: Double, label: Int?, threshold: Double) {
        guard score.isFinite else {
            count += 1
            unusable += 1
            return
        }
        let probability = sigmoid(score)
        let decision = probability >= threshold
        count += 1
        selected += decision ? 1 : 0
        logitSum += score
        probabilitySum += probability
        guard let label else { return }
        precondition(label == 0 || label == 1, "label \(label) is neither 0 nor 1")
        // log(1 + e^−|z|) + max(z, 0) − z·y, the stable form of torch.nn.BCEWithLogitsLoss
        lossSum += max(score, 0) - score * Double(label) + log1p(exp(-abs(score)))
        if label == 1 {
            positives += 1
            truePositives += decision ? 1 : 0
        } else {
            negatives += 1
            falsePositives += decision ? 1 : 0
        }
    }
}
