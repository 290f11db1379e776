// The tensor: a shape over a stretch of shared storage.

/// A contiguous, row-major Float32 tensor; copies and views share storage. Not Sendable: arrays cross threads, tensors do not.
public struct Tensor {
    public let shape: Shape
    public let storage: TensorStorage
    /// Position of the first element in `storage`, in elements.
    public let offset: Int

    private init(_ shape: Shape, storage: TensorStorage, offset: Int) {
        self.shape = shape
        self.storage = storage
        self.offset = offset
    }

    /// Uninitialised: every element must be written before it is read.
    public init(_ shape: Shape) {
        self.init(shape, storage: TensorStorage(byteCount: shape.count * MemoryLayout<Float>.stride), offset: 0)
    }

    public init(zeros shape: Shape) {
        self.init(shape)
        fill(0)
    }

    public init(_ shape: Shape, _ values: [Float]) {
        self.init(shape)
        copy(from: values)
    }

    public var count: Int { shape.count }

    /// Valid while the tensor lives; hold it with `withExtendedLifetime`.
    public var pointer: UnsafeMutablePointer<Float> {
        storage.pointer.assumingMemoryBound(to: Float.self) + offset
    }

    public func toArray() -> [Float] {
        withExtendedLifetime(storage) { Array(UnsafeBufferPointer(start: pointer, count: count)) }
    }

    public func copy(from values: [Float]) {
        precondition(values.count == count, "\(values.count) values for a tensor of shape \(shape)")
        values.withUnsafeBufferPointer { source in
            withExtendedLifetime(storage) { pointer.update(from: source.baseAddress!, count: count) }
        }
    }

    public func copy(from other: Tensor) {
        precondition(other.shape == shape, "cannot copy \(other.shape) to \(shape)")
        withExtendedLifetime((storage, other.storage)) { pointer.update(from: other.pointer, count: count) }
    }

    public func fill(_ value: Float) {
        withExtendedLifetime(storage) { pointer.update(repeating: value, count: count) }
    }

    /// The same elements under another shape of equal count.
    public func reshaped(_ shape: Shape) -> Tensor {
        precondition(shape.count == count, "\(self.shape) cannot become \(shape)")
        return Tensor(shape, storage: storage, offset: offset)
    }

    /// `shape.count` elements from position `start` of this tensor, on the same storage.
    public func view(offset start: Int, _ shape: Shape) -> Tensor {
        precondition(
            start >= 0 && start + shape.count <= count,
            "a view of \(shape) at \(start) leaves a tensor of shape \(self.shape)")
        return Tensor(shape, storage: storage, offset: offset + start)
    }

    /// A copy on storage of its own.
    public func clone() -> Tensor {
        let copy = Tensor(shape)
        copy.copy(from: self)
        return copy
    }
}
