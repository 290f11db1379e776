// How a stream of records is answered. The model gives the defaults; flags change them.
import FaceData
import Fairness
import Foundation
import NeuralNetwork
import TensorCore

public struct StreamSettings: Sendable {
    public var criterion: Criterion
    /// The model was trained with bounds on its scores, which no stream holds.
    public var hasBounds = false
    /// ε. Units: logits.
    public var tolerance: Double
    public var online = OnlineName.primalDual
    /// Primal-dual. b_τ: batches of at least this many records of known groups are projected.
    public var batchThreshold: Int
    public var eta0: Double
    public var pairPenalty: PairPenalty
    /// Anytime: C in logits times samples, and τ in samples.
    public var anytimeCap = 30.0
    public var anytimeHorizon = 50.0
    /// A probability of at least this is decision 1.
    public var threshold: Double

    /// Records with an image per fairness batch.
    public var batchSize = 32
    /// How long a batch that is not full waits while no input arrives; nil waits for a full batch or the end.
    public var maxDelay: Duration? = .milliseconds(20)
    public var maxLineBytes = 16 << 20
    public var imageRoot = ImageRoot.anywhere
    public var imageLimits = ImageLimits()
    /// The model's.
    public var interpolation = Interpolation.bilinear
    /// Threads that parse and decode.
    public var workers = 2

    /// Records bring their logits; there is no network.
    public var scoresOnly = false
    /// How a durable stream knows a record that it has counted before.
    public var identity = ReplayIdentity.none
    /// How many records' answers are kept for replays.
    public var replayWindow = 100_000

    public init(
        criterion: Criterion = .demographicParity, tolerance: Double, batchThreshold: Int = 100, eta0: Double = 0.1,
        pairPenalty: PairPenalty = .max, threshold: Double = 0.5
    ) {
        self.criterion = criterion
        self.tolerance = tolerance
        self.batchThreshold = batchThreshold
        self.eta0 = eta0
        self.pairPenalty = pairPenalty
        self.threshold = threshold
    }

    /// The algorithm at the start of a stream.
    func start(groupCount: Int) -> OnlineFairness {
        switch online {
        case .primalDual:
            .primalDual(
                PrimalDual(groupCount: groupCount, tolerance: tolerance, eta0: eta0, batchThreshold: batchThreshold, pairPenalty: pairPenalty))
        case .anytime:
            .anytime(
                AnytimeParity(
                    groupCount: groupCount, tolerance: tolerance, cap: anytimeCap, horizon: anytimeHorizon,
                    threshold: AnytimeParity.threshold(ofProbability: threshold)))
        }
    }

    /// What the model was trained for.
    ///
    /// Errors: `CheckpointError` malformed when the file names a criterion or penalty that this version does not know.
    public init(_ metadata: ModelMetadata, file: String) throws {
        let criterion = try metadata.knownCriterion(file: file)
        guard let penalty = PairPenalty(rawValue: metadata.pairPenalty) else {
            throw CheckpointError.malformed(file, "its pair penalty '\(metadata.pairPenalty)' is not known to this version")
        }
        self.init(
            criterion: criterion, tolerance: metadata.epsilon, batchThreshold: metadata.batchThreshold, eta0: metadata.eta0,
            pairPenalty: penalty, threshold: metadata.threshold)
        interpolation = metadata.interpolation ?? .bilinear
        imageLimits.fastDecode = metadata.fastDecode ?? false
        hasBounds = metadata.criterionDetails?.bounds != nil
    }
}

/// A stream was asked to hold a criterion that cannot be held on it.
public struct UnfitCriterion: Error, Equatable, CustomStringConvertible {
    public let description: String

    init(_ criterion: Criterion, hasBounds: Bool, _ modelName: String) {
        let table = "see 'facefair project'"
        let reason =
            criterion.inferenceRefusal
            ?? (hasBounds
                ? "a stream holds no bounds on scores, whole tables do: \(table)"
                : "a stream keeps the means of groups together; \(criterion.rawValue) is a constraint of whole tables: \(table)")
        description = "\(modelName): \(reason). To stream it with parity of group means instead, add --criterion demographic-parity"
    }
}
