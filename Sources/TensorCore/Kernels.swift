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
    /// Runs `body` with pooled scratch memory.
    static func withWorkspace<R>(_ bytes: Int, _ body: (UnsafeMutableRawPointer?, Int) -> R) -> R {
        if bytes == 0 { return body(nil, 0) }
        let storage = TensorStorage(byteCount: bytes)
        return withExtendedLifetime(storage) { body(storage.pointer, bytes) }
    }

    static func requireSame(_ a: Tensor, _ b: Tensor, _ what: String) {
        precondition(a.shape == b.shape, "\(what): shapes \(a.shape) and \(b.shape) differ")
    }

    static func requireChannels(_ parameter: Tensor, _ count: Int, _ what: String) {
        precondition(parameter.count == count, "\(what) has shape \(parameter.shape), but there are \(count) channels")
    }
}
