// Optimizer steps against their formulas in Double; the gradient norm. PyTorch's own steps are compared in NeuralNetworkTests.
import TensorCore
import TestSupport
import Testing

extension TensorCoreSuites {
    @Suite struct OptimizerTests {
        @Test(arguments: [1, 17, 40_000])
        func adamWFollowsTheFormula(_ count: Int) {
            var random = TestRandom(1)
            let shape = Shape(count)
            let (rate, beta1, beta2, epsilon, decay) = (1e-2, 0.9, 0.999, 1e-8, 1e-2)
            let start = random.floats(count)
            var p = start.map(Double.init), m = [Double](repeating: 0, count: count), v = m
            let tp = Tensor(shape, start), tm = Tensor(zeros: shape), tv = Tensor(zeros: shape)
            for step in 1...5 {
                let g = random.floats(count)
                Kernels.adamWStep(
                    parameters: tp, gradients: Tensor(shape, g), m: tm, v: tv, learningRate: Float(rate), beta1: Float(beta1),
                    beta2: Float(beta2), epsilon: Float(epsilon), weightDecay: Float(decay), step: step)
                for i in 0..<count {
                    let gi = Double(g[i])
                    p[i] *= 1 - rate * decay
                    m[i] = beta1 * m[i] + (1 - beta1) * gi
                    v[i] = beta2 * v[i] + (1 - beta2) * gi * gi
                    let (mHat, vHat) = (m[i] / (1 - power(beta1, step)), v[i] / (1 - power(beta2, step)))
                    p[i] -= rate * mHat / (vHat.squareRoot() + epsilon)
                }
            }
            expectClose(tp.toArray(), p.asFloats, atol: 2e-6, "p")
            expectClose(tm.toArray(), m.asFloats, atol: 1e-6, "m")
            expectClose(tv.toArray(), v.asFloats, rtol: 3e-5, atol: 1e-9, "v")
        }

        @Test(arguments: [(0, false, 0), (0.9, false, 0.01), (0.9, true, 0.01), (0, false, 0.1)] as [(Double, Bool, Double)])
        func sgdFollowsTheFormula(_ momentum: Double, _ nesterov: Bool, _ decay: Double) {
            var random = TestRandom(2)
            let count = 20_001, shape = Shape(count), rate = 0.05
            let start = random.floats(count)
            var p = start.map(Double.init), buffer = [Double](repeating: 0, count: count)
            let tp = Tensor(shape, start)
            let tb = momentum == 0 ? nil : Tensor(shape, [Float](repeating: .nan, count: count))
            for step in 1...4 {
                let g = random.floats(count)
                Kernels.sgdStep(
                    parameters: tp, gradients: Tensor(shape, g), momentumBuffer: tb, learningRate: Float(rate),
                    momentum: Float(momentum), weightDecay: Float(decay), nesterov: nesterov, firstStep: step == 1)
                for i in 0..<count {
                    let gi = Double(g[i]) + decay * p[i]
                    buffer[i] = step == 1 ? gi : momentum * buffer[i] + gi
                    p[i] -= rate * (momentum == 0 ? gi : nesterov ? gi + momentum * buffer[i] : buffer[i])
                }
            }
            expectClose(tp.toArray(), p.asFloats, atol: 2e-6, "p")
            if let tb { expectClose(tb.toArray(), buffer.asFloats, atol: 3e-6, "momentum") }
        }

        /// Parameters are views into one flat buffer; a step must stay inside its view.
        @Test func worksOnViews() {
            let flat = Tensor(Shape(10), [Float](repeating: 1, count: 10))
            let view = flat.view(offset: 3, Shape(2, 2)), ones = Tensor(Shape(4), [1, 1, 1, 1])
            Kernels.sgdStep(
                parameters: view, gradients: ones, momentumBuffer: nil, learningRate: 0.5, momentum: 0, weightDecay: 0,
                nesterov: false, firstStep: true)
            #expect(flat.toArray() == [1, 1, 1, 0.5, 0.5, 0.5, 0.5, 1, 1, 1])
        }

        @Test(arguments: [1, 15, 16, 16385, 300_001])
        func sumOfSquaresIsDouble(_ count: Int) {
            var random = TestRandom(3)
            let x = random.floats(count).map { $0 * 1e3 }
            let expected = x.reduce(0.0) { $0 + Double($1) * Double($1) }
            expectClose(Kernels.sumOfSquares(Tensor(Shape(count), x)), expected, rtol: 1e-12)
        }

        @Test func sameForAnyThreadCount() {
            var random = TestRandom(4)
            let shape = Shape(200_001), start = random.floats(shape.count), g = Tensor(shape, random: &random)
            expectSameForAnyThreadCount("optimizers") {
                let p = Tensor(shape, start), m = Tensor(zeros: shape), v = Tensor(zeros: shape), q = Tensor(shape, start)
                Kernels.adamWStep(
                    parameters: p, gradients: g, m: m, v: v, learningRate: 0.1, beta1: 0.9, beta2: 0.999, epsilon: 1e-8,
                    weightDecay: 0.01, step: 1)
                Kernels.sgdStep(
                    parameters: q, gradients: g, momentumBuffer: nil, learningRate: 0.1, momentum: 0, weightDecay: 0.1,
                    nesterov: false, firstStep: true)
                let bits = Kernels.sumOfSquares(g).bitPattern
                let norm = [Float(bitPattern: UInt32(truncatingIfNeeded: bits)), Float(bitPattern: UInt32(bits >> 32))]
                return [p.toArray(), m.toArray(), v.toArray(), q.toArray(), norm]
            }
        }

        private func power(_ base: Double, _ exponent: Int) -> Double { (0..<exponent).reduce(1) { value, _ in value * base } }
    }
}
