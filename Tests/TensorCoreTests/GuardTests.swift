// The C interface itself: no write outside the outputs, exact workspaces, and a status instead of work when they are short.
import CKernels
import TensorCore
import TestSupport
import Testing

/// The buffers of one C call. Data lies 4 bytes off a cache line: kernels may assume no more than float alignment.
private struct Call {
    var outputs: [GuardedBuffer]
    var inputs: [GuardedBuffer]
    var workspaceBytes: Int
    /// Outputs that accumulate start from these values; the others start as NaN.
    var run: (_ workspace: UnsafeMutableRawPointer?, _ bytes: Int) -> ck_status

    func expectExactMemory(_ what: String) {
        let inputsBefore = inputs.map(\.values)
        for misalignment in [0, 1, 63] {
            let workspace = GuardedBuffer(byteCount: workspaceBytes, misalignment: misalignment)
            #expect(run(workspace.pointer, workspaceBytes) == CK_OK, "\(what)")
            workspace.expectIntact("workspace of \(what)")
        }
        for output in outputs {
            output.expectIntact("output of \(what)")
            #expect(output.values.allSatisfy { $0.isFinite }, "\(what) left an output element unwritten")
        }
        for (input, before) in zip(inputs, inputsBefore) {
            input.expectIntact("input of \(what)")
            #expect(input.values == before, "\(what) changed an input")
        }
        if workspaceBytes == 0 { return }
        let outputsBefore = outputs.map(\.values)
        let workspace = GuardedBuffer(byteCount: workspaceBytes)
        #expect(run(workspace.pointer, workspaceBytes - 1) == CK_SMALL_WORKSPACE, "\(what) with one byte less")
        #expect(run(nil, workspaceBytes) == CK_SMALL_WORKSPACE, "\(what) without workspace")
        #expect(outputs.map(\.values) == outputsBefore, "\(what) wrote although it refused")
    }
}

extension TensorCoreSuites {
    @Suite struct GuardTests {
        var random = TestRandom(1)

        private mutating func input(_ count: Int) -> GuardedBuffer { GuardedBuffer(random.floats(count), misalignment: 4) }
        private func output(_ count: Int) -> GuardedBuffer { GuardedBuffer(floats: count, misalignment: 4) }

        @Test(arguments: convolutionShapes + winogradShapes, [1, 3])
        mutating func convolution(_ s: Sweep, _ threads: Int) {
            Threads.configure(threads)
            defer { Threads.configure(1) }
            for algorithm in [CK_CONV2D_AUTO, CK_CONV2D_REFERENCE, CK_CONV2D_WINOGRAD] {
                let isWinograd = s.kernelHeight == 3 && s.kernelWidth == 3 && s.stride == 1 && s.padding == 1
                if algorithm == CK_CONV2D_WINOGRAD && !isWinograd { continue }
                var desc = ck_conv2d_desc(
                    batch: Int32(s.batch), height: Int32(s.height), width: Int32(s.width), in_channels: Int32(s.channels),
                    out_channels: Int32(s.filters), kernel_height: Int32(s.kernelHeight), kernel_width: Int32(s.kernelWidth),
                    stride: Int32(s.stride), padding: Int32(s.padding), algorithm: algorithm)
                let x = input(s.input.count), w = input(s.weight.count), bias = input(s.filters), dy = input(s.convolved.count)
                let y = output(s.convolved.count), dx = output(s.input.count), dw = input(s.weight.count), db = input(s.filters)
                Call(
                    outputs: [y], inputs: [x, w, bias], workspaceBytes: ck_conv2d_workspace_bytes(CK_CONV2D_FORWARD, &desc)
                ) { ck_conv2d_forward(y.floats, x.floats, w.floats, bias.floats, &desc, $0, $1) }
                .expectExactMemory("forward of \(s)")
                Call(
                    outputs: [dx], inputs: [dy, w], workspaceBytes: ck_conv2d_workspace_bytes(CK_CONV2D_BACKWARD_INPUT, &desc)
                ) { ck_conv2d_backward_input(dx.floats, dy.floats, w.floats, &desc, $0, $1) }
                .expectExactMemory("backward_input of \(s)")
                Call(
                    outputs: [dw, db], inputs: [dy, x],
                    workspaceBytes: ck_conv2d_workspace_bytes(CK_CONV2D_BACKWARD_WEIGHT, &desc)
                ) { ck_conv2d_backward_weight(dw.floats, db.floats, dy.floats, x.floats, &desc, $0, $1) }
                .expectExactMemory("backward_weight of \(s)")
            }
        }

        /// [batch, height, width, channels in and out] and the end; on every instruction set.
        @Test(arguments: [
            ([2, 7, 9, 32, 64], CK_BLOCK_POOL), ([1, 4, 4, 64, 32], CK_BLOCK_AVERAGE), ([3, 5, 6, 32, 32], CK_BLOCK_DENSE),
            ([2, 6, 11, 3, 32], CK_BLOCK_POOL), ([5, 3, 2, 96, 256], CK_BLOCK_POOL),
        ])
        mutating func block(_ d: [Int], _ end: ck_block_end) {
            Threads.configure(3)
            defer { Threads.configure(1) }
            var desc = ck_block_desc(
                batch: Int32(d[0]), height: Int32(d[1]), width: Int32(d[2]), in_channels: Int32(d[3]), out_channels: Int32(d[4]),
                end: end, momentum: 0.1, epsilon: 1e-5)
            let pixels = d[0] * d[1] * d[2], channels = d[3], k = d[4], isFirst = d[3] == 3
            let outCount = end == CK_BLOCK_POOL ? d[0] * (d[1] / 2) * (d[2] / 2) * k : end == CK_BLOCK_AVERAGE ? d[0] * k : pixels * k
            let x = input(pixels * channels), w = input(9 * channels * k), g = input(outCount)
            let perChannel = (0..<5).map { _ in input(k) }, scale = input(channels), shift = input(channels)
            let runningMean = input(k), runningVariance = GuardedBuffer(random.floats(k).map { $0 + 2 })
            let dw = input(9 * channels * k), dGamma = input(k), dBeta = input(k)
            let gSums = GuardedBuffer(byteCount: 16 * k), dxSums = GuardedBuffer(byteCount: 16 * channels)
            for i in 0..<2 * k { gSums.pointer.assumingMemoryBound(to: Double.self)[i] = Double(i % 7) - 3 }
            for isa in InstructionSet.available {
                let before = InstructionSet.current
                InstructionSet.current = isa
                defer { InstructionSet.current = before }
                let y = isFirst ? GuardedBuffer(byteCount: outCount, misalignment: 1) : output(pixels * k)
                let out = output(outCount), numbers = (0..<4).map { _ in output(k) }, active = output(2 * d[0] * k)
                let dx = output(pixels * channels)
                var t = ck_block_tensors(
                    x: x.floats, x_scale: isFirst ? nil : UnsafePointer(scale.floats), x_shift: isFirst ? nil : UnsafePointer(shift.floats),
                    w: w.floats, bias: UnsafePointer(perChannel[0].floats), gamma: perChannel[1].floats, beta: perChannel[2].floats,
                    running_mean: runningMean.floats, running_variance: runningVariance.floats, y: y.pointer, out: out.floats,
                    scale: numbers[0].floats, shift: numbers[1].floats, mean: numbers[2].floats, inverse_std: numbers[3].floats,
                    active: active.floats, g: UnsafePointer(g.floats),
                    g_sums: UnsafePointer(gSums.pointer.assumingMemoryBound(to: Double.self)), dx: isFirst ? nil : dx.floats,
                    dx_sums: isFirst ? nil : dxSums.pointer.assumingMemoryBound(to: Double.self), dw: dw.floats, dgamma: dGamma.floats,
                    dbeta: dBeta.floats)
                let given = [x, w, g, scale, shift] + perChannel
                let bytes = ck_block_train_workspace_bytes(&desc), what = "\(d), \(isa)"
                Call(
                    outputs: numbers + (isFirst ? [] : [y]) + (end == CK_BLOCK_DENSE ? [] : [out])
                        + (end == CK_BLOCK_AVERAGE ? [active] : []),
                    inputs: given, workspaceBytes: bytes
                ) { ck_block_forward_train(&t, &desc, $0, $1) }.expectExactMemory("block forward of \(what)")
                y.expectIntact("bytes of \(what)")
                Call(
                    outputs: [dw, dGamma, dBeta] + (isFirst ? [] : [dx]), inputs: given + numbers, workspaceBytes: bytes
                ) { ck_block_backward(&t, &desc, $0, $1) }.expectExactMemory("block backward of \(what)")
                dxSums.expectIntact("sums of \(what)")

                let prepared = GuardedBuffer(byteCount: ck_block_prepared_bytes(&desc))
                let variance = GuardedBuffer(random.floats(k).map { abs($0) + 1 })
                #expect(
                    ck_block_prepare(
                        prepared.pointer, w.floats, perChannel[0].floats, perChannel[1].floats, perChannel[2].floats,
                        perChannel[3].floats, variance.floats, &desc) == CK_OK)
                prepared.expectIntact("prepared filter of \(what)")
                Call(outputs: [out], inputs: [x], workspaceBytes: ck_block_infer_workspace_bytes(&desc)) {
                    ck_block_forward_infer(out.floats, x.floats, prepared.pointer, &desc, $0, $1)
                }.expectExactMemory("block inference of \(what)")
            }
        }

        @Test(arguments: [(1, 3), (37, 5), (1000, 70), (3, 130)])
        mutating func batchNormAndBias(_ rows: Int, _ channels: Int) {
            var desc = ck_batch_norm_desc(rows: Int64(rows), channels: Int32(channels), momentum: 0.1, epsilon: 1e-5)
            let x = input(rows * channels), dy = input(rows * channels), gamma = input(channels), beta = input(channels)
            let y = output(rows * channels), dx = output(rows * channels), mean = output(channels), scale = output(channels)
            let runningMean = input(channels), runningVariance = GuardedBuffer(random.floats(channels).map { $0 + 2 })
            let dGamma = input(channels), dBeta = input(channels)
            let bytes = ck_batch_norm_workspace_bytes(&desc)
            Call(outputs: [y, mean, scale, runningMean, runningVariance], inputs: [x, gamma, beta], workspaceBytes: bytes) {
                ck_batch_norm_forward_train(
                    y.floats, mean.floats, scale.floats, runningMean.floats, runningVariance.floats, x.floats, gamma.floats,
                    beta.floats, &desc, $0, $1)
            }.expectExactMemory("batch norm forward")
            Call(outputs: [dx, dGamma, dBeta], inputs: [dy, x, gamma, mean, scale], workspaceBytes: bytes) {
                ck_batch_norm_backward(
                    dx.floats, dGamma.floats, dBeta.floats, dy.floats, x.floats, gamma.floats, mean.floats, scale.floats, &desc,
                    $0, $1)
            }.expectExactMemory("batch norm backward")
            Call(outputs: [y], inputs: [x, gamma, beta, runningMean, runningVariance], workspaceBytes: 0) { _, _ in
                ck_batch_norm_forward_infer(
                    y.floats, x.floats, gamma.floats, beta.floats, runningMean.floats, runningVariance.floats, &desc)
            }.expectExactMemory("batch norm inference")

            var bias = ck_bias_desc(rows: Int64(rows), channels: Int32(channels))
            Call(outputs: [y], inputs: [x, beta], workspaceBytes: 0) { _, _ in
                ck_bias_forward(y.floats, x.floats, beta.floats, &bias)
            }.expectExactMemory("bias forward")
            Call(outputs: [dBeta], inputs: [dy], workspaceBytes: ck_bias_workspace_bytes(&bias)) {
                ck_bias_backward(dBeta.floats, dy.floats, &bias, $0, $1)
            }.expectExactMemory("bias backward")
        }

        @Test(arguments: PoolingTests.shapes)
        mutating func pooling(_ s: Sweep) {
            var desc = ck_pool2d_desc(
                batch: Int32(s.batch), height: Int32(s.height), width: Int32(s.width), channels: Int32(s.channels),
                kernel: Int32(s.kernelHeight), stride: Int32(s.stride), padding: Int32(s.padding))
            var whole = ck_global_pool_desc(
                batch: Int32(s.batch), pixels: Int32(s.height * s.width), channels: Int32(s.channels))
            let x = input(s.input.count), dy = input(s.pooled.count), row = input(s.batch * s.channels)
            func none(_ outputs: [GuardedBuffer], _ inputs: [GuardedBuffer], _ what: String, _ run: @escaping () -> ck_status) {
                Call(outputs: outputs, inputs: inputs, workspaceBytes: 0) { _, _ in run() }.expectExactMemory("\(what) of \(s)")
            }
            let y = output(s.pooled.count), dx = output(s.input.count), mean = output(row.values.count)
            none([y], [x], "max forward") { ck_max_pool2d_forward(y.floats, x.floats, &desc) }
            none([dx], [dy, x], "max backward") { ck_max_pool2d_backward(dx.floats, dy.floats, x.floats, &desc) }
            let y2 = output(s.pooled.count), dx2 = output(s.input.count), dx3 = output(s.input.count)
            none([y2], [x], "average forward") { ck_average_pool2d_forward(y2.floats, x.floats, &desc) }
            none([dx2], [dy], "average backward") { ck_average_pool2d_backward(dx2.floats, dy.floats, &desc) }
            none([mean], [x], "global forward") { ck_global_average_pool_forward(mean.floats, x.floats, &whole) }
            none([dx3], [row], "global backward") { ck_global_average_pool_backward(dx3.floats, row.floats, &whole) }
        }

        @Test(arguments: [1, 17, 16385])
        mutating func flatKernels(_ count: Int) {
            let a = input(count), b = input(count), y = output(count), n = Int64(count)
            func none(_ outputs: [GuardedBuffer], _ inputs: [GuardedBuffer], _ what: String, _ run: @escaping () -> ck_status) {
                Call(outputs: outputs, inputs: inputs, workspaceBytes: 0) { _, _ in run() }.expectExactMemory(what)
            }
            none([y], [a], "relu") { ck_relu_forward(y.floats, a.floats, n) }
            none([y], [a, b], "relu backward") { ck_relu_backward(y.floats, a.floats, b.floats, n) }
            none([y], [a, b], "add") { ck_add(y.floats, a.floats, b.floats, n) }
            none([y], [a, b], "multiply") { ck_multiply(y.floats, a.floats, b.floats, n) }
            none([y], [a], "scale") { ck_scale(y.floats, a.floats, 2, n) }
            let p = input(count), m = input(count), v = GuardedBuffer(random.floats(count).map { $0 + 1 }, misalignment: 4)
            var adamw = ck_adamw_desc(
                count: n, learning_rate: 0.1, beta1: 0.9, beta2: 0.999, epsilon: 1e-8, weight_decay: 0.1, step: 3)
            none([p, m, v], [a], "adamw") { ck_adamw_step(p.floats, m.floats, v.floats, a.floats, &adamw) }
            var sgd = ck_sgd_desc(
                count: n, learning_rate: 0.1, momentum: 0.9, weight_decay: 0.1, nesterov: true, first_step: false)
            none([p, m], [a], "sgd") { ck_sgd_step(p.floats, m.floats, a.floats, &sgd) }
            var sum = 0.0
            Call(outputs: [], inputs: [a], workspaceBytes: ck_sum_of_squares_workspace_bytes(n)) {
                ck_sum_of_squares(&sum, a.floats, n, $0, $1)
            }.expectExactMemory("sum of squares")
        }

        @Test mutating func matrixProductWithGaps() {
            // Leading dimensions beyond the width: the gaps must survive.
            let a = input(5 * 9), b = input(9 * 8), c = GuardedBuffer([Float](repeating: 3, count: 5 * 11), misalignment: 4)
            var desc = ck_gemm_desc(
                m: 5, n: 7, k: 6, lda: 9, ldb: 8, ldc: 11, transpose_a: false, transpose_b: false, accumulate: false)
            #expect(ck_gemm(c.floats, a.floats, b.floats, nil, &desc) == CK_OK)
            for buffer in [a, b, c] { buffer.expectIntact("matrix product") }
            for r in 0..<5 { #expect((7..<11).allSatisfy { c.values[r * 11 + $0] == 3 }) }
            desc.ldc = 6
            #expect(ck_gemm(c.floats, a.floats, b.floats, nil, &desc) == CK_BAD_SHAPE)
        }

        @Test mutating func refusals() {
            let x = input(64), y = output(64)
            var conv = ck_conv2d_desc(
                batch: 1, height: 2, width: 2, in_channels: 1, out_channels: 1, kernel_height: 5, kernel_width: 5, stride: 1,
                padding: 1, algorithm: CK_CONV2D_AUTO)
            #expect(ck_conv2d_workspace_bytes(CK_CONV2D_FORWARD, &conv) == 0)
            #expect(ck_conv2d_forward(y.floats, x.floats, x.floats, nil, &conv, nil, 0) == CK_BAD_SHAPE)
            conv.padding = 2
            conv.stride = 0
            #expect(ck_conv2d_forward(y.floats, x.floats, x.floats, nil, &conv, nil, 0) == CK_BAD_SHAPE)
            var pool = ck_pool2d_desc(batch: 1, height: 4, width: 4, channels: 1, kernel: 2, stride: 2, padding: 2)
            #expect(ck_max_pool2d_forward(y.floats, x.floats, &pool) == CK_BAD_SHAPE)
            var norm = ck_batch_norm_desc(rows: 0, channels: 1, momentum: 0, epsilon: 0)
            #expect(
                ck_batch_norm_forward_infer(y.floats, x.floats, x.floats, x.floats, x.floats, x.floats, &norm) == CK_BAD_SHAPE)
            var adamw = ck_adamw_desc(
                count: 1, learning_rate: 1, beta1: 1, beta2: 0.5, epsilon: 0, weight_decay: 0, step: 1)
            #expect(ck_adamw_step(y.floats, y.floats, y.floats, x.floats, &adamw) == CK_BAD_ARGUMENT)
            var sgd = ck_sgd_desc(
                count: 1, learning_rate: 1, momentum: 0.9, weight_decay: 0, nesterov: false, first_step: true)
            #expect(ck_sgd_step(y.floats, nil, x.floats, &sgd) == CK_BAD_ARGUMENT)
            #expect(ck_set_threads(0) == CK_NO_THREAD && ck_set_threads(Int32(CK_MAX_THREADS) + 1) == CK_NO_THREAD)
            for status in [CK_OK, CK_BAD_SHAPE, CK_BAD_ARGUMENT, CK_SMALL_WORKSPACE, CK_NO_THREAD] {
                #expect(String(cString: ck_status_string(status)) != "unknown status")
            }
            y.expectIntact("a refused output")
        }
    }
}
