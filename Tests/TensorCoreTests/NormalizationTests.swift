// Batch normalisation against its definition in Double.
import TensorCore
import TestSupport
import Testing

extension TensorCoreSuites {
    @Suite struct NormalizationTests {
        static let epsilon: Float = 1e-5
        static let shapes = [
            Shape(2, 3, 5, 7), Shape(1, 1, 2, 1), Shape(3, 1, 1, 70), Shape(128, 16), Shape(5, 33, 31, 3), Shape(4, 9, 9, 130),
        ]

        /// Negative, zero and positive gamma in every case that has the room.
        static func gamma(_ channels: Int, _ random: inout TestRandom) -> [Float] {
            random.floats(channels).enumerated().map { $0 % 3 == 1 ? 0 : $1 }
        }

        @Test(arguments: shapes, [0, 1000] as [Float])
        func trainingMatchesDefinition(_ shape: Shape, _ mean: Float) {
            var random = TestRandom(1)
            let channels = shape.channels, rows = shape.count / channels
            let x = random.floats(shape.count).map { $0 + mean }, dy = random.floats(shape.count)
            let gamma = Self.gamma(channels, &random), beta = random.floats(channels)
            let expected = Reference.BatchNorm(x, dy, gamma: gamma, beta: beta, epsilon: Double(Self.epsilon))
            let vector = Shape(channels)
            let oldMean = random.floats(channels), oldVariance = random.floats(channels).map { $0 + 2 }
            let runningMean = Tensor(vector, oldMean), runningVariance = Tensor(vector, oldVariance)
            let input = Tensor(shape, x)

            let (y, savedMean, inverseStd) = Kernels.batchNormTrainForward(
                input, gamma: Tensor(vector, gamma), beta: Tensor(vector, beta), runningMean: runningMean,
                runningVariance: runningVariance, momentum: 0.1, epsilon: Self.epsilon)
            // Far from 0 the input itself carries only 2⁻²⁴·|mean| of the deviation.
            let loss = max(1, abs(mean))
            expectClose(y.toArray(), expected.y.asFloats, atol: 3e-6 * loss, "y")
            expectClose(savedMean.toArray(), expected.mean.asFloats, rtol: 1e-6, atol: 1e-6, "mean")
            expectClose(
                inverseStd.toArray(), expected.variance.map { Float(1 / ($0 + Double(Self.epsilon)).squareRoot()) }, rtol: 2e-6,
                "inverse std")
            expectClose(
                runningMean.toArray(), zip(oldMean, expected.mean).map { Float(0.9 * Double($0) + 0.1 * $1) }, rtol: 1e-6,
                atol: 1e-6, "running mean")
            expectClose(
                runningVariance.toArray(),
                zip(oldVariance, expected.variance).map { Float(0.9 * Double($0) + 0.1 * $1 * Double(rows) / Double(rows - 1)) },
                rtol: 1e-5, "running variance")

            let dGamma = Tensor(vector, gamma), dBeta = Tensor(vector, beta)
            let dx = Kernels.batchNormBackward(
                Tensor(shape, dy), input: input, gamma: Tensor(vector, gamma), mean: savedMean, inverseStd: inverseStd,
                dGamma: dGamma, dBeta: dBeta)
            // Two values one apart normalise to ±1 whatever they are: their gradient is a difference of equals, known only to
            // a share of γ/σ.
            let slope = zip(gamma, expected.variance).map { abs(Double($0)) / $1.squareRoot() }.scale
            expectClose(dx.toArray(), expected.dx.asFloats, atol: 4e-6 * loss * slope, "dx")
            let gammaSum = zip(gamma, expected.dGamma).map { Double($0) + $1 }
            let betaSum = zip(beta, expected.dBeta).map { Double($0) + $1 }
            expectClose(dGamma.toArray(), gammaSum.asFloats, atol: 4e-6 * loss * max(1, gammaSum.scale), "dgamma")
            expectClose(dBeta.toArray(), betaSum.asFloats, atol: 2e-6 * max(1, betaSum.scale), "dbeta")
        }

        @Test(arguments: shapes)
        func inferenceMatchesDefinition(_ shape: Shape) {
            var random = TestRandom(2)
            let channels = shape.channels, vector = Shape(channels)
            let x = random.floats(shape.count), gamma = Self.gamma(channels, &random), beta = random.floats(channels)
            let mean = random.floats(channels), variance = random.floats(channels).map { $0 + 1.5 }
            let y = Kernels.batchNormInferForward(
                Tensor(shape, x), gamma: Tensor(vector, gamma), beta: Tensor(vector, beta), runningMean: Tensor(vector, mean),
                runningVariance: Tensor(vector, variance), epsilon: Self.epsilon)
            let expected = x.enumerated().map { i, value -> Float in
                let c = i % channels, scale = 1 / (Double(variance[c]) + Double(Self.epsilon)).squareRoot()
                return Float((Double(value) - Double(mean[c])) * scale * Double(gamma[c]) + Double(beta[c]))
            }
            expectClose(y.toArray(), expected, rtol: 2e-6, atol: 2e-6, "y")
        }

        @Test func oneRowHasNoVariance() {
            let vector = Shape(2), x = Tensor(Shape(1, 2), [5, -3])
            let mean = Tensor(zeros: vector), variance = Tensor(vector, [1, 2]), one = Tensor(vector, [1, 1])
            let beta = Tensor(vector, [0.25, 0.5])
            let (y, _, _) = Kernels.batchNormTrainForward(
                x, gamma: one, beta: beta, runningMean: mean, runningVariance: variance, momentum: 0.1, epsilon: 1e-5)
            #expect(y.toArray() == [0.25, 0.5])
            expectClose(mean.toArray(), [0.5, -0.3], rtol: 1e-6)
            #expect(variance.toArray() == [1, 2])
        }

        @Test func backwardIsTheGradient() {
            var random = TestRandom(4)
            let shape = Shape(3, 4, 5, 6), vector = Shape(6)
            let x = random.floats(shape.count), gamma = Self.gamma(6, &random), beta = random.floats(6)
            func forward(_ x: [Float], _ gamma: [Float], _ beta: [Float]) -> (Tensor, Tensor, Tensor) {
                Kernels.batchNormTrainForward(
                    Tensor(shape, x), gamma: Tensor(vector, gamma), beta: Tensor(vector, beta), runningMean: Tensor(zeros: vector),
                    runningVariance: Tensor(zeros: vector), momentum: 0.1, epsilon: Self.epsilon)
            }
            func backward(_ dy: [Float]) -> (dx: [Float], dGamma: [Float], dBeta: [Float]) {
                let (_, mean, inverseStd) = forward(x, gamma, beta)
                let dGamma = Tensor(zeros: vector), dBeta = Tensor(zeros: vector)
                let dx = Kernels.batchNormBackward(
                    Tensor(shape, dy), input: Tensor(shape, x), gamma: Tensor(vector, gamma), mean: mean, inverseStd: inverseStd,
                    dGamma: dGamma, dBeta: dBeta)
                return (dx.toArray(), dGamma.toArray(), dBeta.toArray())
            }
            gradCheck(at: x, forward: { forward($0, gamma, beta).0.toArray() }, backward: { backward($0).dx }, "dx")
            gradCheck(at: gamma, forward: { forward(x, $0, beta).0.toArray() }, backward: { backward($0).dGamma }, "dgamma")
            gradCheck(at: beta, forward: { forward(x, gamma, $0).0.toArray() }, backward: { backward($0).dBeta }, "dbeta")
        }

        @Test func sameForAnyThreadCount() {
            var random = TestRandom(6)
            let shape = Shape(7, 40, 41, 24), vector = Shape(24)
            let x = Tensor(shape, random: &random), dy = Tensor(shape, random: &random), gamma = Tensor(vector, random: &random)
            expectSameForAnyThreadCount("batch norm") {
                let mean = Tensor(zeros: vector), variance = Tensor(zeros: vector), dGamma = Tensor(zeros: vector)
                let dBeta = Tensor(zeros: vector)
                let forward = Kernels.batchNormTrainForward(
                    x, gamma: gamma, beta: gamma, runningMean: mean, runningVariance: variance, momentum: 0.1,
                    epsilon: Self.epsilon)
                let dx = Kernels.batchNormBackward(
                    dy, input: x, gamma: gamma, mean: forward.mean, inverseStd: forward.inverseStd, dGamma: dGamma, dBeta: dBeta)
                let y = Kernels.batchNormInferForward(
                    x, gamma: gamma, beta: gamma, runningMean: mean, runningVariance: variance, epsilon: Self.epsilon)
                return [forward.y, mean, variance, dx, dGamma, dBeta, y].map { $0.toArray() }
            }
        }
    }
}
