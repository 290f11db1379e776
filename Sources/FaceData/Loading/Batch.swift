// What one training or evaluation step gets.
import TensorCore

/// Images that could be decoded, with their labels and groups.
public struct Batch {
    /// Shape: [N, imageSize, imageSize, 3], normalised.
    public let images: Tensor
    /// 0 or 1; NaN where the label is missing (test split only).
    public let labels: [Float]
    /// 0..<K, or -1 for unknown.
    public let groups: [Int]
    /// Positions in the loader's list of samples.
    public let indices: [Int]

    public init(images: Tensor, labels: [Float], groups: [Int], indices: [Int]) {
        self.images = images
        self.labels = labels
        self.groups = groups
        self.indices = indices
    }

    public var count: Int { indices.count }
}

/// More images were refused than allowed.
public struct TooManyBadImages: Error, Equatable, Sendable, CustomStringConvertible {
    public let count: Int
    public let limit: Int
    public let last: ImageError

    public var description: String {
        "\(count) images refused, \(limit) are allowed (--max-errors). The last one: \(last)"
    }
}
