// Random changes of training images: horizontal flip and colour jitter, on the normalised batch.
import TensorCore

/// What a training image may be changed by. Each image's draw is a function of the random source, the epoch and the sample alone, so
/// batches do not depend on threads, workers or interruptions.
public struct Augmentation: Codable, Equatable, Sendable {
    /// Probability of a horizontal flip.
    public var flip: Double
    /// Brightness, contrast and saturation are each multiplied by a factor from [1 − jitter, 1 + jitter], in random order.
    /// Source: torchvision.transforms.ColorJitter.
    public var jitter: Double
    /// Every epoch repeats the first one's draw, as the paper's released code does by caching.
    public var isFrozen: Bool

    public init(flip: Double = 0, jitter: Double = 0, isFrozen: Bool = false) {
        self.flip = flip
        self.jitter = jitter
        self.isFrozen = isFrozen
    }

    public static let none = Augmentation()

    public var isNone: Bool { flip == 0 && jitter == 0 }

    /// The changes of one epoch's images, nil where there are none. The draws depend on epoch and sample alone.
    public func change(transform: FaceTransform, epoch: Int, random: RandomSource) -> ImageChange? {
        guard !isNone else { return nil }
        let source = random.fork(UInt64(isFrozen ? 0 : epoch))
        return { [self] pixels, sample in
            var draw = source.fork(UInt64(sample))
            if draw.uniform() < flip { Self.flip(pixels, size: transform.imageSize) }
            if jitter > 0 { recolour(pixels, transform, &draw) }
        }
    }

    private func recolour(_ pixels: UnsafeMutableBufferPointer<Float>, _ transform: FaceTransform, _ draw: inout RandomSource) {
        let order = draw.permutation(3)
        let factors = (0..<3).map { _ in Float(1 - jitter + 2 * jitter * draw.uniform()) }
        for i in pixels.indices { pixels[i] = pixels[i] * transform.std[i % 3] + transform.mean[i % 3] }
        for kind in order {
            switch kind {
            case 0: ColorAdjustment.brightness(pixels, factors[0])
            case 1: ColorAdjustment.contrast(pixels, factors[1])
            default: ColorAdjustment.saturation(pixels, factors[2])
            }
        }
        for i in pixels.indices { pixels[i] = (pixels[i] - transform.mean[i % 3]) / transform.std[i % 3] }
    }

    package static func flip(_ pixels: UnsafeMutableBufferPointer<Float>, size: Int) {
        for row in 0..<size {
            for column in 0..<size / 2 {
                let left = (row * size + column) * 3, right = (row * size + size - 1 - column) * 3
                for channel in 0..<3 { pixels.swapAt(left + channel, right + channel) }
            }
        }
    }
}

/// Colour changes of RGB pixels in 0…1, clamped to it. Source: torchvision.transforms.functional.
package enum ColorAdjustment {
    package static func brightness(_ pixels: UnsafeMutableBufferPointer<Float>, _ factor: Float) {
        for i in pixels.indices { pixels[i] = clamped(pixels[i] * factor) }
    }

    /// Blends with the mean grey of the image.
    package static func contrast(_ pixels: UnsafeMutableBufferPointer<Float>, _ factor: Float) {
        var sum = 0.0
        for i in stride(from: 0, to: pixels.count, by: 3) { sum += Double(grey(pixels, i)) }
        let mean = Float(sum / Double(pixels.count / 3))
        for i in pixels.indices { pixels[i] = clamped(factor * pixels[i] + (1 - factor) * mean) }
    }

    /// Blends with each pixel's grey.
    package static func saturation(_ pixels: UnsafeMutableBufferPointer<Float>, _ factor: Float) {
        for i in stride(from: 0, to: pixels.count, by: 3) {
            let grey = grey(pixels, i)
            for channel in 0..<3 { pixels[i + channel] = clamped(factor * pixels[i + channel] + (1 - factor) * grey) }
        }
    }

    private static func grey(_ pixels: UnsafeMutableBufferPointer<Float>, _ i: Int) -> Float {
        0.2989 * pixels[i] + 0.587 * pixels[i + 1] + 0.114 * pixels[i + 2]
    }

    private static func clamped(_ value: Float) -> Float { min(max(value, 0), 1) }
}
