// The image networks by name: one file per network, one line here.
import TensorCore

/// Images to features: `[N, H, W, 3]` → `[N, featureCount]`.
public protocol Backbone: Layer {
    var featureCount: Int { get }
    /// False: every layer runs by itself, through the kernels that serve any network.
    var usesFusedKernels: Bool { get set }
    /// Arithmetic of the convolutions for one image, counting a multiplication and an addition as two.
    func operations(imageSize: Int) -> (forward: Double, training: Double)
}

public enum BackboneName: String, CaseIterable, Codable, Sendable {
    case simpleCNN = "simple_cnn"

    public func make() -> any Backbone {
        switch self {
        case .simpleCNN: SimpleCNN()
        }
    }

    /// Smaller images vanish in the network's pooling. Units: pixels.
    public var minimumImageSize: Int {
        switch self {
        case .simpleCNN: SimpleCNN.minimumImageSize
        }
    }
}
