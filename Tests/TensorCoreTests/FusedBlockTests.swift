// A fused block against convolution, batch norm, ReLU and pooling one after another in Double.
import TensorCore
import TestSupport
import Testing

/// A block with everything that enters it, and what its definition makes of it.
private struct BlockCase: CustomStringConvertible {
    let batch: Int, height: Int, width: Int, inChannels: Int, outChannels: Int
    let end: FusedBlock.End

    var description: String { "[\(batch), \(height), \(width), \(inChannels)] to \(outChannels), \(end)" }
    var sweep: Sweep { winogradSweep(batch, height, width, inChannels, outChannels) }
    var size: FusedBlock.Size { .init(batch: batch, height: height, width: width) }
    var block: FusedBlock {
        FusedBlock(inChannels: inChannels, outChannels: outChannels, end: end, momentum: 0.1, epsilon: 1e-5)
    }
}

private struct BlockData {
    var x: [Float], scale: [Float], shift: [Float], w: [Float], bias: [Float], gamma: [Float], beta: [Float], upstream: [Float]

    init(_ c: BlockCase, seed: UInt64) {
        var random = TestRandom(seed)
        let out = c.block.outputSize(c.size)
        x = random.floats(c.sweep.input.count)
        (scale, shift) = (random.floats(c.inChannels), random.floats(c.inChannels))
        w = random.floats(c.sweep.weight.count)
        (bias, gamma, beta) = (random.floats(c.outChannels), random.floats(c.outChannels), random.floats(c.outChannels))
        gamma[0] = 0                            // equal windows: the first pixel is the maximum
        (gamma[1], beta[1]) = (0.01, -5)        // dead: no pixel passes the ReLU
        gamma[2] = -abs(gamma[2]) - 0.1
        upstream = random.floats(out.batch * out.height * out.width * c.outChannels)
    }
}

private struct BlockReference {
    var result: [Double], pooled: [Double] = [], output: [Double], mean: [Double], variance: [Double]
    /// The gradient as the next block would hand it back: masked, with its sums.
    var masked: [Float] = [], sums: [Double] = []
    var dx: [Double] = [], dw: [Double] = [], dGamma: [Double] = [], dBeta: [Double] = []

    init(_ c: BlockCase, _ d: BlockData) {
        let s = c.sweep, channels = c.outChannels
        let open = d.x.indices.map { Double(d.scale[$0 % c.inChannels]) * Double(d.x[$0]) + Double(d.shift[$0 % c.inChannels]) }
        let input = c.block.isFirst ? d.x : open.map { Float(max($0, 0)) }
        result = Reference.convolution(s, x: input, w: d.w, bias: nil)
        let y = result.asFloats
        let zero = [Float](repeating: 0, count: y.count)
        let statistics = Reference.BatchNorm(y, zero, gamma: d.gamma, beta: d.beta, epsilon: 1e-5)
        (mean, variance) = (statistics.mean, statistics.variance)
        let normal = statistics.y
        var dNormal = [Float](repeating: 0, count: y.count)     // gradient behind the ReLU
        switch c.end {
        case .dense:
            output = normal.map { max($0, 0) }
            for i in y.indices where normal[i] > 0 { dNormal[i] = d.upstream[i] }
            (masked, pooled) = (dNormal, result)
        case .average:
            output = [Double](repeating: 0, count: c.batch * channels)
            let pixels = c.height * c.width
            for i in y.indices where normal[i] > 0 {
                let at = i / (pixels * channels) * channels + i % channels
                output[at] += normal[i] / Double(pixels)
                dNormal[i] = d.upstream[at] / Float(pixels)
            }
        case .pool:
            let pool = Sweep(
                batch: c.batch, height: c.height, width: c.width, channels: channels, kernelHeight: 2, kernelWidth: 2, stride: 2,
                padding: 0)
            // Exact ties where gamma is 0; elsewhere the order of y, turned where gamma is negative.
            let order = y.indices.map { y[$0] * (d.gamma[$0 % channels] > 0 ? 1 : d.gamma[$0 % channels] < 0 ? -1 : 0) }
            let from = Reference.maxPool(pool, x: order).from
            output = from.map { max(normal[$0], 0) }
            pooled = from.map { result[$0] }
            masked = from.indices.map { normal[from[$0]] > 0 ? d.upstream[$0] : 0 }
            for (i, source) in from.enumerated() { dNormal[source] = masked[i] }
        }
        sums = [Double](repeating: 0, count: 2 * channels)
        for i in masked.indices {
            sums[i % channels] += Double(masked[i])
            sums[channels + i % channels] += Double(masked[i]) * pooled[i]
        }
        let norm = Reference.BatchNorm(y, dNormal, gamma: d.gamma, beta: d.beta, epsilon: 1e-5)
        (dGamma, dBeta) = (norm.dGamma, norm.dBeta)
        let back = Reference.convolutionBackward(s, dy: norm.dx.asFloats, x: input, w: d.w)
        dw = back.dw
        dx = zip(back.dx, open).map { c.block.isFirst || $1 > 0 ? $0 : 0 }
    }
}

private struct BlockRun {
    var result: [Float] = [], output: [Float] = [], scale: [Float] = [], shift: [Float] = []
    var runningMean: [Float] = [], runningVariance: [Float] = []
    var dx: [Float] = [], dxSums: [Double] = [], dw: [Float] = [], dGamma: [Float] = [], dBeta: [Float] = []

    init(_ c: BlockCase, _ d: BlockData, masked: [Float], sums: [Double]) {
        let block = c.block, k = c.outChannels
        let memory = FusedBlock.Memory(block, c.size), workspace = Workspace()
        let vector = { Tensor(Shape(k), $0) }
        let parameters = FusedBlock.Parameters(
            weight: Tensor(c.sweep.weight, d.w), bias: vector(d.bias), gamma: vector(d.gamma), beta: vector(d.beta),
            runningMean: Tensor(zeros: Shape(k)), runningVariance: Tensor(zeros: Shape(k)))
        let gradients = FusedBlock.Gradients(
            weight: Tensor(zeros: c.sweep.weight), gamma: Tensor(zeros: Shape(k)), beta: Tensor(zeros: Shape(k)))
        let x = Tensor(c.sweep.input, d.x)
        let numbers = block.isFirst ? nil : Tensor(Shape(4, c.inChannels), d.scale + d.shift + d.scale + d.shift)
        let input = FusedBlock.Input(x: x.pointer, channels: numbers)
        block.forwardTrain(memory, parameters, input: input, size: c.size, workspace: workspace)
        let results = c.sweep.convolved.count
        if !block.isFirst {
            result = Array(UnsafeBufferPointer(start: memory.result.pointer.assumingMemoryBound(to: Float.self), count: results))
        }
        output = memory.output?.toArray() ?? []
        let channels = memory.channels.toArray()
        (scale, shift) = (Array(channels[0..<k]), Array(channels[k..<2 * k]))
        (runningMean, runningVariance) = (parameters.runningMean.toArray(), parameters.runningVariance.toArray())

        let gradient = Tensor(Shape(c.end == .average ? d.upstream.count : masked.count), c.end == .average ? d.upstream : masked)
        let own = TensorStorage(byteCount: 16 * k), below = TensorStorage(byteCount: 16 * c.inChannels)
        for (i, sum) in sums.enumerated() { own.pointer.assumingMemoryBound(to: Double.self)[i] = sum }
        let dxTensor = Tensor(c.sweep.input)
        block.backward(
            memory, parameters, gradients, input: input, gradient: gradient.pointer, sums: own,
            inputGradient: block.isFirst ? nil : (dxTensor.pointer, below), size: c.size, workspace: workspace)
        if !block.isFirst {
            dx = dxTensor.toArray()
            dxSums = (0..<2 * c.inChannels).map { below.pointer.assumingMemoryBound(to: Double.self)[$0] }
        }
        (dw, dGamma, dBeta) = (gradients.weight.toArray(), gradients.gamma.toArray(), gradients.beta.toArray())
    }
}

private let blockCases: [BlockCase] = [
    BlockCase(batch: 2, height: 8, width: 8, inChannels: 32, outChannels: 64, end: .pool),
    BlockCase(batch: 3, height: 7, width: 9, inChannels: 32, outChannels: 32, end: .pool),
    BlockCase(batch: 1, height: 13, width: 6, inChannels: 64, outChannels: 32, end: .pool),
    BlockCase(batch: 2, height: 2, width: 3, inChannels: 32, outChannels: 32, end: .pool),
    BlockCase(batch: 2, height: 5, width: 6, inChannels: 32, outChannels: 64, end: .dense),
    BlockCase(batch: 5, height: 4, width: 4, inChannels: 64, outChannels: 96, end: .average),
    BlockCase(batch: 3, height: 3, width: 7, inChannels: 32, outChannels: 32, end: .average),
    BlockCase(batch: 2, height: 10, width: 12, inChannels: 3, outChannels: 32, end: .pool),
    BlockCase(batch: 3, height: 9, width: 15, inChannels: 3, outChannels: 64, end: .pool),
    BlockCase(batch: 1, height: 2, width: 2, inChannels: 3, outChannels: 32, end: .pool),
    BlockCase(batch: 2, height: 3, width: 5, inChannels: 3, outChannels: 32, end: .pool),
    // Several superblocks of the point driver backward.
    BlockCase(batch: 70, height: 4, width: 3, inChannels: 128, outChannels: 128, end: .pool),
]

extension TensorCoreSuites {
    @Suite struct FusedBlockTests {
        @Test(arguments: blockCases.indices)
        func trainingMatchesDefinition(_ index: Int) {
            let c = blockCases[index], d = BlockData(c, seed: 40 + UInt64(index)), expected = BlockReference(c, d)
            let k = c.outChannels, n = Double(c.batch * c.height * c.width)
            forEachInstructionSet { isa in
                let run = BlockRun(c, d, masked: expected.masked, sums: expected.sums), what = "\(c), \(isa)"
                let scale = expected.result.scale
                if !c.block.isFirst { expectClose(run.result, expected.result.asFloats, atol: 3e-6 * scale, "result of \(what)") }
                if c.end == .pool { expectClose(run.output, expected.pooled.asFloats, atol: 3e-6 * scale, "pooled of \(what)") }
                if c.end == .average { expectClose(run.output, expected.output.asFloats, atol: 1e-5, "average of \(what)") }
                let slope = (0..<k).map { Double(d.gamma[$0]) / (expected.variance[$0] + 1e-5).squareRoot() }
                expectClose(run.scale.map(Double.init), slope, rtol: 1e-5, atol: 1e-7, "scale of \(what)")
                expectClose(
                    run.shift.map(Double.init), (0..<k).map { Double(d.beta[$0]) - slope[$0] * expected.mean[$0] }, atol: 1e-5,
                    "shift of \(what)")
                expectClose(
                    run.runningMean.map(Double.init), (0..<k).map { 0.1 * (expected.mean[$0] + Double(d.bias[$0])) }, atol: 1e-6,
                    "running mean of \(what)")
                expectClose(
                    run.runningVariance.map(Double.init), expected.variance.map { 0.1 * $0 * n / (n - 1) }, rtol: 1e-5, atol: 1e-6,
                    "running variance of \(what)")

                expectClose(run.dGamma, expected.dGamma.asFloats, atol: 1e-5 * expected.dGamma.scale, "dγ of \(what)")
                expectClose(run.dBeta, expected.dBeta.asFloats, atol: 1e-5 * expected.dBeta.scale, "dβ of \(what)")
                expectClose(run.dw, expected.dw.asFloats, atol: 1e-5 * expected.dw.scale, "dw of \(what)")
                if c.block.isFirst { return }
                expectClose(run.dx, expected.dx.asFloats, atol: 1e-5 * expected.dx.scale, "dx of \(what)")
                var sums = [Double](repeating: 0, count: 2 * c.inChannels)
                for (i, g) in run.dx.enumerated() {
                    sums[i % c.inChannels] += Double(g)
                    sums[c.inChannels + i % c.inChannels] += Double(g) * Double(d.x[i])
                }
                expectClose(run.dxSums, sums, atol: 1e-5 * Double(sums.scale), "sums of dx of \(what)")
            }
        }

        @Test(arguments: blockCases.indices)
        func inferenceMatchesDefinition(_ index: Int) {
            let c = blockCases[index], k = c.outChannels, s = c.sweep
            let d = BlockData(c, seed: 60 + UInt64(index))
            var random = TestRandom(3)
            let mean = random.floats(k), variance = random.floats(k).map { abs($0) + 0.5 }
            let y = Reference.convolution(s, x: d.x, w: d.w, bias: d.bias)
            let normal = y.indices.map { i -> Float in
                let slope = Double(d.gamma[i % k]) / (Double(variance[i % k]) + 1e-5).squareRoot()
                return Float(max(0, (y[i] - Double(mean[i % k])) * slope + Double(d.beta[i % k])))
            }
            let expected: [Float]
            switch c.end {
            case .dense: expected = normal
            case .pool:
                let pool = Sweep(
                    batch: c.batch, height: c.height, width: c.width, channels: k, kernelHeight: 2, kernelWidth: 2, stride: 2,
                    padding: 0)
                expected = Reference.maxPool(pool, x: normal).y
            case .average:
                var sums = [Double](repeating: 0, count: c.batch * k)
                let pixels = c.height * c.width
                for (i, value) in normal.enumerated() { sums[i / (pixels * k) * k + i % k] += Double(value) / Double(pixels) }
                expected = sums.asFloats
            }
            let vector = { Tensor(Shape(k), $0) }
            let parameters = FusedBlock.Parameters(
                weight: Tensor(s.weight, d.w), bias: vector(d.bias), gamma: vector(d.gamma), beta: vector(d.beta),
                runningMean: vector(mean), runningVariance: vector(variance))
            let x = Tensor(s.input, d.x), out = Tensor(Shape(expected.count))
            forEachInstructionSet { isa in
                c.block.forwardInfer(
                    out.pointer, input: x.pointer, prepared: c.block.prepare(parameters), size: c.size, workspace: Workspace())
                let scale = expected.map { abs($0) }.max()!
                expectClose(out.toArray(), expected, atol: 5e-6 * scale, "inference of \(c), \(isa)")

                // Each place of the window, since a maximum may drop NaN on one side only.
                for place in 0..<4 where c.height > 3 && c.width > 3 {
                    let at = ((place / 2 + 1) * c.width + place % 2 + 1) * c.inChannels, old = x.pointer[at]
                    x.pointer[at] = .nan
                    c.block.forwardInfer(
                        out.pointer, input: x.pointer, prepared: c.block.prepare(parameters), size: c.size, workspace: Workspace())
                    x.pointer[at] = old
                    let outSize = c.block.outputSize(c.size)
                    let pixel = c.end == .pool ? (place / 2 + 1) / 2 * outSize.width + (place % 2 + 1) / 2
                        : c.end == .dense ? (place / 2 + 1) * c.width + place % 2 + 1 : 0
                    #expect(out.toArray()[pixel * k..<(pixel + 1) * k].allSatisfy { $0.isNaN }, "NaN \(place) in \(c), \(isa)")
                }
            }
        }

        @Test(arguments: [1, 4, 6, 8, 11])
        func sameForAnyThreadCount(_ index: Int) {
            let c = blockCases[index], d = BlockData(c, seed: 80), expected = BlockReference(c, d)
            forEachInstructionSet { isa in
                expectSameForAnyThreadCount("\(c), \(isa)") {
                    let run = BlockRun(c, d, masked: expected.masked, sums: expected.sums)
                    return [run.result, run.output, run.scale, run.shift, run.runningMean, run.dx, run.dw, run.dGamma, run.dBeta]
                }
            }
        }
    }
}
