// Every setting of a run. Defaults are the paper's (arXiv 2605.17118, image experiments).
import FaceData
import Fairness
import NeuralNetwork
import TensorCore

/// How the model is made fair.
public enum MethodName: String, Codable, CaseIterable, Sendable {
    /// Plain loss, scores left as they are.
    case none
    /// Plain loss, scores projected afterwards.
    case projection
    /// Loss through the fairness layer.
    case fairnessLayer = "fairness-layer"
    /// Loss plus λ · Σ squared gaps.
    case penalty
    /// The same with λ = 10⁴.
    case strictPenalty = "strict-penalty"
}

/// What decides which epoch is the best, on the validation split and after the method's postprocessor.
public enum EvaluationMetric: String, Codable, CaseIterable, Sendable {
    case loss, accuracy
    case balancedAccuracy = "balanced-accuracy"
    case worstGroupAccuracy = "worst-group-accuracy"

    var higherIsBetter: Bool { self != .loss }
}

public struct TrainingConfiguration: Codable, Equatable, Sendable {
    // What is learnt
    public var dataset = "celeba"
    public var target = ""
    public var groupBy: [String] = []
    public var model = BackboneName.simpleCNN
    public var imageSize = 224
    public var mean: [Float] = [0.485, 0.456, 0.406]
    public var std: [Float] = [0.229, 0.224, 0.225]
    public var interpolation = Interpolation.bilinear
    /// How image files are read. It decides which take part, so it belongs to the result.
    public var images = ImageLimits()

    /// Random changes of training images.
    public var augmentation = Augmentation.none

    // How it is made fair
    public var method = MethodName.fairnessLayer
    public var criterion = Criterion.demographicParity
    /// Bounds, strata or rows of the criterion; nil: none.
    public var criterionDetails: CriterionDetails?
    /// ε, in logits.
    public var epsilon = 1e-3
    public var batchThreshold = 100
    public var eta0 = 0.1
    public var pairPenalty = PairPenalty.max
    /// λ of `penalty`.
    public var penaltyWeight = 100.0

    // How it is trained
    public var epochs = 15
    public var batchSize = 128
    public var optimizer = OptimizerName.adamw
    /// Of the head, and of the backbone.
    public var learningRate = 1e-4
    public var backboneLearningRate = 1e-6
    public var minimumLearningRate = 1e-6
    public var momentum = 0.9
    public var weightDecay = 1e-4
    public var schedule = ScheduleName.plateau
    public var warmupEpochs = 0
    /// Of the step schedule: epochs between two changes, and the factor of each.
    public var stepSize = 30
    public var gamma = 0.1
    /// Chooses the best epoch and feeds early stopping; the plateau schedule always listens to the loss.
    public var evaluationMetric = EvaluationMetric.loss
    /// A model file whose weights training starts from; nil starts from random ones.
    public var weights: String?
    /// Epochs without improvement before training stops; 0 never stops.
    public var patience = 2
    /// Gradient norm; 0 does not clip.
    public var clipNorm = 8.0
    public var dropout = 0.3
    public var seed: UInt64 = 0

    public init() {}

    /// The paper's settings for a data set.
    public static func paper(dataset: String) -> TrainingConfiguration {
        var configuration = TrainingConfiguration()
        configuration.dataset = dataset
        if dataset == "fairface" {
            configuration.epsilon = 1e-4
            configuration.epochs = 100
            configuration.weightDecay = 0.01
            configuration.clipNorm = 2
            configuration.patience = 3
            configuration.augmentation = Augmentation(flip: 0.5, jitter: 0.2)
        }
        return configuration
    }

    /// With the data set's target and groups filled in.
    public func describing(_ dataset: FaceDataset) -> TrainingConfiguration {
        var configuration = self
        configuration.target = dataset.target
        configuration.groupBy = dataset.features.map(\.name)
        return configuration
    }

    /// λ of the gap penalty; nil for methods without one.
    var gapPenaltyWeight: Double? {
        switch method {
        case .penalty: penaltyWeight
        case .strictPenalty: 1e4
        case .none, .projection, .fairnessLayer: nil
        }
    }

    /// Errors: ``TrainingError/invalidConfiguration(_:)`` naming the flag and what it may be.
    public func validate() throws {
        func require(_ condition: Bool, _ message: @autoclosure () -> String) throws {
            if !condition { throw TrainingError.invalidConfiguration(message()) }
        }
        try validateCriterion()
        try require((0...1).contains(augmentation.flip), "--hflip \(augmentation.flip): must be a probability")
        try require((0..<1).contains(augmentation.jitter), "--color-jitter \(augmentation.jitter): must be at least 0 and below 1")
        try require(epochs >= 1, "--epochs \(epochs): must be at least 1")
        try require(batchSize >= 2, "--batch-size \(batchSize): batch norm needs at least 2 images")
        try require(
            imageSize >= model.minimumImageSize && imageSize <= 1024,
            "--img-size \(imageSize): \(model.rawValue) takes \(model.minimumImageSize) to 1024 pixels")
        for (flag, value) in [("--lr", learningRate), ("--backbone-lr", backboneLearningRate), ("--eta0", eta0)] {
            try require(value > 0 && value.isFinite, "\(flag) \(value): must be a number above 0")
        }
        for (flag, value) in [
            ("--epsilon", epsilon), ("--min-lr", minimumLearningRate), ("--weight-decay", weightDecay),
            ("--clip-grad-norm", clipNorm), ("--penalty-weight", penaltyWeight),
        ] { try require(value >= 0 && value.isFinite, "\(flag) \(value): must be a number of at least 0") }
        try require((0..<1).contains(momentum), "--momentum \(momentum): must be at least 0 and below 1")
        try require((0..<1).contains(dropout), "--dropout \(dropout): must be at least 0 and below 1")
        try require(warmupEpochs >= 0 && warmupEpochs < epochs, "--warmup-epochs \(warmupEpochs): must be at least 0 and fewer than --epochs \(epochs)")
        try require(stepSize >= 1, "--lr-step-size \(stepSize): must be at least 1")
        try require(gamma > 0 && gamma <= 1, "--lr-gamma \(gamma): must be above 0 and at most 1")
        try require(patience >= 0, "--patience \(patience): must be at least 0 (0 = off)")
        try require(batchThreshold >= 1, "--batch-threshold \(batchThreshold): must be at least 1")
        try require(
            mean.count == 3 && std.count == 3 && std.allSatisfy { $0 > 0 && $0.isFinite } && mean.allSatisfy(\.isFinite),
            "--mean and --std take three numbers, the std above 0")
    }

    /// What of the criterion can be judged before the groups are known; the rest is found by ``makeMethod(_:)``.
    private func validateCriterion() throws {
        func refuse(_ reason: String) -> TrainingError { .invalidConfiguration("--criterion \(criterion.rawValue): \(reason)") }
        if let complaint = (criterionDetails ?? CriterionDetails()).complaint(criterion) { throw refuse(complaint) }
        switch method {
        case .none: break
        case .projection, .fairnessLayer:
            if criterion == .equalizedResiduals {
                throw refuse(
                    "it compares scores with labels on one scale, and a classifier's logits are not on that of its labels; 'facefair project' holds it on tables")
            }
        case .penalty, .strictPenalty:
            if criterion != .demographicParity || criterionDetails?.bounds != nil {
                throw refuse("--method \(method.rawValue) prices the gaps of group means and nothing else; take --method fairness-layer")
            }
        }
    }
}
