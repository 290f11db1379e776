// OpenBLAS picks its kernels when it is loaded and older releases do not know newer CPUs. The only cure from outside is its
// environment variable, set before the process starts: so start again, once.
import Foundation
import TensorCore

enum BLASCore {
    /// Replaces this process by itself with `OPENBLAS_CORETYPE` set, where that gives faster kernels. A user's own setting wins.
    static func restartIfBetter() {
        let variable = "OPENBLAS_CORETYPE"
        guard getenv(variable) == nil, let core = BLAS.betterCoreName else { return }
        setenv(variable, core, 1)
        var arguments = CommandLine.arguments.map { strdup($0) }
        arguments.append(nil)
        execv("/proc/self/exe", arguments)
        // Only reached where exec is not possible: the slower kernels give the right results too.
        arguments.forEach { free($0) }
    }
}
