// How much memory this process has needed so far.
#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

public enum ProcessMemory {
    /// The most that was resident at any time since the start: VmHWM of /proc/self/status.  Units: bytes.
    public static var peakBytes: Int {
        var usage = rusage()
        #if canImport(Darwin)
            getrusage(RUSAGE_SELF, &usage)
            return usage.ru_maxrss
        #else
            getrusage(0, &usage)     // RUSAGE_SELF, which Glibc and Musl import as different types
            return usage.ru_maxrss * 1024    // Linux counts in KiB
        #endif
    }
}
