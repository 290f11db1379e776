// Winograd against the definition in Double, on every instruction set of the machine.
import TensorCore
import TestSupport
import Testing

/// Runs `body` once per instruction set that the machine has.
func forEachInstructionSet(_ body: (InstructionSet) -> Void) {
    let before = InstructionSet.current
    defer { InstructionSet.current = before }
    for isa in InstructionSet.available {
        InstructionSet.current = isa
        body(isa)
    }
}

/// 3×3, stride 1, padding 1.
func winogradSweep(_ batch: Int, _ height: Int, _ width: Int, _ channels: Int, _ filters: Int) -> Sweep {
    Sweep(
        batch: batch, height: height, width: width, channels: channels, kernelHeight: 3, kernelWidth: 3, stride: 1, padding: 1,
        filters: filters)
}

/// One pixel, less than a tile, partial tiles on both sides, channels beside the vectors, several chunks of tiles and several
/// superblocks, batch 1.
let winogradShapes: [Sweep] = [
    winogradSweep(1, 1, 1, 1, 1), winogradSweep(1, 1, 1, 32, 32), winogradSweep(2, 2, 3, 17, 70), winogradSweep(3, 7, 5, 3, 5),
    winogradSweep(1, 13, 18, 40, 33), winogradSweep(1, 4, 4, 128, 256), winogradSweep(5, 8, 8, 64, 32),
    winogradSweep(2, 24, 24, 32, 64), winogradSweep(7, 9, 11, 16, 48), winogradSweep(1, 41, 6, 33, 16),
    winogradSweep(40, 4, 4, 32, 32), winogradSweep(3, 14, 14, 160, 96), winogradSweep(300, 4, 4, 8, 8),
    winogradSweep(70, 4, 4, 160, 96),
]

extension TensorCoreSuites {
    @Suite struct WinogradTests {
        /// Relative to the largest value; kernels.md §3 found 8e-7 at 32 and 2.6e-6 at 256 channels. Rounding grows with the root of
        /// the products summed: 1.6e-7 per root is that line.
        private func bound(_ depth: Int) -> Float { 1e-6 + 1.6e-7 * Float(depth).squareRoot() }

        @Test(arguments: winogradShapes)
        func matchesDefinition(_ s: Sweep) {
            var random = TestRandom(17)
            let x = random.floats(s.input.count), w = random.floats(s.weight.count), bias = random.floats(s.filters)
            let dy = random.floats(s.convolved.count), oldWeight = random.floats(w.count)
            let forward = Reference.convolution(s, x: x, w: w, bias: bias)
            let backward = Reference.convolutionBackward(s, dy: dy, x: x, w: w)
            let sum = zip(oldWeight, backward.dw).map { Double($0) + $1 }
            forEachInstructionSet { isa in
                let y = Kernels.conv2dForward(
                    Tensor(s.input, x), weight: Tensor(s.weight, w), bias: Tensor(Shape(s.filters), bias), stride: 1, padding: 1,
                    algorithm: .winograd)
                expectClose(y.toArray(), forward.asFloats, atol: bound(s.channels) * forward.scale, "y of \(s), \(isa)")
                let dx = Kernels.conv2dBackwardInput(
                    Tensor(s.convolved, dy), weight: Tensor(s.weight, w), inputShape: s.input, stride: 1, padding: 1,
                    algorithm: .winograd)
                expectClose(dx.toArray(), backward.dx.asFloats, atol: bound(s.filters) * backward.dx.scale, "dx of \(s), \(isa)")
                let dWeight = Tensor(s.weight, oldWeight)
                Kernels.conv2dBackwardWeight(
                    Tensor(s.convolved, dy), input: Tensor(s.input, x), dWeight: dWeight, dBias: nil, stride: 1, padding: 1,
                    algorithm: .winograd)
                expectClose(dWeight.toArray(), sum.asFloats, atol: 2e-6 * sum.scale, "dw of \(s), \(isa)")
            }
        }

        @Test(arguments: [winogradSweep(9, 16, 16, 32, 64), winogradSweep(5, 8, 8, 64, 160), winogradSweep(37, 4, 4, 160, 96)])
        func sameForAnyThreadCount(_ s: Sweep) {
            var random = TestRandom(5)
            let x = Tensor(s.input, random: &random), w = Tensor(s.weight, random: &random), dy = Tensor(s.convolved, random: &random)
            forEachInstructionSet { isa in
                expectSameForAnyThreadCount("convolution of \(s), \(isa)") {
                    let y = Kernels.conv2dForward(x, weight: w, bias: nil, stride: 1, padding: 1, algorithm: .winograd)
                    let dx = Kernels.conv2dBackwardInput(
                        dy, weight: w, inputShape: s.input, stride: 1, padding: 1, algorithm: .winograd)
                    let dWeight = Tensor(zeros: s.weight)
                    Kernels.conv2dBackwardWeight(
                        dy, input: x, dWeight: dWeight, dBias: nil, stride: 1, padding: 1, algorithm: .winograd)
                    return [y.toArray(), dx.toArray(), dWeight.toArray()]
                }
            }
        }

        /// Filters of 8 MB and more are handed to the point driver, 128 tiles at a time. What it makes of an image does not depend on the
        /// images beside it.
        @Test func superblocksDoNotMix() {
            var random = TestRandom(12)
            let all = winogradSweep(140, 3, 4, 256, 256), count = 128
            let x = Tensor(all.input, random: &random), w = Tensor(all.weight, random: &random), dy = Tensor(all.convolved, random: &random)
            func run(_ from: Int, _ batch: Int) -> [[Float]] {
                let s = winogradSweep(batch, 3, 4, 256, 256), pixels = 3 * 4
                let y = Kernels.conv2dForward(
                    x.view(offset: from * pixels * 256, s.input), weight: w, bias: nil, stride: 1, padding: 1, algorithm: .winograd)
                let dx = Kernels.conv2dBackwardInput(
                    dy.view(offset: from * pixels * 256, s.convolved), weight: w, inputShape: s.input, stride: 1, padding: 1,
                    algorithm: .winograd)
                return [y.toArray(), dx.toArray()]
            }
            forEachInstructionSet { isa in
                let whole = run(0, 140), first = run(0, count), rest = run(count, 140 - count)
                for (i, what) in ["y", "dx"].enumerated() { #expect(whole[i] == first[i] + rest[i], "\(what), \(isa)") }
            }
        }

        /// A NaN in one pixel reaches the results that depend on it, and no others.
        @Test func notANumberStaysInItsWindow() {
            let s = winogradSweep(2, 9, 9, 32, 32)
            var random = TestRandom(8)
            let x = Tensor(s.input, random: &random), w = Tensor(s.weight, random: &random)
            x.pointer[(4 * 9 + 4) * 32] = .nan
            forEachInstructionSet { isa in
                let y = Kernels.conv2dForward(x, weight: w, bias: nil, stride: 1, padding: 1, algorithm: .winograd).toArray()
                for pixel in 0..<2 * 81 where (pixel < 81 && abs(pixel / 9 - 4) <= 1 && abs(pixel % 9 - 4) <= 1) {
                    #expect(y[pixel * 32..<(pixel + 1) * 32].allSatisfy { $0.isNaN }, "\(isa), pixel \(pixel)")
                }
                #expect(y[(81 * 32)...].allSatisfy { $0.isFinite }, "\(isa): the other image")
            }
        }
    }
}
