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
    /// The method's implementation for given groups.
    ///
    /// Errors: ``TrainingError/invalidConfiguration(_:)`` where criterion, its details and the groups do not fit, `FairnessError` for
    /// custom rows that contradict each other.
    public func makeMethod(_ features: SensitiveFeatures) throws -> any FairnessMethod {
        switch method {
        case .none: return PlainLoss(groupCount: features.groupCount, postprocessor: .none)
        case .projection: return PlainLoss(groupCount: features.groupCount, postprocessor: .projection(try layer(features)))
        case .fairnessLayer:
            let layer = try layer(features)
            guard criterion == .demographicParity, criterionDetails?.bounds == nil else { return CriterionLayerMethod(layer) }
            return FairnessLayerMethod(
                PrimalDual(
                    groupCount: features.groupCount, tolerance: epsilon, eta0: eta0, batchThreshold: batchThreshold,
                    pairPenalty: pairPenalty), layer)
        case .penalty, .strictPenalty:
            return PenaltyMethod(GapPenalty(groupCount: features.groupCount, weight: gapPenaltyWeight ?? 0))
        }
    }

    private func layer(_ features: SensitiveFeatures) throws -> FairnessLayer {
        do {
            return try FairnessLayer(criterion, features: features, tolerance: epsilon, details: criterionDetails)
        } catch FairnessError.unsupported(let reason) {
            throw TrainingError.invalidConfiguration("--criterion \(criterion.rawValue): \(reason)")
        }
    }
}
