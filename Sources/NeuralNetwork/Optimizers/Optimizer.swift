// Optimizers: one call of a fused kernel per parameter group over the flat buffers.
import TensorCore

public enum OptimizerName: String, CaseIterable, Codable, Sendable { case adamw, adam, sgd }

public protocol Optimizer: AnyObject {
    /// Learning rate per parameter group; schedules write here.
    var learningRates: [ParameterGroup: Double] { get set }
    /// Steps taken.
    var step: Int { get set }
    /// Named state for a checkpoint, in the layout of the flat buffers. Read and written in place.
    var state: [(name: String, tensor: Tensor)] { get }
    /// Applies the store's gradients.
    func update()
}

/// How weight decay enters an Adam step.
public enum WeightDecayMode: Sendable {
    /// Straight on the parameters. Source: torch.optim.AdamW.
    case decoupled
    /// As a part of the gradient. Source: torch.optim.Adam.
    case coupled
}

/// Adam with weight decay on every parameter. Source: torch.optim.AdamW and Adam (betas .9, .999; eps 1e-8).
public final class AdamW: Optimizer {
    public var learningRates: [ParameterGroup: Double]
    public var step = 0
    private let store: ParameterStore
    private let weightDecay: Double
    private let mode: WeightDecayMode
    private let m: Tensor, v: Tensor

    public init(
        _ store: ParameterStore, learningRates: [ParameterGroup: Double], weightDecay: Double = 0.01,
        mode: WeightDecayMode = .decoupled
    ) {
        self.store = store
        self.learningRates = learningRates
        self.weightDecay = weightDecay
        self.mode = mode
        m = Tensor(zeros: store.values.shape)
        v = Tensor(zeros: store.values.shape)
    }

    public var state: [(name: String, tensor: Tensor)] { [("optimizer.exp_avg", m), ("optimizer.exp_avg_sq", v)] }

    public func update() {
        step += 1
        if mode == .coupled, weightDecay > 0 { addDecayToGradients() }
        for group in ParameterGroup.allCases {
            let range = store.range(of: group)
            guard !range.isEmpty else { continue }
            let part = { (tensor: Tensor) in tensor.view(offset: range.lowerBound, Shape(range.count)) }
            Kernels.adamWStep(
                parameters: part(store.values), gradients: part(store.gradients), m: part(m), v: part(v),
                learningRate: Float(learningRates[group]!), beta1: 0.9, beta2: 0.999, epsilon: 1e-8,
                weightDecay: mode == .decoupled ? Float(weightDecay) : 0, step: step)
        }
    }

    private func addDecayToGradients() {
        let decay = Float(weightDecay), gradients = store.gradients.pointer, values = store.values.pointer
        for i in 0..<store.values.count { gradients[i] += decay * values[i] }
    }
}

/// Source: torch.optim.SGD (dampening 0).
public final class SGD: Optimizer {
    public var learningRates: [ParameterGroup: Double]
    public var step = 0
    private let store: ParameterStore
    private let momentum: Double, weightDecay: Double, nesterov: Bool
    private let buffer: Tensor

    public init(
        _ store: ParameterStore, learningRates: [ParameterGroup: Double], momentum: Double = 0.9, weightDecay: Double = 0,
        nesterov: Bool = false
    ) {
        self.store = store
        self.learningRates = learningRates
        self.momentum = momentum
        self.weightDecay = weightDecay
        self.nesterov = nesterov
        buffer = Tensor(zeros: store.values.shape)
    }

    public var state: [(name: String, tensor: Tensor)] { [("optimizer.momentum_buffer", buffer)] }

    public func update() {
        step += 1
        for group in ParameterGroup.allCases {
            let range = store.range(of: group)
            guard !range.isEmpty else { continue }
            let part = { (tensor: Tensor) in tensor.view(offset: range.lowerBound, Shape(range.count)) }
            Kernels.sgdStep(
                parameters: part(store.values), gradients: part(store.gradients),
                momentumBuffer: momentum > 0 ? part(buffer) : nil, learningRate: Float(learningRates[group]!),
                momentum: Float(momentum), weightDecay: Float(weightDecay), nesterov: nesterov, firstStep: step == 1)
        }
    }
}

/// Source: torch.nn.utils.clip_grad_norm_.
public enum GradientClipping {
    /// Scales all gradients so that their joint L2 norm is at most `maxNorm`; returns the norm before. NaN passes through.
    @discardableResult
    public static func clip(_ store: ParameterStore, maxNorm: Double) -> Double {
        let norm = Kernels.sumOfSquares(store.gradients).squareRoot()
        let factor = maxNorm / (norm + 1e-6)
        if factor < 1 { Kernels.scale(store.gradients, by: Float(factor)) }
        return norm
    }
}
