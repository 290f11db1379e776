// Training through the fairness layer, of demographic parity with its small batches, and of every other criterion.
import Fairness
import Foundation
import Inference
import NeuralNetwork

/// Training through the fairness layer: the loss sees projected logits, the network their gradient through the projection.
///
/// Batches below b_τ go through the primal-dual algorithm, whose multiplier starts at 0 in each epoch.
/// Source: arXiv 2605.17118.
struct FairnessLayerMethod: FairnessMethod {
    private var online: PrimalDual
    let postprocessor: LogitPostprocessor

    init(_ online: PrimalDual, _ layer: FairnessLayer) {
        self.online = online
        postprocessor = .projection(layer)
    }

    var multiplier: Double? { online.multiplier }

    var progress: Data? { try? JSONEncoder().encode(online) }
    mutating func restore(_ progress: Data) throws { online = try JSONDecoder().decode(PrimalDual.self, from: progress) }

    mutating func beginEpoch() { online.reset() }

    mutating func objective(_ logits: [Double], labels: [Float], groups: [Int]) throws -> Objective {
        let projection = try online.solve(logits, groups: groups).projection
        let (loss, gradient) = BCEWithLogits.loss(projection.scores, labels: labels)
        return Objective(
            loss: loss, gradient: projection.backward(gradient), logits: projection.scores,
            gapBefore: projection.gapBefore, gapAfter: projection.gapAfter)
    }
}

/// Training through the layer of any other criterion, or with bounds: every batch is projected, however small, since the online
/// algorithm is one for the gaps of group means.
struct CriterionLayerMethod: FairnessMethod {
    private let layer: FairnessLayer

    init(_ layer: FairnessLayer) { self.layer = layer }

    var postprocessor: LogitPostprocessor { .projection(layer) }

    func objective(_ logits: [Double], labels: [Float], groups: [Int]) throws -> Objective {
        let projection = try layer.forward(FairnessBatch(scores: logits, groups: groups, labels: labels.map(Double.init)))
        let (loss, gradient) = BCEWithLogits.loss(projection.scores, labels: labels)
        return Objective(
            loss: loss, gradient: projection.backward(gradient), logits: projection.scores,
            gapBefore: projection.gapBefore, gapAfter: projection.gapAfter)
    }
}
