// Convolution against its definition over a grid of shapes, and its backward passes against difference quotients.
import TensorCore
import TestSupport
import Testing

/// Odd sizes, 1×1 images, strides, non-square filters, channels beside multiples of 16, and filters large enough for every
/// branch of the weight gradient (parts, panels).
let convolutionShapes: [Sweep] = [
    Sweep(batch: 2, height: 7, width: 5, channels: 3, kernelHeight: 3, kernelWidth: 3, stride: 1, padding: 1, filters: 5),
    Sweep(batch: 1, height: 1, width: 1, channels: 4, kernelHeight: 3, kernelWidth: 3, stride: 1, padding: 1, filters: 2),
    Sweep(batch: 3, height: 1, width: 1, channels: 17, kernelHeight: 1, kernelWidth: 1, stride: 1, padding: 0, filters: 19),
    Sweep(batch: 1, height: 13, width: 11, channels: 5, kernelHeight: 3, kernelWidth: 3, stride: 2, padding: 1, filters: 7),
    Sweep(batch: 2, height: 8, width: 9, channels: 16, kernelHeight: 1, kernelWidth: 1, stride: 2, padding: 0, filters: 33),
    Sweep(batch: 5, height: 6, width: 6, channels: 20, kernelHeight: 1, kernelWidth: 1, stride: 1, padding: 0, filters: 6),
    Sweep(batch: 2, height: 19, width: 23, channels: 3, kernelHeight: 7, kernelWidth: 7, stride: 2, padding: 3, filters: 9),
    Sweep(batch: 2, height: 6, width: 5, channels: 2, kernelHeight: 3, kernelWidth: 3, stride: 1, padding: 0, filters: 3),
    Sweep(batch: 1, height: 4, width: 3, channels: 1, kernelHeight: 3, kernelWidth: 3, stride: 1, padding: 4, filters: 1),
    Sweep(batch: 2, height: 9, width: 4, channels: 3, kernelHeight: 2, kernelWidth: 5, stride: 3, padding: 2, filters: 4),
    Sweep(batch: 4, height: 4, width: 4, channels: 120, kernelHeight: 3, kernelWidth: 3, stride: 1, padding: 1, filters: 130),
    Sweep(batch: 33, height: 12, width: 12, channels: 3, kernelHeight: 3, kernelWidth: 3, stride: 1, padding: 1, filters: 8),
    Sweep(batch: 2, height: 3, width: 3, channels: 520, kernelHeight: 1, kernelWidth: 1, stride: 1, padding: 0, filters: 300),
    Sweep(batch: 1, height: 16, width: 16, channels: 3, kernelHeight: 4, kernelWidth: 4, stride: 4, padding: 0, filters: 24),
]

extension TensorCoreSuites {
    @Suite struct ConvolutionTests {
        @Test(arguments: convolutionShapes, [Kernels.ConvolutionAlgorithm.automatic, .reference])
        func matchesDefinition(_ s: Sweep, _ algorithm: Kernels.ConvolutionAlgorithm) {
            var random = TestRandom(7)
            let x = random.floats(s.input.count), w = random.floats(s.weight.count), bias = random.floats(s.filters)
            let dy = random.floats(s.convolved.count), oldWeight = random.floats(w.count), oldBias = random.floats(s.filters)
            let (tx, tw, tdy) = (Tensor(s.input, x), Tensor(s.weight, w), Tensor(s.convolved, dy))

            for b in [bias, nil] {
                let y = Kernels.conv2dForward(
                    tx, weight: tw, bias: b.map { Tensor(Shape(s.filters), $0) }, stride: s.stride, padding: s.padding,
                    algorithm: algorithm)
                #expect(y.shape == s.convolved)
                let expected = Reference.convolution(s, x: x, w: w, bias: b)
                expectClose(y.toArray(), expected.asFloats, atol: 2e-6 * expected.scale, "y of \(s)")
            }

            let expected = Reference.convolutionBackward(s, dy: dy, x: x, w: w)
            let dx = Kernels.conv2dBackwardInput(
                tdy, weight: tw, inputShape: s.input, stride: s.stride, padding: s.padding, algorithm: algorithm)
            expectClose(dx.toArray(), expected.dx.asFloats, atol: 2e-6 * expected.dx.scale, "dx of \(s)")

            let dWeight = Tensor(s.weight, oldWeight), dBias = Tensor(Shape(s.filters), oldBias)
            Kernels.conv2dBackwardWeight(
                tdy, input: tx, dWeight: dWeight, dBias: dBias, stride: s.stride, padding: s.padding, algorithm: algorithm)
            let sum = zip(oldWeight, expected.dw).map { Double($0) + $1 }, biasSum = zip(oldBias, expected.db).map { Double($0) + $1 }
            expectClose(dWeight.toArray(), sum.asFloats, atol: 4e-6 * sum.scale, "dw of \(s)")
            expectClose(dBias.toArray(), biasSum.asFloats, atol: 2e-6 * biasSum.scale, "db of \(s)")
        }

        /// The network's own layers, small batch, against the compiled reference; WinogradTests holds them to tighter bounds.
        @Test(arguments: [(3, 32, 64), (32, 64, 32), (64, 128, 16), (128, 256, 8), (256, 512, 4)])
        func matchesReferenceAtNetworkShapes(_ channels: Int, _ filters: Int, _ size: Int) {
            var random = TestRandom(3)
            let x = Tensor(Shape(2, size, size, channels), random: &random)
            let w = Tensor(Shape(filters, 3, 3, channels), random: &random)
            func run(_ algorithm: Kernels.ConvolutionAlgorithm) -> [[Float]] {
                let y = Kernels.conv2dForward(x, weight: w, bias: nil, stride: 1, padding: 1, algorithm: algorithm)
                let dy = Tensor(y.shape, (0..<y.count).map { Float($0 % 17) / 8 - 1 })
                let dx = Kernels.conv2dBackwardInput(
                    dy, weight: w, inputShape: x.shape, stride: 1, padding: 1, algorithm: algorithm)
                let dw = Tensor(zeros: w.shape)
                Kernels.conv2dBackwardWeight(
                    dy, input: x, dWeight: dw, dBias: nil, stride: 1, padding: 1, algorithm: algorithm)
                return [y, dx, dw].map { $0.toArray() }
            }
            for (what, (fast, slow)) in zip(["y", "dx", "dw"], zip(run(.automatic), run(.reference))) {
                let scale = slow.map { abs($0) }.max() ?? 0
                expectClose(fast, slow, atol: 5e-6 * scale, "\(what) of layer \(channels)→\(filters)")
            }
        }

        @Test(arguments: [convolutionShapes[0], convolutionShapes[3], convolutionShapes[6], convolutionShapes[9]])
        func backwardIsTheGradient(_ s: Sweep) {
            var random = TestRandom(11)
            let x = random.floats(s.input.count), w = random.floats(s.weight.count)
            func forward(_ x: [Float], _ w: [Float]) -> [Float] {
                Kernels.conv2dForward(
                    Tensor(s.input, x), weight: Tensor(s.weight, w), bias: nil, stride: s.stride, padding: s.padding
                ).toArray()
            }
            gradCheck(at: x, forward: { forward($0, w) }, backward: {
                Kernels.conv2dBackwardInput(
                    Tensor(s.convolved, $0), weight: Tensor(s.weight, w), inputShape: s.input, stride: s.stride,
                    padding: s.padding
                ).toArray()
            }, "dx of \(s)")
            gradCheck(at: w, forward: { forward(x, $0) }, backward: {
                let dWeight = Tensor(zeros: s.weight)
                Kernels.conv2dBackwardWeight(
                    Tensor(s.convolved, $0), input: Tensor(s.input, x), dWeight: dWeight, dBias: nil, stride: s.stride,
                    padding: s.padding)
                return dWeight.toArray()
            }, "dw of \(s)")
        }

        @Test(arguments: [convolutionShapes[10], convolutionShapes[11], convolutionShapes[6]] + [
            Sweep(batch: 9, height: 16, width: 16, channels: 32, kernelHeight: 3, kernelWidth: 3, stride: 1, padding: 1, filters: 64)
        ])
        func sameForAnyThreadCount(_ s: Sweep) {
            var random = TestRandom(5)
            let x = Tensor(s.input, random: &random), w = Tensor(s.weight, random: &random)
            let bias = Tensor(Shape(s.filters), random: &random), dy = Tensor(s.convolved, random: &random)
            expectSameForAnyThreadCount("convolution of \(s)") {
                let y = Kernels.conv2dForward(x, weight: w, bias: bias, stride: s.stride, padding: s.padding)
                let dx = Kernels.conv2dBackwardInput(
                    dy, weight: w, inputShape: s.input, stride: s.stride, padding: s.padding)
                let dWeight = Tensor(zeros: s.weight), dBias = Tensor(zeros: Shape(s.filters))
                Kernels.conv2dBackwardWeight(
                    dy, input: x, dWeight: dWeight, dBias: dBias, stride: s.stride, padding: s.padding)
                return [y.toArray(), dx.toArray(), dWeight.toArray(), dBias.toArray()]
            }
        }
    }
}
