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

    init(_ online: PrimalDual) { self.online = online }

    var postprocessor: LogitPostprocessor { .projection(tolerance: online.tolerance) }
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
