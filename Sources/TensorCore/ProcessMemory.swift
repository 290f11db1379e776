// How much memory this process has needed so far.
import Foundation

public enum ProcessMemory {
    /// The most that was resident at any time since the start.  Units: bytes.
    public static var peakBytes: Int {
        highWaterMark ?? resourceUsage
    }

    /// VmHWM of /proc/self/status; nil where there is no /proc. Linux carries `ru_maxrss` over an `exec`, so that it may speak of the
    /// program that started this one.
    private static var highWaterMark: Int? {
        guard let status = try? String(contentsOfFile: "/proc/self/status", encoding: .utf8),
            let line = status.split(separator: "\n").first(where: { $0.hasPrefix("VmHWM:") }),
            let kilobytes = line.split(whereSeparator: \.isWhitespace).dropFirst().compactMap({ Int($0) }).first
        else { return nil }
        return kilobytes << 10
    }

    private static var resourceUsage: Int {
        var usage = rusage()
        #if canImport(Darwin)
            getrusage(RUSAGE_SELF, &usage)
            return usage.ru_maxrss
        #else
            getrusage(0, &usage)     // RUSAGE_SELF, which Glibc and Musl import as different types
            return usage.ru_maxrss << 10    // Linux counts in KiB
        #endif
    }
}
