// One static function per C kernel, in extensions by family. They allocate outputs and workspace and hold tensors alive.
import CKernels

/// The numeric operations. Shapes are checked: a mistake is a programming error and traps with both shapes.
public enum Kernels {}

/// Traps when a kernel refused its arguments.
func check(_ status: ck_status, _ call: @autoclosure () -> String) {
    if status == CK_OK { return }
    fatalError("\(call()): \(String(cString: ck_status_string(status)))")
}

extension Kernels {
    /// Runs a kernel with as much pooled scratch memory as it asks for and traps when it refuses its arguments.
    ///
    /// Scratch is per thread: when another thread raises the thread count between question and call, the question is asked again.
    static func withWorkspace(
        _ needed: () -> Int, _ call: @autoclosure () -> String, _ kernel: (UnsafeMutableRawPointer?, Int) -> ck_status
    ) {
        while true {
            let bytes = needed()
            let storage = bytes == 0 ? nil : TensorStorage(byteCount: bytes)
            let status = withExtendedLifetime(storage) { kernel(storage?.pointer, bytes) }
            if status == CK_SMALL_WORKSPACE && needed() > bytes { continue }
            return check(status, call())
        }
    }

    static func requireSame(_ a: Tensor, _ b: Tensor, _ what: String) {
        precondition(a.shape == b.shape, "\(what): shapes \(a.shape) and \(b.shape) differ")
    }

    static func requireChannels(_ parameter: Tensor, _ count: Int, _ what: String) {
        precondition(parameter.count == count, "\(what) has shape \(parameter.shape), but there are \(count) channels")
    }
}
