import TensorCore

/// Layers one after another; runs of convolution, batch norm, ReLU and pooling go through `FusedRun`. Source: torch.nn.Sequential.
public final class Sequential: Layer {
    public let layers: [any Layer]

    private let steps: [any Layer]
    /// One name per step for ``LayerTimes``.
    private let names: [String]

    public init(_ layers: [any Layer]) {
        self.layers = layers
        steps = FusedRun.fuse(layers)
        names = LayerTimes.names(of: steps)
    }

    /// False: every layer runs by itself. Takes effect with the next forward pass.
    public var usesFusedKernels = true {
        didSet { for case let run as FusedRun in steps { run.isEnabled = usesFusedKernels } }
    }

    public func forward(_ x: Tensor, _ mode: Mode) -> Tensor {
        steps.indices.reduce(x) { LayerTimes.forward(steps[$1], names[$1], $0, mode) }
    }

    public func backward(_ dy: Tensor) -> Tensor {
        steps.indices.reversed().reduce(dy) { LayerTimes.backward(steps[$1], names[$1], $0) }
    }

    public func visitParameters(_ visit: (Parameter) -> Void) {
        for layer in layers { layer.visitParameters(visit) }
    }

    public func trim() {
        for step in steps { step.trim() }
    }

    public func parametersChanged() {
        for step in steps { step.parametersChanged() }
    }
}
