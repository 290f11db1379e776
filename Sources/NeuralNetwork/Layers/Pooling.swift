import TensorCore

/// Maximum over windows; the first maximum gets the gradient. Source: torch.nn.MaxPool2d (floor mode).
public final class MaxPool2D: Layer {
    let kernel: Int, stride: Int, padding: Int
    private var saved: (input: Tensor, output: Tensor)?

    public init(kernel: Int, stride: Int? = nil, padding: Int = 0) {
        self.kernel = kernel
        self.stride = stride ?? kernel
        self.padding = padding
    }

    public func forward(_ x: Tensor, _ mode: Mode) -> Tensor {
        let y = Kernels.maxPool2dForward(x, kernel: kernel, stride: stride, padding: padding)
        if mode == .training { saved = (x, y) }
        return y
    }

    public func backward(_ dy: Tensor) -> Tensor {
        guard let saved else { unsaved("MaxPool2D") }
        return Kernels.maxPool2dBackward(
            dy, input: saved.input, output: saved.output, kernel: kernel, stride: stride, padding: padding)
    }

    public func trim() { saved = nil }
}

/// Mean over windows, padding counted. Source: torch.nn.AvgPool2d.
public final class AveragePool2D: Layer {
    private let kernel: Int, stride: Int, padding: Int
    private var saved: Shape?

    public init(kernel: Int, stride: Int? = nil, padding: Int = 0) {
        self.kernel = kernel
        self.stride = stride ?? kernel
        self.padding = padding
    }

    public func forward(_ x: Tensor, _ mode: Mode) -> Tensor {
        if mode == .training { saved = x.shape }
        return Kernels.averagePool2dForward(x, kernel: kernel, stride: stride, padding: padding)
    }

    public func backward(_ dy: Tensor) -> Tensor {
        guard let saved else { unsaved("AveragePool2D") }
        return Kernels.averagePool2dBackward(dy, inputShape: saved, kernel: kernel, stride: stride, padding: padding)
    }

    public func trim() { saved = nil }
}

/// Mean over each image's pixels: `[N, H, W, C]` → `[N, C]`. Source: torch.nn.AdaptiveAvgPool2d(1) and flatten.
public final class GlobalAveragePool: Layer {
    private var saved: Shape?

    public init() {}

    public func forward(_ x: Tensor, _ mode: Mode) -> Tensor {
        if mode == .training { saved = x.shape }
        return Kernels.globalAveragePoolForward(x)
    }

    public func backward(_ dy: Tensor) -> Tensor {
        guard let saved else { unsaved("GlobalAveragePool") }
        return Kernels.globalAveragePoolBackward(dy, inputShape: saved)
    }

    public func trim() { saved = nil }
}
