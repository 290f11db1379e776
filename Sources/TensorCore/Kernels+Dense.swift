// Linear layers: ck_gemm.h and the bias.
import CKernels

extension Kernels {
    /// y = x·weightᵀ + bias.
    ///
    /// Shape: x [N,in], weight [out,in], bias [out] → [N,out].  Source: torch.nn.functional.linear.
    public static func linearForward(_ x: Tensor, weight: Tensor, bias: Tensor?) -> Tensor {
        requireMatrices(x, weight, "linearForward")
        precondition(x.shape[1] == weight.shape[1], "linearForward: x \(x.shape) and weight \(weight.shape) differ in features")
        if let bias { requireChannels(bias, weight.shape[0], "linear bias") }
        let y = Tensor(Shape(x.shape[0], weight.shape[0]))
        gemm(y, x, weight, bias: bias, m: x.shape[0], n: weight.shape[0], k: x.shape[1], transposeB: true)
        return y
    }

    /// Shape: dy [N,out], weight [out,in] → [N,in].
    public static func linearBackwardInput(_ dy: Tensor, weight: Tensor) -> Tensor {
        requireMatrices(dy, weight, "linearBackwardInput")
        precondition(dy.shape[1] == weight.shape[0], "linearBackwardInput: dy \(dy.shape) does not fit weight \(weight.shape)")
        let dx = Tensor(Shape(dy.shape[0], weight.shape[1]))
        gemm(dx, dy, weight, m: dy.shape[0], n: weight.shape[1], k: dy.shape[1])
        return dx
    }

    /// Adds the gradients of weight and bias to `dWeight` and `dBias`.
    ///
    /// Shape: dy [N,out], input [N,in], dWeight [out,in], dBias [out].
    public static func linearBackwardWeight(_ dy: Tensor, input: Tensor, dWeight: Tensor, dBias: Tensor?) {
        requireMatrices(dy, input, "linearBackwardWeight")
        precondition(
            dy.shape[0] == input.shape[0] && dWeight.shape == Shape(dy.shape[1], input.shape[1]),
            "linearBackwardWeight: dy \(dy.shape) and input \(input.shape) do not give dWeight \(dWeight.shape)")
        gemm(
            dWeight, dy, input, m: dy.shape[1], n: input.shape[1], k: dy.shape[0], transposeA: true, accumulate: true)
        if let dBias { biasBackward(dy, dBias: dBias) }
    }

    /// Adds the column sums of `dy` to `dBias`; all dimensions but the last count as rows.
    static func biasBackward(_ dy: Tensor, dBias: Tensor) {
        requireChannels(dBias, dy.shape.channels, "bias gradient")
        var desc = ck_bias_desc(rows: Int64(dy.count / dy.shape.channels), channels: Int32(dy.shape.channels))
        withWorkspace({ ck_bias_workspace_bytes(&desc) }, "biasBackward(dy \(dy.shape))") { workspace, bytes in
            withExtendedLifetime((dy, dBias)) {
                ck_bias_backward(dBias.pointer, dy.pointer, &desc, workspace, bytes)
            }
        }
    }

    /// c (+)= op(a)·op(b) + bias on contiguous matrices.
    static func gemm(
        _ c: Tensor, _ a: Tensor, _ b: Tensor, bias: Tensor? = nil, m: Int, n: Int, k: Int,
        transposeA: Bool = false, transposeB: Bool = false, accumulate: Bool = false
    ) {
        var desc = ck_gemm_desc(
            m: Int32(m), n: Int32(n), k: Int32(k),
            lda: Int32(transposeA ? m : k), ldb: Int32(transposeB ? k : n), ldc: Int32(n),
            transpose_a: transposeA, transpose_b: transposeB, accumulate: accumulate)
        withExtendedLifetime((a, b, c, bias)) {
            check(
                ck_gemm(c.pointer, a.pointer, b.pointer, bias?.pointer, &desc),
                "matrix product of \(a.shape) and \(b.shape) into \(c.shape)")
        }
    }

    private static func requireMatrices(_ a: Tensor, _ b: Tensor, _ what: String) {
        precondition(a.shape.rank == 2 && b.shape.rank == 2, "\(what) needs two matrices, not \(a.shape) and \(b.shape)")
    }
}
