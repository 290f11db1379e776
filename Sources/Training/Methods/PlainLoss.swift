import Fairness
import Inference
import NeuralNetwork

/// Training without fairness: the unconstrained baseline, and the network behind post-hoc projection.
struct PlainLoss: FairnessMethod {
    let groupCount: Int
    let postprocessor: LogitPostprocessor

    func objective(_ logits: [Double], labels: [Float], groups: [Int]) throws -> Objective {
        let gap = try GroupSums(logits, groups: groups, groupCount: groupCount).gap
        let (loss, gradient) = BCEWithLogits.loss(logits, labels: labels)
        return Objective(loss: loss, gradient: gradient, logits: logits, gapBefore: gap, gapAfter: gap)
    }
}
