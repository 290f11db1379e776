// Pooling against its definition; where maxima tie and where NaN goes.
import TensorCore
import TestSupport
import Testing

extension TensorCoreSuites {
    @Suite struct PoolingTests {
        static let shapes: [Sweep] = [
            (2, 8, 6, 5, 2, 2, 0), (1, 7, 9, 3, 2, 2, 0), (3, 11, 10, 70, 3, 2, 1), (1, 1, 1, 4, 1, 1, 0), (2, 5, 5, 16, 3, 1, 1),
            (1, 4, 4, 1, 2, 1, 0), (9, 4, 4, 130, 2, 2, 0), (2, 6, 7, 3, 4, 3, 2), (1, 2, 2, 3, 2, 2, 1),
        ].map { n, h, w, c, k, stride, padding in
            Sweep(batch: n, height: h, width: w, channels: c, kernelHeight: k, kernelWidth: k, stride: stride, padding: padding)
        }

        @Test(arguments: shapes)
        func maxMatchesDefinition(_ s: Sweep) {
            var random = TestRandom(1)
            // Few distinct values: ties in most windows.
            let x = random.floats(s.input.count).map { ($0 * 3).rounded() }, dy = random.floats(s.pooled.count)
            let input = Tensor(s.input, x)
            let expected = Reference.maxPool(s, x: x)
            let y = Kernels.maxPool2dForward(input, kernel: s.kernelHeight, stride: s.stride, padding: s.padding)
            #expect(y.shape == s.pooled)
            expectClose(y.toArray(), expected.y, "y of \(s)")
            var dxExpected = [Float](repeating: 0, count: x.count)
            for (i, at) in expected.from.enumerated() { dxExpected[at] += dy[i] }
            let dx = Kernels.maxPool2dBackward(
                Tensor(s.pooled, dy), input: input, output: y, kernel: s.kernelHeight, stride: s.stride, padding: s.padding)
            expectClose(dx.toArray(), dxExpected, atol: 1e-6, "dx of \(s)")
        }

        @Test(arguments: shapes)
        func averageMatchesDefinition(_ s: Sweep) {
            var random = TestRandom(2)
            let x = random.floats(s.input.count), dy = random.floats(s.pooled.count)
            let expected = Reference.averagePool(s, x: x, dy: dy)
            let y = Kernels.averagePool2dForward(
                Tensor(s.input, x), kernel: s.kernelHeight, stride: s.stride, padding: s.padding)
            expectClose(y.toArray(), expected.y.asFloats, atol: 1e-6, "y of \(s)")
            let dx = Kernels.averagePool2dBackward(
                Tensor(s.pooled, dy), inputShape: s.input, kernel: s.kernelHeight, stride: s.stride, padding: s.padding)
            expectClose(dx.toArray(), expected.dx.asFloats, atol: 1e-6, "dx of \(s)")
        }

        @Test(arguments: [Shape(3, 4, 4, 70), Shape(1, 1, 1, 3), Shape(2, 13, 11, 5)])
        func globalAverageMatchesDefinition(_ shape: Shape) {
            var random = TestRandom(3)
            let x = random.floats(shape.count), dy = random.floats(shape[0] * shape[3])
            let pixels = shape[1] * shape[2]
            var y = [Double](repeating: 0, count: dy.count), dx = [Double](repeating: 0, count: x.count)
            for i in x.indices {
                let at = i / (pixels * shape[3]) * shape[3] + i % shape[3]
                y[at] += Double(x[i]) / Double(pixels)
                dx[i] = Double(dy[at]) / Double(pixels)
            }
            let pooled = Kernels.globalAveragePoolForward(Tensor(shape, x))
            #expect(pooled.shape == Shape(shape[0], shape[3]))
            expectClose(pooled.toArray(), y.asFloats, atol: 1e-6, "y")
            let back = Kernels.globalAveragePoolBackward(Tensor(Shape(shape[0], shape[3]), dy), inputShape: shape)
            expectClose(back.toArray(), dx.asFloats, atol: 1e-6, "dx")
        }

        @Test(arguments: [(2, 2, 0), (3, 2, 1)])
        func notANumberPropagates(_ kernel: Int, _ stride: Int, _ padding: Int) {
            let s = Sweep(
                batch: 1, height: 4, width: 4, channels: 3, kernelHeight: kernel, kernelWidth: kernel, stride: stride,
                padding: padding)
            for at in 0..<s.input.count {
                var x = TestRandom(4).copyFloats(s.input.count)
                x[at] = .nan
                let y = Kernels.maxPool2dForward(Tensor(s.input, x), kernel: kernel, stride: stride, padding: padding)
                let expected = Reference.maxPool(s, x: x)
                #expect(y.toArray().map(\.isNaN) == expected.y.map(\.isNaN))
                let dx = Kernels.maxPool2dBackward(
                    Tensor(s.pooled, [Float](repeating: 1, count: s.pooled.count)), input: Tensor(s.input, x), output: y,
                    kernel: kernel, stride: stride, padding: padding)
                var dxExpected = [Float](repeating: 0, count: x.count)
                for from in expected.from { dxExpected[from] += 1 }
                #expect(dx.toArray() == dxExpected)
            }
        }

        @Test func minusInfinityIsAValue() {
            let x = Tensor(Shape(1, 2, 2, 1), [Float](repeating: -.infinity, count: 4))
            let y = Kernels.maxPool2dForward(x, kernel: 2, stride: 2, padding: 0)
            #expect(y.toArray() == [-.infinity])
            let dx = Kernels.maxPool2dBackward(Tensor(y.shape, [1]), input: x, output: y, kernel: 2, stride: 2, padding: 0)
            #expect(dx.toArray() == [1, 0, 0, 0])
        }

        @Test(arguments: [shapes[0], shapes[2], shapes[7]])
        func backwardIsTheGradient(_ s: Sweep) {
            var random = TestRandom(9)
            let x = random.separated(s.input.count, gap: 0.05)
            let (k, stride, padding) = (s.kernelHeight, s.stride, s.padding)
            gradCheck(at: x, step: 0.01, tolerance: 1e-3, forward: {
                Kernels.maxPool2dForward(Tensor(s.input, $0), kernel: k, stride: stride, padding: padding).toArray()
            }, backward: {
                let input = Tensor(s.input, x)
                let y = Kernels.maxPool2dForward(input, kernel: k, stride: stride, padding: padding)
                return Kernels.maxPool2dBackward(
                    Tensor(s.pooled, $0), input: input, output: y, kernel: k, stride: stride, padding: padding
                ).toArray()
            }, "max \(s)")
            gradCheck(at: random.floats(s.input.count), forward: {
                Kernels.averagePool2dForward(Tensor(s.input, $0), kernel: k, stride: stride, padding: padding).toArray()
            }, backward: {
                Kernels.averagePool2dBackward(
                    Tensor(s.pooled, $0), inputShape: s.input, kernel: k, stride: stride, padding: padding
                ).toArray()
            }, "average \(s)")
        }

        @Test func sameForAnyThreadCount() {
            var random = TestRandom(6)
            let shape = Shape(20, 17, 16, 24)
            let x = Tensor(shape, random: &random), dy = Tensor(Shape(20, 9, 8, 24), random: &random)
            let row = Tensor(Shape(20, 24), random: &random)
            expectSameForAnyThreadCount("pooling") {
                let y = Kernels.maxPool2dForward(x, kernel: 3, stride: 2, padding: 1)
                return [
                    y, Kernels.maxPool2dBackward(dy, input: x, output: y, kernel: 3, stride: 2, padding: 1),
                    Kernels.averagePool2dForward(x, kernel: 3, stride: 2, padding: 1),
                    Kernels.averagePool2dBackward(dy, inputShape: shape, kernel: 3, stride: 2, padding: 1),
                    Kernels.globalAveragePoolForward(x), Kernels.globalAveragePoolBackward(row, inputShape: shape),
                ].map { $0.toArray() }
            }
        }
    }
}

extension TestRandom {
    func copyFloats(_ count: Int) -> [Float] {
        var copy = self
        return copy.floats(count)
    }
}
