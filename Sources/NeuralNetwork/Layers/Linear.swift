import TensorCore

/// y = x Wᵀ + b, weights `[out, in]`. Source: torch.nn.Linear.
public final class Linear: Layer {
    public let weight: Parameter
    public let bias: Parameter
    private var saved: Tensor?

    /// - `xavierGain`: nil for torch's default initial values; otherwise xavier-uniform weights and zero bias.
    public init(_ name: String, in inputs: Int, out outputs: Int, xavierGain: Double? = nil, group: ParameterGroup = .head) {
        let weights: (Tensor, inout RandomSource) -> Void
        let biases: (Tensor, inout RandomSource) -> Void
        if let xavierGain {
            weights = Initializers.xavierUniform(fanIn: inputs, fanOut: outputs, gain: xavierGain)
            biases = Initializers.constant(0)
        } else {
            weights = Initializers.torchDefault(fanIn: inputs)
            biases = weights
        }
        weight = Parameter("\(name).weight", Shape(outputs, inputs), group: group, initialize: weights)
        bias = Parameter("\(name).bias", Shape(outputs), group: group, initialize: biases)
    }

    /// Shape: `[N, in]` → `[N, out]`.
    public func forward(_ x: Tensor, _ mode: Mode) -> Tensor {
        if mode == .training { saved = x }
        return Kernels.linearForward(x, weight: weight.value, bias: bias.value)
    }

    public func backward(_ dy: Tensor) -> Tensor {
        guard let input = saved else { unsaved("Linear") }
        Kernels.linearBackwardWeight(dy, input: input, dWeight: weight.gradient, dBias: bias.gradient)
        return Kernels.linearBackwardInput(dy, weight: weight.value)
    }

    public var label: String? { weight.layerName }

    public func operations(input: Shape) -> (forward: Double, backward: Double) {
        let forward = 2 * Double(input[0] * weight.value.count)
        return (forward, 2 * forward)
    }

    public func visitParameters(_ visit: (Parameter) -> Void) {
        visit(weight)
        visit(bias)
    }

    public func trim() { saved = nil }
}
