// The paper's small network, trained from scratch (arXiv 2605.17118, image experiments: "SimpleCNN").
import TensorCore

/// Five blocks of 3×3 convolution, batch norm and ReLU, max pooling after the first four, then global average pooling.
///
/// Shape: `[N, H, W, 3]` → `[N, 512]`, H and W ≥ 16. Channels 3 → 32 → 64 → 128 → 256 → 512.
/// Keys: `backbone.conv1.weight` … `backbone.bn5.running_var`.
public final class SimpleCNN: Backbone {
    public static let minimumImageSize = 16
    public let featureCount = 512
    private static let channels = [3, 32, 64, 128, 256, 512]
    private let body: Sequential

    public init() {
        let channels = Self.channels
        var layers: [any Layer] = []
        for block in 1...5 {
            layers += [
                Conv2D(
                    "backbone.conv\(block)", in: channels[block - 1], out: channels[block], kernel: 3, padding: 1,
                    needsInputGradient: block > 1),
                BatchNorm2D("backbone.bn\(block)", channels: channels[block]),
                ReLU(),
            ]
            if block < 5 { layers.append(MaxPool2D(kernel: 2)) }
        }
        layers.append(GlobalAveragePool())
        body = Sequential(layers)
    }

    /// Training adds two products of the same size per layer, but the images need no gradient.
    public func operations(imageSize: Int) -> (forward: Double, training: Double) {
        var forward = 0.0, training = 0.0, side = imageSize
        for block in 1...5 {
            let layer = 2.0 * 9 * Double(Self.channels[block - 1] * Self.channels[block] * side * side)
            forward += layer
            training += layer * (block > 1 ? 3 : 2)
            side /= 2
        }
        return (forward, training)
    }

    public func forward(_ x: Tensor, _ mode: Mode) -> Tensor { body.forward(x, mode) }
    public func backward(_ dy: Tensor) -> Tensor { body.backward(dy) }
    public func visitParameters(_ visit: (Parameter) -> Void) { body.visitParameters(visit) }
    public func trim() { body.trim() }
    public func parametersChanged() { body.parametersChanged() }

    public var usesFusedKernels: Bool {
        get { body.usesFusedKernels }
        set { body.usesFusedKernels = newValue }
    }
}
