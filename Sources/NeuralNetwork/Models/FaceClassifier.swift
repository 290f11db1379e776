// A backbone and the paper's head: one logit per face.
import Foundation
import TensorCore

/// What must be known to build the network again. Source: arXiv 2605.17118, image experiments.
public struct ClassifierConfiguration: Codable, Equatable, Sendable {
    public var backbone: BackboneName
    public var headHidden: Int
    public var dropout: Double
    /// P(label = 1) in the training data; the final bias starts at its log-odds.
    public var baseRate: Double

    public init(backbone: BackboneName = .simpleCNN, headHidden: Int = 128, dropout: Double = 0.3, baseRate: Double = 0.5) {
        self.backbone = backbone
        self.headHidden = headHidden
        self.dropout = dropout
        self.baseRate = baseRate
    }

    /// What is impossible about the values, nil if nothing is.
    var complaint: String? {
        if !(1...65_536 ~= headHidden) { return "head of \(headHidden) hidden units" }
        if !(dropout >= 0 && dropout < 1) { return "dropout \(dropout) is not in 0..<1" }
        if !(0...1 ~= baseRate) { return "base rate \(baseRate) is not a probability" }
        return nil
    }

    /// log(p / (1 − p)), with p kept away from 0 and 1.
    var initialLogit: Float {
        let p = min(max(baseRate, 1e-6), 1 - 1e-6)
        return Float(log(p / (1 - p)))
    }
}

/// Backbone, then Linear(512, 128), ReLU, Dropout(.3), Linear(128, 1).
///
/// Not `Sendable`: one owner, one caller at a time.
public final class FaceClassifier {
    public let configuration: ClassifierConfiguration
    public let store: ParameterStore
    private let backbone: any Backbone
    private let head: Sequential
    private let dropout: Dropout

    public init(_ configuration: ClassifierConfiguration, random: RandomSource) {
        self.configuration = configuration
        backbone = configuration.backbone.make()
        dropout = Dropout(probability: configuration.dropout, random: random.fork(1))
        let final = Linear("head.3", in: configuration.headHidden, out: 1, xavierGain: 0.3)
        head = Sequential([
            Linear("head.0", in: backbone.featureCount, out: configuration.headHidden, xavierGain: 0.3), ReLU(), dropout, final,
        ])
        var all: [Parameter] = []
        backbone.visitParameters { all.append($0) }
        head.visitParameters { all.append($0) }
        store = ParameterStore(all, random: random.fork(0))
        final.bias.value.fill(configuration.initialLogit)
    }

    /// The dropout's random stream, part of a run's resumable state.
    public var dropoutRandom: RandomSource {
        get { dropout.random }
        set { dropout.random = newValue }
    }

    /// False: every layer of the backbone runs by itself; slower, for comparison. Takes effect with the next forward pass.
    public var usesFusedKernels: Bool {
        get { backbone.usesFusedKernels }
        set { backbone.usesFusedKernels = newValue }
    }

    /// Inference keeps filters in a form of its own. It notices training and whole tensors that were written; whoever writes single
    /// parameter values by hand says so here.
    public func parametersChanged() {
        backbone.parametersChanged()
        head.parametersChanged()
    }

    /// Shape: images `[N, H, W, 3]`, normalised → N logits.
    public func forward(_ images: Tensor, _ mode: Mode) -> [Float] {
        head.forward(backbone.forward(images, mode), mode).toArray()
    }

    /// Adds parameter gradients for the last training forward. May be called twice on one forward.
    ///
    /// Shape: N gradients of the logits.
    public func backward(_ dLogits: [Float]) {
        _ = backbone.backward(head.backward(Tensor(Shape(dLogits.count, 1), dLogits)))
    }

    /// Arithmetic of the backbone for one image; the head's is negligible.
    public func operations(imageSize: Int) -> (forward: Double, training: Double) { backbone.operations(imageSize: imageSize) }

    /// Drops the activations that `backward` would need.
    public func trim() {
        backbone.trim()
        head.trim()
    }
}
