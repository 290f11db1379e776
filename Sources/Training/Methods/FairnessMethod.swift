// A fairness method: what it makes of a batch's logits during training, and of a split's logits afterwards.
import Fairness
import Foundation
import Inference
import NeuralNetwork

/// A batch's loss, its gradient with respect to the raw logits, and what the method did to them.
public struct Objective: Sendable {
    public let loss: Double
    public let gradient: [Double]
    /// The logits that the loss saw.
    public let logits: [Double]
    /// Mean-logit gap of the batch before and after the method.
    public let gapBefore: Double
    public let gapAfter: Double
}

public protocol FairnessMethod {
    /// Loss and gradient of one batch.
    ///
    /// Shape: n logits, labels and groups. Errors: `FairnessError`.
    mutating func objective(_ logits: [Double], labels: [Float], groups: [Int]) throws -> Objective
    /// Called before each epoch.
    mutating func beginEpoch()
    /// What evaluation applies to the logits of a whole split.
    var postprocessor: LogitPostprocessor { get }
    /// Added to the validation loss that picks the best epoch.
    func validationPenalty(_ predictions: Predictions) throws -> Double
    /// What the method carries from batch to batch within an epoch, for a run that goes on in the middle of one; nil: nothing.
    var progress: Data? { get }
    /// Goes on from ``progress``. Errors: `DecodingError`.
    mutating func restore(_ progress: Data) throws
    /// λ of the online algorithm, where there is one.
    var multiplier: Double? { get }
}

extension FairnessMethod {
    public mutating func beginEpoch() {}
    public func validationPenalty(_ predictions: Predictions) throws -> Double { 0 }
    public var progress: Data? { nil }
    public mutating func restore(_ progress: Data) throws {}
    public var multiplier: Double? { nil }
}

extension TrainingConfiguration {
    /// The method's implementation for a number of groups.
    public func makeMethod(groupCount: Int) -> any FairnessMethod {
        switch method {
        case .none: PlainLoss(groupCount: groupCount, postprocessor: .none)
        case .projection: PlainLoss(groupCount: groupCount, postprocessor: .projection(tolerance: epsilon))
        case .fairnessLayer:
            FairnessLayerMethod(
                PrimalDual(
                    groupCount: groupCount, tolerance: epsilon, eta0: eta0, batchThreshold: batchThreshold,
                    pairPenalty: pairPenalty))
        case .penalty, .strictPenalty:
            PenaltyMethod(GapPenalty(groupCount: groupCount, weight: gapPenaltyWeight ?? 0))
        }
    }
}
