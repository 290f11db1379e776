import TensorCore

/// Layers one after another. Source: torch.nn.Sequential.
public final class Sequential: Layer {
    public let layers: [any Layer]

    public init(_ layers: [any Layer]) { self.layers = layers }

    public func forward(_ x: Tensor, _ mode: Mode) -> Tensor {
        layers.reduce(x) { $1.forward($0, mode) }
    }

    public func backward(_ dy: Tensor) -> Tensor {
        layers.reversed().reduce(dy) { $1.backward($0) }
    }

    public func visitParameters(_ visit: (Parameter) -> Void) {
        for layer in layers { layer.visitParameters(visit) }
    }

    public func trim() {
        for layer in layers { layer.trim() }
    }
}
