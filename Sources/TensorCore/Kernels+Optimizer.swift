// Swift face of ck_optimizer.h.
import CKernels

extension Kernels {
    /// One AdamW step over a flat stretch of parameters; updates p, m and v. `step` is 1 for the first.
    ///
    /// Source: torch.optim.AdamW.
    public static func adamWStep(
        parameters p: Tensor, gradients g: Tensor, m: Tensor, v: Tensor,
        learningRate: Float, beta1: Float, beta2: Float, epsilon: Float, weightDecay: Float, step: Int
    ) {
        for other in [g, m, v] { requireCount(p, other, "adamWStep") }
        var desc = ck_adamw_desc(
            count: Int64(p.count), learning_rate: learningRate, beta1: beta1, beta2: beta2, epsilon: epsilon,
            weight_decay: weightDecay, step: Int64(step))
        withExtendedLifetime((p, g, m, v)) {
            check(
                ck_adamw_step(p.pointer, m.pointer, v.pointer, g.pointer, &desc),
                "adamWStep(beta1 \(beta1), beta2 \(beta2), step \(step))")
        }
    }

    /// One step of stochastic gradient descent; `firstStep` starts the momentum buffer as a copy of the gradient.
    ///
    /// Source: torch.optim.SGD.
    public static func sgdStep(
        parameters p: Tensor, gradients g: Tensor, momentumBuffer: Tensor?,
        learningRate: Float, momentum: Float, weightDecay: Float, nesterov: Bool, firstStep: Bool
    ) {
        requireCount(p, g, "sgdStep")
        if let momentumBuffer { requireCount(p, momentumBuffer, "sgdStep") }
        var desc = ck_sgd_desc(
            count: Int64(p.count), learning_rate: learningRate, momentum: momentum, weight_decay: weightDecay,
            nesterov: nesterov, first_step: firstStep)
        withExtendedLifetime((p, g, momentumBuffer)) {
            check(
                ck_sgd_step(p.pointer, momentumBuffer?.pointer, g.pointer, &desc),
                "sgdStep(momentum \(momentum), nesterov \(nesterov), \(momentumBuffer == nil ? "no" : "with") momentum buffer)")
        }
    }

    /// Σ x² in double precision; the same for any thread count.
    public static func sumOfSquares(_ x: Tensor) -> Double {
        var sum = 0.0
        withWorkspace({ ck_sum_of_squares_workspace_bytes(Int64(x.count)) }, "sumOfSquares(\(x.shape))") { workspace, bytes in
            withExtendedLifetime(x) {
                ck_sum_of_squares(&sum, x.pointer, Int64(x.count), workspace, bytes)
            }
        }
        return sum
    }

    private static func requireCount(_ p: Tensor, _ other: Tensor, _ what: String) {
        precondition(p.count == other.count, "\(what): \(p.count) parameters, but a state or gradient of \(other.count)")
    }
}
