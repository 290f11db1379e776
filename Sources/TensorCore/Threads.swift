// The number of threads kernels use, and what is known about the BLAS beneath them.
import CKernels

public enum Threads {
    /// Sets how many threads a kernel may use, the calling one included, and pins OpenBLAS to one thread per worker.
    /// The start value is 1. Results do not depend on it.
    public static func configure(_ count: Int) {
        precondition((1...CK_MAX_THREADS).contains(count), "kernels run on 1 to \(CK_MAX_THREADS) threads, not \(count)")
        check(ck_set_threads(Int32(count)), "Threads.configure(\(count))")
    }

    public static var count: Int { Int(ck_thread_count()) }
}

public enum BLAS {
    /// OpenBLAS's name for the kernels it chose, such as "SkylakeX" or "Haswell".
    public static var coreName: String { String(cString: ck_blas_core_name()) }

    /// Speed of an n×n×n single-precision product over the pool; the best of `repeats` runs.
    /// Units: 10⁹ floating-point operations per second.
    public static func squareGemmGflops(n: Int, threads: Int, repeats: Int) -> Double {
        let before = Threads.count
        Threads.configure(threads)
        defer { Threads.configure(before) }
        let shape = Shape(n, n)
        var random = RandomSource(seed: 1)
        let a = Tensor(shape, (0..<n * n).map { _ in Float(random.uniform()) })
        let b = a.clone(), c = Tensor(zeros: shape)
        let clock = ContinuousClock()
        var best = Double.infinity
        for _ in 0...max(1, repeats) {  // one more than asked: the first run warms up
            let seconds = clock.measure { Kernels.gemm(c, a, b, m: n, n: n, k: n) } / .seconds(1)
            best = min(best, seconds)
        }
        return 2 * Double(n) * Double(n) * Double(n) / best * 1e-9
    }
}
