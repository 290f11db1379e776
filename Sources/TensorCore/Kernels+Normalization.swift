// Swift face of ck_norm.h.
import CKernels

extension Kernels {
    /// Batch normalisation with the batch's own statistics; moves the running ones (their variance is the unbiased one).
    ///
    /// Shape: x [N,…,C], parameters and statistics [C].  Source: torch.nn.functional.batch_norm(training=True).
    public static func batchNormTrainForward(
        _ x: Tensor, gamma: Tensor, beta: Tensor, runningMean: Tensor, runningVariance: Tensor,
        momentum: Float, epsilon: Float
    ) -> (y: Tensor, mean: Tensor, inverseStd: Tensor) {
        requireNormalisation(x, [gamma, beta, runningMean, runningVariance])
        var desc = normalisation(x.shape, momentum, epsilon)
        let y = Tensor(x.shape), mean = Tensor(gamma.shape), inverseStd = Tensor(gamma.shape)
        withWorkspace({ ck_batch_norm_workspace_bytes(&desc) }, "batchNormTrainForward(x \(x.shape))") { workspace, bytes in
            withExtendedLifetime((x, gamma, beta, runningMean, runningVariance)) {
                ck_batch_norm_forward_train(
                    y.pointer, mean.pointer, inverseStd.pointer, runningMean.pointer, runningVariance.pointer,
                    x.pointer, gamma.pointer, beta.pointer, &desc, workspace, bytes)
            }
        }
        return (y, mean, inverseStd)
    }

    /// Batch normalisation with the running statistics.
    ///
    /// Shape: x [N,…,C], all others [C].  Source: torch.nn.functional.batch_norm(training=False).
    public static func batchNormInferForward(
        _ x: Tensor, gamma: Tensor, beta: Tensor, runningMean: Tensor, runningVariance: Tensor, epsilon: Float
    ) -> Tensor {
        requireNormalisation(x, [gamma, beta, runningMean, runningVariance])
        var desc = normalisation(x.shape, 0, epsilon)
        let y = Tensor(x.shape)
        withExtendedLifetime((x, gamma, beta, runningMean, runningVariance)) {
            check(
                ck_batch_norm_forward_infer(
                    y.pointer, x.pointer, gamma.pointer, beta.pointer, runningMean.pointer, runningVariance.pointer, &desc),
                "batchNormInferForward(x \(x.shape))")
        }
        return y
    }

    /// Gradient of ``batchNormTrainForward(_:gamma:beta:runningMean:runningVariance:momentum:epsilon:)``; adds to `dGamma`, `dBeta`.
    ///
    /// Shape: dy, input [N,…,C], all others [C] → as input.
    public static func batchNormBackward(
        _ dy: Tensor, input: Tensor, gamma: Tensor, mean: Tensor, inverseStd: Tensor, dGamma: Tensor, dBeta: Tensor
    ) -> Tensor {
        requireSame(dy, input, "batchNormBackward")
        requireNormalisation(input, [gamma, mean, inverseStd, dGamma, dBeta])
        var desc = normalisation(input.shape, 0, 0)
        let dx = Tensor(input.shape)
        withWorkspace({ ck_batch_norm_workspace_bytes(&desc) }, "batchNormBackward(dy \(dy.shape))") { workspace, bytes in
            withExtendedLifetime((dy, input, gamma, mean, inverseStd, dGamma, dBeta)) {
                ck_batch_norm_backward(
                    dx.pointer, dGamma.pointer, dBeta.pointer, dy.pointer, input.pointer,
                    gamma.pointer, mean.pointer, inverseStd.pointer, &desc, workspace, bytes)
            }
        }
        return dx
    }

    private static func normalisation(_ shape: Shape, _ momentum: Float, _ epsilon: Float) -> ck_batch_norm_desc {
        ck_batch_norm_desc(
            rows: Int64(shape.count / shape.channels), channels: Int32(shape.channels), momentum: momentum, epsilon: epsilon)
    }

    private static func requireNormalisation(_ x: Tensor, _ parameters: [Tensor]) {
        for parameter in parameters { requireChannels(parameter, x.shape.channels, "a batch-norm parameter for x \(x.shape)") }
    }
}
