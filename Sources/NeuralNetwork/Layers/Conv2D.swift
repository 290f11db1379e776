import TensorCore

/// 2-D convolution (cross-correlation), NHWC, weights `[out, kh, kw, in]`. Source: torch.nn.Conv2d.
public final class Conv2D: Layer {
    public let weight: Parameter
    public let bias: Parameter?
    let stride: Int, padding: Int
    let needsInputGradient: Bool
    private var saved: (input: Tensor, Void)?

    /// - `needsInputGradient`: false for a first layer, whose `backward` then returns an empty gradient.
    public init(
        _ name: String, in inputs: Int, out outputs: Int, kernel: Int, stride: Int = 1, padding: Int = 0, hasBias: Bool = true,
        needsInputGradient: Bool = true, group: ParameterGroup = .backbone
    ) {
        let start = Initializers.torchDefault(fanIn: inputs * kernel * kernel)
        weight = Parameter("\(name).weight", Shape(outputs, kernel, kernel, inputs), group: group, initialize: start)
        bias = hasBias ? Parameter("\(name).bias", Shape(outputs), group: group, initialize: start) : nil
        self.stride = stride
        self.padding = padding
        self.needsInputGradient = needsInputGradient
    }

    /// Shape: `[N, H, W, in]` → `[N, (H + 2·padding − kernel) / stride + 1, …, out]`.
    public func forward(_ x: Tensor, _ mode: Mode) -> Tensor {
        if mode == .training { saved = (x, ()) }
        return Kernels.conv2dForward(x, weight: weight.value, bias: bias?.value, stride: stride, padding: padding)
    }

    public func backward(_ dy: Tensor) -> Tensor {
        guard let (input, _) = saved else { unsaved("Conv2D") }
        Kernels.conv2dBackwardWeight(
            dy, input: input, dWeight: weight.gradient, dBias: bias?.gradient, stride: stride, padding: padding)
        guard needsInputGradient else { return Tensor(Shape(1)) }
        return Kernels.conv2dBackwardInput(
            dy, weight: weight.value, inputShape: input.shape, stride: stride, padding: padding)
    }

    public func visitParameters(_ visit: (Parameter) -> Void) {
        visit(weight)
        if let bias { visit(bias) }
    }

    public func trim() { saved = nil }

    public var label: String? { weight.layerName }

    /// Backward is two products of the forward's size, or one where the input needs no gradient.
    public func operations(input: Shape) -> (forward: Double, backward: Double) {
        let d = weight.value.shape
        let side = { (size: Int, kernel: Int) in max(0, (size + 2 * self.padding - kernel) / self.stride + 1) }
        let forward = 2 * Double(input[0] * side(input[1], d[1]) * side(input[2], d[2]) * d.count)
        return (forward, needsInputGradient ? 2 * forward : forward)
    }
}
