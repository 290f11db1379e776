// What a model file says of itself, so that one file is enough to predict with it.
import Foundation

/// A sensitive feature as the model was trained with it: name and values in order.
public struct FeatureDeclaration: Codable, Equatable, Sendable {
    public let name: String
    public let values: [String]

    public init(name: String, values: [String]) {
        self.name = name
        self.values = values
    }
}

/// Stored as JSON under the key `facefair` of the file's `__metadata__`.
public struct ModelMetadata: Codable, Equatable, Sendable {
    public var version = 1
    public var classifier: ClassifierConfiguration
    /// Preprocessing: side in pixels, then (x/255 − mean) / std per channel.
    public var imageSize: Int
    public var mean: [Float]
    public var std: [Float]
    public var dataset: String
    /// Trained on drawn faces: every report says so.
    public var synthetic: Bool
    public var target: String
    public var features: [FeatureDeclaration]
    public var method: String
    public var criterion: String
    /// ε, in logits.
    public var epsilon: Double
    /// b_τ, η₀ and the pair penalty of the online algorithm.
    public var batchThreshold: Int
    public var eta0: Double
    public var pairPenalty: String
    public var seed: UInt64
    public var epoch: Int
    /// On the probability.
    public var threshold: Double

    public init(
        classifier: ClassifierConfiguration, imageSize: Int, mean: [Float], std: [Float], dataset: String, synthetic: Bool,
        target: String, features: [FeatureDeclaration], method: String, criterion: String, epsilon: Double,
        batchThreshold: Int, eta0: Double, pairPenalty: String, seed: UInt64, epoch: Int, threshold: Double = 0.5
    ) {
        self.classifier = classifier
        self.imageSize = imageSize
        self.mean = mean
        self.std = std
        self.dataset = dataset
        self.synthetic = synthetic
        self.target = target
        self.features = features
        self.method = method
        self.criterion = criterion
        self.epsilon = epsilon
        self.batchThreshold = batchThreshold
        self.eta0 = eta0
        self.pairPenalty = pairPenalty
        self.seed = seed
        self.epoch = epoch
        self.threshold = threshold
    }

    static let key = "facefair"

    func encoded() throws -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        return String(decoding: try encoder.encode(self), as: UTF8.self)
    }

    static func decode(_ metadata: [String: String], file: String) throws -> ModelMetadata {
        guard let text = metadata[key] else {
            throw CheckpointError.malformed(file, "its metadata lacks '\(key)', so it is not a facefair model")
        }
        do { return try JSONDecoder().decode(ModelMetadata.self, from: Data(text.utf8)) } catch {
            throw CheckpointError.malformed(file, "its metadata '\(key)' cannot be read: \(error)")
        }
    }
}
