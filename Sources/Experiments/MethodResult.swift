// What the grid yields: the test split's outcome of one way to use one trained model.
import FaceData
import Fairness
import Foundation
import Inference
import NeuralNetwork
import Training

/// A row of the tables; in the paper's order.
public enum ExperimentRow: String, Codable, CaseIterable, Sendable {
    case fairnessLayer = "fairness-layer"
    case streamed = "fairness-layer, streamed"
    case projection
    case penalty
    case strictPenalty = "strict-penalty"
    case unconstrained
}

public struct MethodResult: Codable, Equatable, Sendable {
    public var row: ExperimentRow
    public var backbone: BackboneName
    public var seed: UInt64
    public var accuracy: Double?
    public var bce: Double?
    /// On scores, pooled over the split. Units: logits.
    public var meanLogitGap: Double?
    public var pairsViolated: Int
    public var pairs: Int
    /// On decisions.
    public var demographicParityDifference: Double?
    /// λ of the penalty methods.
    public var penaltyWeight: Double?
    /// Mean over the run's epochs.
    public var epochSeconds: Double?
    public var groups: [GroupResult]

    public struct GroupResult: Codable, Equatable, Sendable {
        public var group: String
        public var count: Int
        public var accuracy: Double?
        public var meanLogit: Double?
        public var selectionRate: Double?

        public init(group: String, count: Int, accuracy: Double?, meanLogit: Double?, selectionRate: Double?) {
            self.group = group
            self.count = count
            self.accuracy = accuracy
            self.meanLogit = meanLogit
            self.selectionRate = selectionRate
        }
    }

    /// Measures predictions of the test split; a pair of groups is violated beyond 1.01 ε, the factor that the released code uses.
    init(
        _ row: ExperimentRow, _ run: TrainedRun, _ predictions: Predictions, features: SensitiveFeatures, tolerance: Double
    ) {
        let frame = MetricFrame(predictions, groupCount: features.groupCount)
        let accuracy = frame.byGroup(.accuracy), logits = frame.byGroup(.meanLogit), rates = frame.byGroup(.selectionRate)
        let counts = frame.byGroup(.count)
        let gaps = frame.pairwiseGaps(tolerance: 1.01 * tolerance)
        self.row = row
        backbone = run.configuration.model
        seed = run.configuration.seed
        self.accuracy = frame.overall(.accuracy).value
        bce = frame.overall(.bce).value
        meanLogitGap = frame.meanLogitGap.value
        (pairsViolated, pairs) = (gaps.violated, gaps.pairs)
        demographicParityDifference = frame.demographicParityDifference.value
        penaltyWeight = row == .penalty || row == .strictPenalty ? run.penaltyWeight : nil
        epochSeconds = run.epochSeconds
        groups = (0..<features.groupCount).map { k in
            GroupResult(
                group: features.label(k), count: Int(counts[k].value ?? 0), accuracy: accuracy[k].value, meanLogit: logits[k].value,
                selectionRate: rates[k].value)
        }
    }
}

/// A finished run of the grid.
public struct TrainedRun: Sendable {
    public let folder: RunFolder
    public let configuration: TrainingConfiguration

    var penaltyWeight: Double? {
        switch configuration.method {
        case .penalty: configuration.penaltyWeight
        case .strictPenalty: 1e4
        default: nil
        }
    }

    var epochSeconds: Double? { RunHistory.meanSeconds(folder.history) }
}
