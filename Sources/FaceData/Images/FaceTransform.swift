// What happens to a decoded image before the network sees it.
import TensorCore

/// Resize to a square, then (x/255 − mean) / std per channel: the paper's pipeline, which does not crop.
public struct FaceTransform: Codable, Equatable, Sendable {
    /// Pixels a side.
    public let imageSize: Int
    public let interpolation: Interpolation
    /// Per channel, in units of 0…1.
    public let mean: [Float]
    public let std: [Float]

    /// Source: torchvision's ImageNet weights.
    public static let imageNetMean: [Float] = [0.485, 0.456, 0.406]
    public static let imageNetStd: [Float] = [0.229, 0.224, 0.225]

    /// Errors: traps unless imageSize > 0, three means, three positive deviations.
    public init(
        imageSize: Int, interpolation: Interpolation = .bilinear, mean: [Float] = imageNetMean, std: [Float] = imageNetStd
    ) {
        precondition(imageSize > 0, "an image of \(imageSize) pixels a side")
        precondition(mean.count == 3 && std.count == 3, "mean and std need 3 values, not \(mean.count) and \(std.count)")
        precondition(std.allSatisfy { $0 > 0 }, "std must be positive: \(std)")
        self.imageSize = imageSize
        self.interpolation = interpolation
        self.mean = mean
        self.std = std
    }

    public var pixelCount: Int { imageSize * imageSize }
    /// Bytes of one resized 8-bit image, and values of one normalised image.
    public var byteCount: Int { pixelCount * 3 }

    /// Normalises one resized image. Shape: [imageSize, imageSize, 3] on both sides.
    public func normalize(_ pixels: UnsafePointer<UInt8>, into output: UnsafeMutablePointer<Float>) {
        Kernels.normalize(pixels, pixelCount: pixelCount, mean: mean, std: std, into: output)
    }
}
