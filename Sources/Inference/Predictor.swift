// A loaded model that predicts: pixels in, logits out.
import FaceData
import Fairness
import Foundation
import NeuralNetwork
import TensorCore

/// Not thread-safe: one owner, one caller at a time.
public final class Predictor {
    public let metadata: ModelMetadata
    public let features: SensitiveFeatures
    public let transform: FaceTransform
    /// `celeba-smiling@3f2a9c`: data set, target, and the start of the file's hash.
    public let modelName: String
    /// The model file's fingerprint.
    public let modelHash: String
    private let classifier: FaceClassifier

    /// Errors: `CheckpointError`.
    public init(modelFile: URL) throws {
        (classifier, metadata) = try Checkpoint.load(modelFile)
        features = SensitiveFeatures(metadata.features.map { .init(name: $0.name, values: $0.values) })
        transform = FaceTransform(
            imageSize: metadata.imageSize, interpolation: metadata.interpolation ?? .bilinear, mean: metadata.mean, std: metadata.std)
        modelHash = fingerprint(try Data(contentsOf: modelFile, options: .alwaysMapped))
        modelName = "\(metadata.dataset)-\(metadata.target.lowercased())@\(modelHash.prefix(6))"
    }

    /// Logits of images that are decoded and resized, as `ImageDecoder` leaves them.
    ///
    /// Shape: each image `[imageSize, imageSize, 3]` of bytes → one logit each.
    public func logits(_ images: [[UInt8]]) -> [Double] {
        guard !images.isEmpty else { return [] }
        let size = transform.imageSize
        let batch = Tensor(Shape(images.count, size, size, 3))
        for (index, image) in images.enumerated() {
            precondition(image.count == transform.byteCount, "an image of \(image.count) bytes, expected \(transform.byteCount)")
            image.withUnsafeBufferPointer {
                transform.normalize($0.baseAddress!, into: batch.pointer + index * transform.byteCount)
            }
        }
        return logits(batch)
    }

    /// Shape: `[N, imageSize, imageSize, 3]`, normalised → N logits.
    public func logits(_ batch: Tensor) -> [Double] {
        classifier.forward(batch, .inference).map(Double.init)
    }
}

/// FNV-1a, 64 bits, as 16 hexadecimal digits: tells files apart, protects nothing.
public func fingerprint(_ data: Data) -> String {
    var hash: UInt64 = 0xcbf2_9ce4_8422_2325
    data.withUnsafeBytes { bytes in
        for byte in bytes { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01b3 }
    }
    let digits = String(hash, radix: 16)
    return String(repeating: "0", count: 16 - digits.count) + digits
}
