import Fairness
import Inference
import NeuralNetwork

/// Loss plus a price on gaps: the paper's "Penalty" and "Strict Penalty". No guarantee, and it collapses for large λ.
struct PenaltyMethod: FairnessMethod {
    private let penalty: GapPenalty

    init(_ penalty: GapPenalty) { self.penalty = penalty }

    var postprocessor: LogitPostprocessor { .none }

    func objective(_ logits: [Double], labels: [Float], groups: [Int]) throws -> Objective {
        let gap = try GroupSums(logits, groups: groups, groupCount: penalty.groupCount).gap
        let (loss, gradient) = BCEWithLogits.loss(logits, labels: labels)
        let (price, slope) = try penalty.valueAndGradient(logits, groups: groups)
        return Objective(
            loss: loss + price, gradient: zip(gradient, slope).map(+), logits: logits, gapBefore: gap, gapAfter: gap)
    }

    func validationPenalty(_ predictions: Predictions) throws -> Double {
        try penalty.valueAndGradient(predictions.scores, groups: predictions.groups).value
    }
}
