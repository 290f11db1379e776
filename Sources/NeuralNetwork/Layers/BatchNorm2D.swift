import TensorCore

/// Batch normalisation over the last dimension of NHWC. Source: torch.nn.BatchNorm2d (momentum .1, eps 1e-5, unbiased running variance).
public final class BatchNorm2D: Layer {
    public let weight: Parameter, bias: Parameter
    public let runningMean: Parameter, runningVariance: Parameter
    static let momentum: Float = 0.1, epsilon: Float = 1e-5
    private var saved: (input: Tensor, mean: Tensor, inverseStd: Tensor)?

    public init(_ name: String, channels: Int, group: ParameterGroup = .backbone) {
        let shape = Shape(channels)
        weight = Parameter("\(name).weight", shape, group: group, initialize: Initializers.constant(1))
        bias = Parameter("\(name).bias", shape, group: group, initialize: Initializers.constant(0))
        runningMean = Parameter(
            "\(name).running_mean", shape, group: group, isBuffer: true, initialize: Initializers.constant(0))
        runningVariance = Parameter(
            "\(name).running_var", shape, group: group, isBuffer: true, initialize: Initializers.constant(1))
    }

    /// Shape: `[N, H, W, C]` → the same. In training, moves the running statistics.
    public func forward(_ x: Tensor, _ mode: Mode) -> Tensor {
        guard mode == .training else {
            return Kernels.batchNormInferForward(
                x, gamma: weight.value, beta: bias.value, runningMean: runningMean.value,
                runningVariance: runningVariance.value, epsilon: Self.epsilon)
        }
        let (y, mean, inverseStd) = Kernels.batchNormTrainForward(
            x, gamma: weight.value, beta: bias.value, runningMean: runningMean.value,
            runningVariance: runningVariance.value, momentum: Self.momentum, epsilon: Self.epsilon)
        saved = (x, mean, inverseStd)
        return y
    }

    public func backward(_ dy: Tensor) -> Tensor {
        guard let saved else { unsaved("BatchNorm2D") }
        return Kernels.batchNormBackward(
            dy, input: saved.input, gamma: weight.value, mean: saved.mean, inverseStd: saved.inverseStd,
            dGamma: weight.gradient, dBeta: bias.gradient)
    }

    public func visitParameters(_ visit: (Parameter) -> Void) {
        [weight, bias, runningMean, runningVariance].forEach(visit)
    }

    public func trim() { saved = nil }

    public var label: String? { weight.layerName }
}
