// What a model file says of itself, so that one file is enough to predict with it.
import Foundation
import TensorCore

/// A sensitive feature as the model was trained with it: name and values in order.
public struct FeatureDeclaration: Codable, Equatable, Sendable {
    public let name: String
    public let values: [String]

    public init(name: String, values: [String]) {
        self.name = name
        self.values = values
    }
}

/// What the criterion needs beyond its name and ε; nil members: not needed.
public struct CriterionDeclaration: Codable, Equatable, Sendable {
    /// Σ coefficient · mean of a named group ≤ limit.
    public struct Row: Codable, Equatable, Sendable {
        public let name: String
        /// Groups such as `Male=0,Young=1`, and the coefficient of each.
        public let groups: [String]
        public let coefficients: [Double]
        public let limit: Double

        public init(name: String, groups: [String], coefficients: [Double], limit: Double) {
            self.name = name
            self.groups = groups
            self.coefficients = coefficients
            self.limit = limit
        }
    }

    /// Lower and upper bound of every logit.
    public let bounds: [Double]?
    /// The features whose values are the strata of conditional parity.
    public let conditionOn: [String]?
    public let rows: [Row]?

    public init(bounds: [Double]?, conditionOn: [String]?, rows: [Row]?) {
        self.bounds = bounds
        self.conditionOn = conditionOn
        self.rows = rows
    }

    /// What is impossible about the values, nil if nothing is.
    var complaint: String? {
        if let bounds, bounds.count != 2 || !bounds.allSatisfy(\.isFinite) || bounds[0] > bounds[1] { return "bounds \(bounds)" }
        for row in rows ?? [] where row.groups.count != row.coefficients.count || !row.limit.isFinite || !row.coefficients.allSatisfy(\.isFinite) {
            return "row '\(row.name)' of the criterion"
        }
        return nil
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
    /// nil, in files from before there was a choice: bilinear.
    public var interpolation: Interpolation?
    /// Large JPEGs were decoded at a reduced size in training, so they are in serving. nil: no.
    public var fastDecode: Bool?
    public var dataset: String
    /// Trained on drawn faces: every report says so.
    public var synthetic: Bool
    public var target: String
    public var features: [FeatureDeclaration]
    public var method: String
    public var criterion: String
    public var criterionDetails: CriterionDeclaration?
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
        classifier: ClassifierConfiguration, imageSize: Int, mean: [Float], std: [Float], interpolation: Interpolation = .bilinear,
        fastDecode: Bool = false, dataset: String, synthetic: Bool,
        target: String, features: [FeatureDeclaration], method: String, criterion: String,
        criterionDetails: CriterionDeclaration? = nil, epsilon: Double,
        batchThreshold: Int, eta0: Double, pairPenalty: String, seed: UInt64, epoch: Int, threshold: Double = 0.5
    ) {
        self.classifier = classifier
        self.imageSize = imageSize
        self.mean = mean
        self.std = std
        self.interpolation = interpolation
        self.fastDecode = fastDecode
        self.dataset = dataset
        self.synthetic = synthetic
        self.target = target
        self.features = features
        self.method = method
        self.criterion = criterion
        self.criterionDetails = criterionDetails
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
        encoder.keyEncodingStrategy = .convertToSnakeCase  // as in run.json and all output
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        return String(decoding: try encoder.encode(self), as: UTF8.self)
    }

    /// Errors: throws ``CheckpointError`` malformed unless every value is one that facefair could have written: what follows a
    /// load (allocation, fairness layer, preprocessing) may rely on them.
    static func decode(_ metadata: [String: String], file: String) throws -> ModelMetadata {
        guard let text = metadata[key] else {
            throw CheckpointError.malformed(file, "its metadata lacks '\(key)', so it is not a facefair model")
        }
        let decoded: ModelMetadata
        let decoder = JSONDecoder()
        decoder.keyDecodingStrategy = .convertFromSnakeCase
        do { decoded = try decoder.decode(ModelMetadata.self, from: Data(text.utf8)) } catch {
            throw CheckpointError.malformed(file, "its metadata '\(key)' cannot be read: \(error)")
        }
        if let reason = decoded.complaint { throw CheckpointError.malformed(file, "its metadata '\(key)': \(reason)") }
        return decoded
    }

    /// What is impossible about the values, nil if nothing is.
    private var complaint: String? {
        if version != 1 { return "version \(version) is not known to this facefair; update it" }
        if let complaint = classifier.complaint { return complaint }
        if imageSize < classifier.backbone.minimumImageSize || imageSize > 16_384 { return "image size \(imageSize)" }
        if mean.count != 3 || !mean.allSatisfy(\.isFinite) { return "mean \(mean) is not three numbers" }
        if std.count != 3 || !std.allSatisfy({ $0 > 0 && $0.isFinite }) { return "std \(std) is not three numbers above 0" }
        var groups = 1
        for feature in features {
            groups *= feature.values.count
            if groups < 1 || groups > 1 << 16 { return "feature \(feature.name) makes \(groups) groups" }
        }
        if let complaint = criterionDetails?.complaint { return complaint }
        if !(epsilon >= 0 && epsilon.isFinite) { return "epsilon \(epsilon) is not a number from 0 on" }
        if !(eta0 > 0 && eta0.isFinite) { return "eta0 \(eta0) is not a number above 0" }
        if batchThreshold < 1 { return "batch threshold \(batchThreshold) is not a number from 1 on" }
        if !(0...1 ~= threshold) { return "threshold \(threshold) is not a probability" }
        return nil
    }
}
