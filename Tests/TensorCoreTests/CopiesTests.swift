// The plain loops are compiled once per instruction set: every copy must give the same results up to rounding, and the forced one
// must be the one that runs.
import TensorCore
import TestSupport
import Testing

extension TensorCoreSuites {
    @Suite struct CopiesTests {
        /// What each kernel makes of the same numbers; widths are no multiple of any vector.
        private func results() -> [(name: String, values: [Float])] {
            var random = TestRandom(11)
            let image = Shape(3, 9, 7, 37), row = Shape(37)
            let x = Tensor(image, random: &random), y = Tensor(image, random: &random)
            let gamma = Tensor(row, random: &random), beta = Tensor(row, random: &random)
            let mean = Tensor(zeros: row), variance = Tensor(row, random.floats(37).map { abs($0) + 0.5 })
            let norm = Kernels.batchNormTrainForward(
                x, gamma: gamma, beta: beta, runningMean: mean, runningVariance: variance, momentum: 0.1, epsilon: 1e-5)
            let dGamma = Tensor(zeros: row), dBeta = Tensor(zeros: row)
            let dx = Kernels.batchNormBackward(
                y, input: x, gamma: gamma, mean: norm.mean, inverseStd: norm.inverseStd, dGamma: dGamma, dBeta: dBeta)
            let infer = Kernels.batchNormInferForward(
                x, gamma: gamma, beta: beta, runningMean: mean, runningVariance: variance, epsilon: 1e-5)
            let pooled = Kernels.maxPool2dForward(x, kernel: 2, stride: 2, padding: 0)
            let spread = Kernels.maxPool2dBackward(pooled, input: x, output: pooled, kernel: 2, stride: 2, padding: 0)
            let overlapping = Kernels.averagePool2dForward(x, kernel: 3, stride: 2, padding: 1)
            let flat = Shape(1003)
            let p = Tensor(flat, random: &random), g = Tensor(flat, random: &random)
            let m = Tensor(flat, random: &random), v = Tensor(flat, random.floats(1003).map { abs($0) })
            Kernels.adamWStep(
                parameters: p, gradients: g, m: m, v: v, learningRate: 0.01, beta1: 0.9, beta2: 0.999, epsilon: 1e-8,
                weightDecay: 0.1, step: 3)
            return [
                ("batch norm", norm.y.toArray()), ("its backward", dx.toArray()), ("dgamma", dGamma.toArray()),
                ("its inference", infer.toArray()), ("max pooling", pooled.toArray()), ("its backward", spread.toArray()),
                ("average pooling", overlapping.toArray()), ("global pooling", Kernels.globalAveragePoolForward(x).toArray()),
                ("ReLU", Kernels.reluForward(x).toArray()), ("sum", Kernels.add(x, y).toArray()), ("AdamW", p.toArray()),
                ("norm", [Float(Kernels.sumOfSquares(x))]),
            ]
        }

        @Test func allCopiesAgree() {
            let before = InstructionSet.current
            defer { InstructionSet.current = before }
            InstructionSet.current = .generic
            let expected = results()
            for isa in InstructionSet.available {
                InstructionSet.current = isa
                for (result, reference) in zip(results(), expected) {
                    let scale = reference.values.map(abs).max()!
                    expectClose(result.values, reference.values, atol: 2e-6 * scale)
                }
            }
        }

        /// Fused multiply-add rounds once, the baseline of x86 twice: the same product sum shows which copy has run.
        @Test(.enabled(if: InstructionSet.best != .generic, "this machine has one copy only"))
        func theForcedCopyRuns() {
            let before = InstructionSet.current
            defer { InstructionSet.current = before }
            var random = TestRandom(12)
            let shape = Shape(4096)
            let p = random.floats(4096), g = random.floats(4096)
            func step(_ isa: InstructionSet) -> [Float] {
                InstructionSet.current = isa
                let parameters = Tensor(shape, p)
                Kernels.sgdStep(
                    parameters: parameters, gradients: Tensor(shape, g), momentumBuffer: nil, learningRate: 0.1, momentum: 0,
                    weightDecay: 0.3, nesterov: false, firstStep: true)
                return parameters.toArray()
            }
            let twice = zip(p, g).map { $0 - 0.1 * ($1 + 0.3 * $0) }
            #expect(step(.generic) == twice)
            #expect(step(InstructionSet.best) != twice)
        }
    }
}
