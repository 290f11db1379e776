// Memory with sentinels on both sides, for kernels called through their C interface.
import Testing

/// A buffer of exactly the asked size between two guard bands; `expectIntact` tells whether anything wrote outside.
///
/// The contents start as the guard byte too, which reads as a NaN in Float: an element that a kernel forgot to write stays visible.
public final class GuardedBuffer {
    private static let band = 1024
    private static let guardByte: UInt8 = 0xFF

    private let memory: UnsafeMutableRawPointer
    public let byteCount: Int

    /// `misalignment` moves the start off a 64-byte boundary; Float data needs a multiple of 4.
    public init(byteCount: Int, misalignment: Int = 0) {
        precondition((0..<64).contains(misalignment))
        self.byteCount = byteCount
        self.misalignment = misalignment
        memory = .allocate(byteCount: byteCount + 2 * GuardedBuffer.band, alignment: 64)
        memory.initializeMemory(as: UInt8.self, repeating: GuardedBuffer.guardByte, count: byteCount + 2 * GuardedBuffer.band)
    }

    private let misalignment: Int

    public convenience init(_ values: [Float], misalignment: Int = 0) {
        self.init(byteCount: values.count * MemoryLayout<Float>.stride, misalignment: misalignment)
        for (i, value) in values.enumerated() { floats[i] = value }
    }

    /// `count` floats that all read as NaN.
    public convenience init(floats count: Int, misalignment: Int = 0) {
        self.init(byteCount: count * MemoryLayout<Float>.stride, misalignment: misalignment)
    }

    deinit { memory.deallocate() }

    public var pointer: UnsafeMutableRawPointer { memory + GuardedBuffer.band / 2 + misalignment }

    public var floats: UnsafeMutablePointer<Float> { pointer.assumingMemoryBound(to: Float.self) }

    public var values: [Float] {
        Array(UnsafeBufferPointer(start: floats, count: byteCount / MemoryLayout<Float>.stride))
    }

    public func expectIntact(_ what: String = "buffer", sourceLocation: SourceLocation = #_sourceLocation) {
        let front = GuardedBuffer.band / 2 + misalignment, total = byteCount + 2 * GuardedBuffer.band
        let bytes = UnsafeRawBufferPointer(start: memory, count: total)
        for i in 0..<total where (i < front || i >= front + byteCount) && bytes[i] != GuardedBuffer.guardByte {
            let place = i < front ? "\(front - i) bytes before the start" : "\(i - front - byteCount) bytes past the end"
            Issue.record("\(what): a write \(place)", sourceLocation: sourceLocation)
            return
        }
    }
}
