// Tensor shapes: one to four positive dimensions, row-major.

/// The dimensions of a tensor, outermost first; images are [N, H, W, C].
public struct Shape: Equatable, Hashable, Sendable, CustomStringConvertible {
    public let dims: [Int]

    public init(_ dims: Int...) { self.init(dims) }

    public init(_ dims: [Int]) {
        precondition((1...4).contains(dims.count), "a shape has 1 to 4 dimensions, not \(dims)")
        precondition(dims.allSatisfy { $0 > 0 }, "the dimensions of a shape are positive, not \(dims)")
        self.dims = dims
    }

    /// Number of elements.
    public var count: Int { dims.reduce(1, *) }

    public var rank: Int { dims.count }

    public subscript(_ i: Int) -> Int { dims[i] }

    /// The last dimension: channels of an image, features of a row.
    public var channels: Int { dims[dims.count - 1] }

    public var description: String { "[" + dims.map(String.init).joined(separator: ", ") + "]" }
}
