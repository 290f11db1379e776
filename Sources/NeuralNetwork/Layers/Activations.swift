import TensorCore

/// max(x, 0). Source: torch.nn.ReLU.
public final class ReLU: Layer {
    private var saved: Tensor?

    public init() {}

    public func forward(_ x: Tensor, _ mode: Mode) -> Tensor {
        let y = Kernels.reluForward(x)
        if mode == .training { saved = y }
        return y
    }

    public func backward(_ dy: Tensor) -> Tensor {
        guard let saved else { unsaved("ReLU") }
        return Kernels.reluBackward(dy, output: saved)
    }

    public func trim() { saved = nil }
}

/// Zeroes each value with a probability, in training only, and scales the rest by 1 / (1 − probability). Source: torch.nn.Dropout.
public final class Dropout: Layer {
    private let probability: Float
    /// Part of a run's resumable state.
    public var random: RandomSource
    private var saved: Tensor?

    public init(probability: Double, random: RandomSource) {
        self.probability = Float(probability)
        self.random = random
    }

    public func forward(_ x: Tensor, _ mode: Mode) -> Tensor {
        guard mode == .training else { return x }
        let (y, mask) = Kernels.dropoutForward(x, probability: probability, random: &random)
        saved = mask
        return y
    }

    public func backward(_ dy: Tensor) -> Tensor {
        guard let saved else { unsaved("Dropout") }
        return Kernels.dropoutBackward(dy, mask: saved)
    }

    public func trim() { saved = nil }
}
