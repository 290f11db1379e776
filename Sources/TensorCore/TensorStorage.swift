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
        var systemAllocations = 0
    }

    private static let pool = Mutex(Pool())

    /// Bytes the pool holds for reuse.
    public static var pooledBytes: Int { pool.withLock { $0.freeBytes } }

    /// How often the pool had no buffer of a size and asked the system, since the start of the process. A training step that has
    /// run once adds nothing; C kernels never allocate (tools/check_symbols).
    public static var systemAllocations: Int { pool.withLock { $0.systemAllocations } }

    /// Gives all free buffers back to the system, for example between training and evaluation at another size.
    public static func releasePool() {
        pool.withLock { pool in
            for address in pool.free.values.joined() { free(UnsafeMutableRawPointer(bitPattern: address)) }
            pool.free = [:]
            pool.freeBytes = 0
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
        pool.withLock { $0.systemAllocations += 1 }
        let isLarge = size >= largeBlock
        var fresh: UnsafeMutableRawPointer?
        guard posix_memalign(&fresh, isLarge ? hugePage : alignment, size) == 0, let fresh else {
            fatalError("out of memory: \(size) bytes for a tensor, \(pooledBytes) bytes free in the pool")
        }
        #if os(Linux)
            if isLarge && usesHugePages { _ = madvise(fresh, size / hugePage * hugePage, MADV_HUGEPAGE) }  // a wish, no condition
        #endif
        return fresh
    }

    /// Fewer and larger pages: less time in page faults when a buffer is new, fewer misses when 36 streams are read at once.
    private static let hugePage = 2 << 20
    private static let largeBlock = 2 * hugePage
    /// FACEFAIR_HUGE_PAGES=0 is for measuring what they bring.
    private static let usesHugePages = getenv("FACEFAIR_HUGE_PAGES").map { String(cString: $0) != "0" } ?? true

    private static func give(_ pointer: UnsafeMutableRawPointer, _ size: Int) {
        let address = UInt(bitPattern: pointer)
        pool.withLock { pool in
            pool.free[size, default: []].append(address)
            pool.freeBytes += size
        }
    }
}
