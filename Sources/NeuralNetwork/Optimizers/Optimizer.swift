// Optimizers: one call of a fused kernel per parameter group over the flat buffers.
import TensorCore

public enum OptimizerName: String, CaseIterable, Codable, Sendable { case adamw, sgd }

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

/// Decoupled weight decay on every parameter. Source: torch.optim.AdamW (betas .9, .999; eps 1e-8).
public final class AdamW: Optimizer {
    public var learningRates: [ParameterGroup: Double]
    public var step = 0
    private let store: ParameterStore
    private let weightDecay: Double
    private let m: Tensor, v: Tensor

    public init(_ store: ParameterStore, learningRates: [ParameterGroup: Double], weightDecay: Double = 0.01) {
        self.store = store
        self.learningRates = learningRates
        self.weightDecay = weightDecay
        m = Tensor(zeros: store.values.shape)
        v = Tensor(zeros: store.values.shape)
    }

    public var state: [(name: String, tensor: Tensor)] { [("optimizer.exp_avg", m), ("optimizer.exp_avg_sq", v)] }

    public func update() {
        step += 1
        for group in ParameterGroup.allCases {
            let range = store.range(of: group)
            guard !range.isEmpty else { continue }
            let part = { (tensor: Tensor) in tensor.view(offset: range.lowerBound, Shape(range.count)) }
            Kernels.adamWStep(
                parameters: part(store.values), gradients: part(store.gradients), m: part(m), v: part(v),
                learningRate: Float(learningRates[group]!), beta1: 0.9, beta2: 0.999, epsilon: 1e-8,
                weightDecay: Float(weightDecay), step: step)
        }
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
