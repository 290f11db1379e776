import TensorCore

/// Layers one after another. Source: torch.nn.Sequential.
public final class Sequential: Layer {
    public let layers: [any Layer]

    /// One name per layer for ``LayerTimes``.
    private let names: [String]

    public init(_ layers: [any Layer]) {
        self.layers = layers
        var last = ""
        names = layers.map { layer in
            if let label = layer.label { last = label }
            return layer.label ?? "\(type(of: layer)) after \(last)"
        }
    }

    public func forward(_ x: Tensor, _ mode: Mode) -> Tensor {
        layers.indices.reduce(x) { LayerTimes.forward(layers[$1], names[$1], $0, mode) }
    }

    public func backward(_ dy: Tensor) -> Tensor {
        layers.indices.reversed().reduce(dy) { LayerTimes.backward(layers[$1], names[$1], $0) }
    }

    public func visitParameters(_ visit: (Parameter) -> Void) {
        for layer in layers { layer.visitParameters(visit) }
    }

    public func trim() {
        for layer in layers { layer.trim() }
    }
}
