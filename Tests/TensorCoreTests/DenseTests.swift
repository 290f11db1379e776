// Linear layers against the definition of the matrix product.
import TensorCore
import TestSupport
import Testing

extension TensorCoreSuites {
    @Suite struct DenseTests {
        /// Batch, input features, output features; the last ones are cut into several tiles.
        static let shapes = [(1, 1, 1), (1, 5, 3), (7, 17, 19), (130, 33, 65), (1, 128, 1), (3, 512, 128), (1100, 9, 40)]

        @Test(arguments: shapes)
        func matchesDefinition(_ n: Int, _ features: Int, _ outputs: Int) {
            var random = TestRandom(1)
            let x = random.floats(n * features), w = random.floats(outputs * features), bias = random.floats(outputs)
            let dy = random.floats(n * outputs), old = random.floats(w.count), oldBias = random.floats(outputs)
            let (tx, tw) = (Tensor(Shape(n, features), x), Tensor(Shape(outputs, features), w))
            let tdy = Tensor(Shape(n, outputs), dy)

            let product = Reference.product(x, w, m: n, n: outputs, k: features, transposeB: true)
            let plain = Kernels.linearForward(tx, weight: tw, bias: nil)
            expectClose(plain.toArray(), product.asFloats, atol: 2e-6 * product.scale, "y without bias")
            let shifted = product.enumerated().map { $1 + Double(bias[$0 % outputs]) }
            let y = Kernels.linearForward(tx, weight: tw, bias: Tensor(Shape(outputs), bias))
            expectClose(y.toArray(), shifted.asFloats, atol: 2e-6 * shifted.scale, "y")

            let dx = Reference.product(dy, w, m: n, n: features, k: outputs)
            expectClose(
                Kernels.linearBackwardInput(tdy, weight: tw).toArray(), dx.asFloats, atol: 2e-6 * dx.scale, "dx")

            let dWeight = Tensor(Shape(outputs, features), old), dBias = Tensor(Shape(outputs), oldBias)
            Kernels.linearBackwardWeight(tdy, input: tx, dWeight: dWeight, dBias: dBias)
            let dw = zip(old, Reference.product(dy, x, m: outputs, n: features, k: n, transposeA: true)).map { Double($0) + $1 }
            expectClose(dWeight.toArray(), dw.asFloats, atol: 4e-6 * dw.scale, "dw")
            var db = oldBias.map(Double.init)
            for (i, g) in dy.enumerated() { db[i % outputs] += Double(g) }
            expectClose(dBias.toArray(), db.asFloats, atol: 4e-6 * db.scale, "db")
        }

        @Test func backwardIsTheGradient() {
            var random = TestRandom(2)
            let (n, features, outputs) = (5, 7, 4)
            let x = random.floats(n * features), w = random.floats(outputs * features), bias = random.floats(outputs)
            func forward(_ x: [Float], _ w: [Float], _ bias: [Float]) -> [Float] {
                Kernels.linearForward(
                    Tensor(Shape(n, features), x), weight: Tensor(Shape(outputs, features), w), bias: Tensor(Shape(outputs), bias)
                ).toArray()
            }
            func parameters(_ dy: [Float]) -> (weight: [Float], bias: [Float]) {
                let dWeight = Tensor(zeros: Shape(outputs, features)), dBias = Tensor(zeros: Shape(outputs))
                Kernels.linearBackwardWeight(
                    Tensor(Shape(n, outputs), dy), input: Tensor(Shape(n, features), x), dWeight: dWeight, dBias: dBias)
                return (dWeight.toArray(), dBias.toArray())
            }
            gradCheck(at: x, forward: { forward($0, w, bias) }, backward: {
                Kernels.linearBackwardInput(Tensor(Shape(n, outputs), $0), weight: Tensor(Shape(outputs, features), w)).toArray()
            }, "dx")
            gradCheck(at: w, forward: { forward(x, $0, bias) }, backward: { parameters($0).weight }, "dw")
            gradCheck(at: bias, forward: { forward(x, w, $0) }, backward: { parameters($0).bias }, "db")
        }

        @Test func sameForAnyThreadCount() {
            var random = TestRandom(3)
            let x = Tensor(Shape(1500, 100), random: &random), w = Tensor(Shape(70, 100), random: &random)
            let dy = Tensor(Shape(1500, 70), random: &random)
            expectSameForAnyThreadCount("linear") {
                let dWeight = Tensor(zeros: w.shape), dBias = Tensor(zeros: Shape(70))
                Kernels.linearBackwardWeight(dy, input: x, dWeight: dWeight, dBias: dBias)
                return [
                    Kernels.linearForward(x, weight: w, bias: dBias), Kernels.linearBackwardInput(dy, weight: w), dWeight, dBias,
                ].map { $0.toArray() }
            }
        }

        @Test func benchmarkGivesASpeed() {
            #expect(BLAS.squareGemmGflops(n: 256, threads: 2, repeats: 2) > 0)
            #expect(!BLAS.coreName.isEmpty)
        }
    }
}
