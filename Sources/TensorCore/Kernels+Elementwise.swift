// Swift face of ck_activation.h, and dropout.
import CKernels

extension Kernels {
    /// max(x, 0); NaN stays NaN.  Source: torch.relu.
    public static func reluForward(_ x: Tensor) -> Tensor {
        unary(x, "reluForward") { ck_relu_forward($0, x.pointer, $1) }
    }

    /// `dy` where the forward output is positive or NaN, else 0.
    public static func reluBackward(_ dy: Tensor, output: Tensor) -> Tensor {
        binary(dy, output, "reluBackward", ck_relu_backward)
    }

    public static func add(_ a: Tensor, _ b: Tensor) -> Tensor { binary(a, b, "add", ck_add) }

    /// Element-wise product.
    public static func multiply(_ a: Tensor, _ b: Tensor) -> Tensor { binary(a, b, "multiply", ck_multiply) }

    /// Multiplies `x` in place.
    public static func scale(_ x: Tensor, by factor: Float) {
        withExtendedLifetime(x) {
            check(ck_scale(x.pointer, x.pointer, factor, Int64(x.count)), "scale(\(x.shape))")
        }
    }

    /// Sets each element to 0 with the given probability and divides the others by 1 − probability.
    ///
    /// The mask holds these factors; it is drawn in element order, so it depends on `random` alone.
    /// Source: torch.nn.functional.dropout(training=True).
    public static func dropoutForward(
        _ x: Tensor, probability: Float, random: inout RandomSource
    ) -> (y: Tensor, mask: Tensor) {
        precondition(probability >= 0 && probability <= 1, "a dropout probability lies in 0…1, not \(probability)")
        let mask = Tensor(x.shape)
        let factor = probability < 1 ? 1 / (1 - probability) : 0
        let threshold = UInt64(Double(probability) * 0x1p32)
        withExtendedLifetime(mask) {
            let values = mask.pointer
            var i = 0
            while i < x.count {  // one draw serves two elements
                let bits = random.next()
                values[i] = (bits & 0xFFFF_FFFF) < threshold ? 0 : factor
                if i + 1 < x.count { values[i + 1] = (bits >> 32) < threshold ? 0 : factor }
                i += 2
            }
        }
        return (multiply(x, mask), mask)
    }

    public static func dropoutBackward(_ dy: Tensor, mask: Tensor) -> Tensor { multiply(dy, mask) }

    private static func unary(
        _ x: Tensor, _ what: String, _ kernel: (UnsafeMutablePointer<Float>, Int64) -> ck_status
    ) -> Tensor {
        let y = Tensor(x.shape)
        withExtendedLifetime((x, y)) { check(kernel(y.pointer, Int64(x.count)), "\(what)(\(x.shape))") }
        return y
    }

    private static func binary(
        _ a: Tensor, _ b: Tensor, _ what: String,
        _ kernel: (UnsafeMutablePointer<Float>, UnsafePointer<Float>, UnsafePointer<Float>, Int64) -> ck_status
    ) -> Tensor {
        requireSame(a, b, what)
        let y = Tensor(a.shape)
        withExtendedLifetime((a, b, y)) { check(kernel(y.pointer, a.pointer, b.pointer, Int64(a.count)), "\(what)(\(a.shape))") }
        return y
    }
}
