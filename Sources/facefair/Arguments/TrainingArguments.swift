// The hyper-parameters that `train` and `experiment` share. Unset options take the paper's value for the data set.
import ArgumentParser
import Fairness
import NeuralNetwork
import TensorCore
import Training

extension BackboneName: ExpressibleByArgument {}
extension MethodName: ExpressibleByArgument {}
extension OptimizerName: ExpressibleByArgument {}
extension ScheduleName: ExpressibleByArgument {}
extension EvaluationMetric: ExpressibleByArgument {}

struct TrainingArguments: ParsableArguments {
    @Option(help: "Network.")
    var model: BackboneName?
    @Option(help: "Side to which images are resized, in pixels (224).")
    var imgSize: Int?
    @Option(help: "How images are resized (bilinear).")
    var interpolation: Interpolation?
    @OptionGroup(title: "Images") var images: ImageArguments
    @Option(help: "Per-channel mean, three numbers separated by commas (ImageNet's).")
    var mean: String?
    @Option(help: "Per-channel standard deviation, three numbers separated by commas (ImageNet's).")
    var std: String?

    @Option(help: "Probability of flipping a training image (celeba 0, fairface 0.5).")
    var hflip: Double?
    @Option(help: "Range of random brightness, contrast and saturation around 1 (celeba 0, fairface 0.2).")
    var colorJitter: Double?
    @Flag(inversion: .prefixedNo, help: "Repeat the first epoch's flips and colours in every epoch, as the paper's released code does.")
    var frozenAugmentation: Bool?

    @Option(help: "Tolerance ε on mean-logit gaps, in logits (celeba 1e-3, fairface 1e-4).")
    var epsilon: Double?
    @Option(help: "Parity notion that --method projection and fairness-layer hold.")
    var criterion: Criterion?
    @OptionGroup var criterionDetails: CriterionArguments
    @Option(help: "Batch size b_τ from which a batch is projected hard (100).")
    var batchThreshold: Int?
    @Option(help: "First step size η₀ of the online algorithm (0.1).")
    var eta0: Double?
    @Option(help: "Gap that the online algorithm penalises.")
    var pairPenalty: PairPenalty?
    @Option(help: "λ of --method penalty (100).")
    var penaltyWeight: Double?

    @Option(help: "Epochs in all, also after a resume (celeba 15, fairface 100).")
    var epochs: Int?
    @Option(name: [.short, .long], help: "Images per batch (128).")
    var batchSize: Int?
    @Option(help: "Optimizer.")
    var opt: OptimizerName?
    @Option(help: "Learning rate of the head (1e-4).")
    var lr: Double?
    @Option(help: "Learning rate of the backbone (1e-6).")
    var backboneLr: Double?
    @Option(help: "Learning rate below which the schedule does not go (1e-6).")
    var minLr: Double?
    @Option(help: "Momentum of --opt sgd (0.9).")
    var momentum: Double?
    @Option(help: "Weight decay (celeba 1e-4, fairface 1e-2).")
    var weightDecay: Double?
    @Option(help: "Learning-rate schedule.")
    var sched: ScheduleName?
    @Option(help: "Epochs of linear warm-up (0).")
    var warmupEpochs: Int?
    @Option(help: "Epochs between two changes of --sched step (30).")
    var lrStepSize: Int?
    @Option(help: "Factor of each change of --sched step (0.1).")
    var lrGamma: Double?
    @Option(help: "Validation metric that chooses the best epoch and stops early (loss).")
    var evalMetric: EvaluationMetric?
    @Option(help: ArgumentHelp("Model file whose weights training starts from (default: random weights).", valueName: "file"))
    var weights: String?
    @Option(help: "Epochs without a better --eval-metric before training stops; 0 = off (celeba 2, fairface 3).")
    var patience: Int?
    @Option(help: "Largest gradient norm; 0 = off (celeba 8, fairface 2).")
    var clipGradNorm: Double?
    @Option(help: "Dropout in the head (0.3).")
    var dropout: Double?

    func validate() throws {
        for (flag, text) in [("--mean", mean), ("--std", std)] where text != nil && numbers(text)?.count != 3 {
            throw ValidationError("\(flag) \(text!): must be three numbers separated by commas, such as 0.485,0.456,0.406")
        }
    }

    /// The paper's settings for the data set with the user's changes.
    func configuration(dataset: String) throws -> TrainingConfiguration { try configuration(.paper(dataset: dataset)) }

    /// Given settings with the user's changes.
    func configuration(_ start: TrainingConfiguration) throws -> TrainingConfiguration {
        var c = start
        func set<T>(_ path: WritableKeyPath<TrainingConfiguration, T>, _ value: T?) {
            if let value { c[keyPath: path] = value }
        }
        set(\.model, model)
        set(\.imageSize, imgSize)
        set(\.interpolation, interpolation)
        c.images = images.limits
        set(\.mean, numbers(mean))
        set(\.std, numbers(std))
        set(\.augmentation.flip, hflip)
        set(\.augmentation.jitter, colorJitter)
        set(\.augmentation.isFrozen, frozenAugmentation)
        set(\.epsilon, epsilon)
        set(\.criterion, criterion)
        c.criterionDetails = try criterionDetails.details()
        set(\.batchThreshold, batchThreshold)
        set(\.eta0, eta0)
        set(\.pairPenalty, pairPenalty)
        set(\.penaltyWeight, penaltyWeight)
        set(\.epochs, epochs)
        set(\.batchSize, batchSize)
        set(\.optimizer, opt)
        set(\.learningRate, lr)
        set(\.backboneLearningRate, backboneLr)
        set(\.minimumLearningRate, minLr)
        set(\.momentum, momentum)
        set(\.weightDecay, weightDecay)
        set(\.schedule, sched)
        set(\.warmupEpochs, warmupEpochs)
        set(\.stepSize, lrStepSize)
        set(\.gamma, lrGamma)
        set(\.evaluationMetric, evalMetric)
        set(\.weights, weights)
        set(\.patience, patience)
        set(\.clipNorm, clipGradNorm)
        set(\.dropout, dropout)
        return c
    }

    /// Every setting as a flag, so that `--config` of these lines gives the same configuration.
    static func flags(_ c: TrainingConfiguration) -> [(key: String, value: String)] {
        func list(_ values: [Float]) -> String { values.map { "\($0)" }.joined(separator: ",") }
        var flags: [(key: String, value: String)] = [
            ("target", c.target), ("group-by", c.groupBy.joined(separator: ",")), ("model", c.model.rawValue),
            ("img-size", "\(c.imageSize)"), ("interpolation", c.interpolation.rawValue), ("mean", list(c.mean)), ("std", list(c.std)), ("hflip", "\(c.augmentation.flip)"),
            ("color-jitter", "\(c.augmentation.jitter)"), ("frozen-augmentation", "\(c.augmentation.isFrozen)"), ("epsilon", "\(c.epsilon)"),
            ("criterion", c.criterion.rawValue), ("batch-threshold", "\(c.batchThreshold)"), ("eta0", "\(c.eta0)"),
            ("pair-penalty", c.pairPenalty.rawValue), ("penalty-weight", "\(c.penaltyWeight)"), ("epochs", "\(c.epochs)"),
            ("batch-size", "\(c.batchSize)"), ("opt", c.optimizer.rawValue), ("lr", "\(c.learningRate)"),
            ("backbone-lr", "\(c.backboneLearningRate)"), ("min-lr", "\(c.minimumLearningRate)"), ("momentum", "\(c.momentum)"),
            ("weight-decay", "\(c.weightDecay)"), ("sched", c.schedule.rawValue), ("warmup-epochs", "\(c.warmupEpochs)"),
            ("lr-step-size", "\(c.stepSize)"), ("lr-gamma", "\(c.gamma)"), ("eval-metric", c.evaluationMetric.rawValue),
            ("patience", "\(c.patience)"), ("clip-grad-norm", "\(c.clipNorm)"), ("dropout", "\(c.dropout)"),
        ]
        flags += ImageArguments.flags(c.images)
        if let details = c.criterionDetails { flags += CriterionArguments.flags(details) }
        if let weights = c.weights { flags.append(("weights", weights)) }
        return flags
    }

    private func numbers(_ text: String?) -> [Float]? {
        guard let text else { return nil }
        let parts = text.split(separator: ",", omittingEmptySubsequences: false).map { Float($0) }
        return parts.contains { $0 == nil } ? nil : parts.compactMap(\.self)
    }
}
