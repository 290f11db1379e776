// ReLU, sums, products, dropout.
import TensorCore
import TestSupport
import Testing

extension TensorCoreSuites {
    @Suite struct ElementwiseTests {
        static let counts = [1, 2, 15, 16, 17, 1000, 16384, 16385, 100_003]

        @Test(arguments: counts)
        func matchesDefinition(_ count: Int) {
            var random = TestRandom(1)
            let a = random.floats(count), b = random.floats(count), shape = Shape(count)
            let (ta, tb) = (Tensor(shape, a), Tensor(shape, b))
            #expect(Kernels.reluForward(ta).toArray() == a.map { max($0, 0) })
            #expect(Kernels.reluBackward(ta, output: tb).toArray() == zip(a, b).map { $1 > 0 ? $0 : 0 })
            #expect(Kernels.add(ta, tb).toArray() == zip(a, b).map { $0 + $1 })
            #expect(Kernels.multiply(ta, tb).toArray() == zip(a, b).map { $0 * $1 })
            Kernels.scale(ta, by: -0.375)
            #expect(ta.toArray() == a.map { $0 * -0.375 })
        }

        @Test func notANumberPropagates() {
            let x = Tensor(Shape(5), [.nan, -1, 2, .infinity, -.infinity])
            let y = Kernels.reluForward(x)
            #expect(y.toArray()[0].isNaN)
            #expect(Array(y.toArray()[1...]) == [0, 2, .infinity, 0])
            let dx = Kernels.reluBackward(Tensor(Shape(5), [1, 1, 1, 1, 1]), output: y)
            #expect(dx.toArray() == [1, 0, 1, 1, 0])
        }

        @Test func reluBackwardIsTheGradient() {
            var random = TestRandom(2)
            let shape = Shape(300), x = random.separated(300, gap: 0.1)
            gradCheck(at: x, step: 0.015, forward: { Kernels.reluForward(Tensor(shape, $0)).toArray() }, backward: {
                Kernels.reluBackward(Tensor(shape, $0), output: Kernels.reluForward(Tensor(shape, x))).toArray()
            })
        }

        @Test(arguments: [0, 0.3, 0.5, 1] as [Float])
        func dropoutDropsItsShare(_ probability: Float) {
            let shape = Shape(301, 333), ones = Tensor(shape, [Float](repeating: 2, count: shape.count))
            var random = RandomSource(seed: 5)
            let (y, mask) = Kernels.dropoutForward(ones, probability: probability, random: &random)
            let kept = y.toArray().filter { $0 != 0 }
            expectClose(Double(kept.count) / Double(shape.count), Double(1 - probability), atol: 0.01)
            #expect(kept.allSatisfy { abs($0 - 2 / (1 - probability)) < 1e-5 })
            #expect(random.position == UInt64((shape.count + 1) / 2))
            #expect(Kernels.dropoutBackward(ones, mask: mask).toArray() == y.toArray())

            var again = RandomSource(seed: 5)
            #expect(Kernels.dropoutForward(ones, probability: probability, random: &again).mask.toArray() == mask.toArray())
            let next = Kernels.dropoutForward(ones, probability: probability, random: &again).mask.toArray()
            if probability > 0 && probability < 1 { #expect(next != mask.toArray()) }
        }

        @Test func sameForAnyThreadCount() {
            var random = TestRandom(3)
            let a = Tensor(Shape(100_003), random: &random), b = Tensor(Shape(100_003), random: &random)
            expectSameForAnyThreadCount("element-wise") {
                var source = RandomSource(seed: 1)
                return [
                    Kernels.reluForward(a), Kernels.reluBackward(a, output: b), Kernels.add(a, b), Kernels.multiply(a, b),
                    Kernels.dropoutForward(a, probability: 0.3, random: &source).y,
                ].map { $0.toArray() }
            }
        }
    }
}
