// Memory of tensors and workspaces. Fresh pages cost more than most kernels, so buffers are kept and handed out again by size.
import Synchronization

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// A 64-byte aligned, padded buffer from the pool; goes back to the pool with the object.
public final class TensorStorage {
    public static let alignment = 64

    /// Usable bytes: the size asked for, rounded up to its size class.
    public let byteCount: Int
    public let pointer: UnsafeMutableRawPointer

    /// Contents are whatever the last owner left.
    public init(byteCount: Int) {
        precondition(byteCount >= 0, "a buffer cannot have \(byteCount) bytes")
        self.byteCount = TensorStorage.sizeClass(byteCount)
        pointer = TensorStorage.take(self.byteCount)
    }

    deinit { TensorStorage.give(pointer, byteCount) }

    // MARK: Pool

    /// Free buffers by size class, as addresses: a pointer may not cross into a Mutex.
    private struct Pool {
        var free: [Int: [UInt]] = [:]
        var freeBytes = 0
    }

    private static let pool = Mutex(Pool())

    /// Bytes the pool holds for reuse.
    public static var pooledBytes: Int { pool.withLock { $0.freeBytes } }

    /// Gives all free buffers back to the system, for example between training and evaluation at another size.
    public static func releasePool() {
        pool.withLock { pool in
            for address in pool.free.values.joined() { free(UnsafeMutableRawPointer(bitPattern: address)) }
            pool = Pool()
        }
    }

    /// Four classes per power of two, so at most a quarter is wasted; every class is a multiple of the alignment.
    package static func sizeClass(_ bytes: Int) -> Int {
        let least = 256
        guard bytes > least else { return least }
        let step = (1 << (Int.bitWidth - (bytes - 1).leadingZeroBitCount - 1)) / 4
        return (bytes + step - 1) / step * step
    }

    private static func take(_ size: Int) -> UnsafeMutableRawPointer {
        let reused: UInt? = pool.withLock { pool in
            guard let address = pool.free[size]?.popLast() else { return nil }
            pool.freeBytes -= size
            return address
        }
        if let reused, let pointer = UnsafeMutableRawPointer(bitPattern: reused) { return pointer }
        var fresh: UnsafeMutableRawPointer?
        guard posix_memalign(&fresh, alignment, size) == 0, let fresh else {
            fatalError("out of memory: \(size) bytes for a tensor, \(pooledBytes) bytes free in the pool")
        }
        return fresh
    }

    private static func give(_ pointer: UnsafeMutableRawPointer, _ size: Int) {
        let address = UInt(bitPattern: pointer)
        pool.withLock { pool in
            pool.free[size, default: []].append(address)
            pool.freeBytes += size
        }
    }
}
