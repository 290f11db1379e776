// Swift face of ck_block.h: one convolution block as one operation.
import CKernels

/// 3×3 convolution (stride 1, padding 1), batch norm, ReLU, and pooling or averaging, as one operation.
///
/// Between two blocks stands not the first one's output but its convolution's result, pooled, with a scale and a shift per channel:
/// the next block reads relu(scale·x + shift).
public struct FusedBlock: Sendable {
    public enum End: Sendable { case dense, pool, average }

    /// Images that enter the block.
    public struct Size: Equatable, Sendable {
        public let batch: Int, height: Int, width: Int

        public init(batch: Int, height: Int, width: Int) {
            self.batch = batch
            self.height = height
            self.width = width
        }
    }

    public let inChannels: Int, outChannels: Int
    public let end: End
    private let momentum: Float, epsilon: Float

    public init(inChannels: Int, outChannels: Int, end: End, momentum: Float, epsilon: Float) {
        self.inChannels = inChannels
        self.outChannels = outChannels
        self.end = end
        self.momentum = momentum
        self.epsilon = epsilon
    }

    /// A first layer of three channels has no input gradient and keeps one byte per pooled element instead of its result.
    public var isFirst: Bool { inChannels == 3 }

    public func isSupported(_ size: Size) -> Bool {
        var desc = descriptor(size)
        return ck_block_is_supported(&desc)
    }

    /// Images that leave the block.
    public func outputSize(_ size: Size) -> Size {
        switch end {
        case .dense: size
        case .pool: Size(batch: size.batch, height: size.height / 2, width: size.width / 2)
        case .average: Size(batch: size.batch, height: 1, width: 1)
        }
    }

    /// The parameters of a block; those of batch norm are [K].
    public struct Parameters {
        public var weight: Tensor, bias: Tensor?, gamma: Tensor, beta: Tensor, runningMean: Tensor, runningVariance: Tensor

        public init(weight: Tensor, bias: Tensor?, gamma: Tensor, beta: Tensor, runningMean: Tensor, runningVariance: Tensor) {
            self.weight = weight
            self.bias = bias
            self.gamma = gamma
            self.beta = beta
            self.runningMean = runningMean
            self.runningVariance = runningVariance
        }
    }

    /// What a forward pass leaves for the next block and for the backward pass.
    public struct Memory {
        /// The convolution's result [N,H,W,K], or the first layer's bytes.
        public let result: TensorStorage
        /// The end's output; nil where the result itself is what the next block reads.
        public let output: Tensor?
        /// Shape: [4, K]: scale, shift, mean, 1/σ.
        public let channels: Tensor
        /// Shape: [2, N, K]; only of an averaging block.
        public let active: Tensor?

        /// Memory for images up to this size.
        public init(_ block: FusedBlock, _ size: Size) {
            let out = block.outputSize(size), width = block.outChannels
            let outCount = out.batch * out.height * out.width * width
            let resultCount = size.batch * size.height * size.width * width
            result = TensorStorage(byteCount: block.isFirst ? outCount : resultCount * MemoryLayout<Float>.stride)
            output = block.end == .dense ? nil : Tensor(Shape(outCount))
            channels = Tensor(Shape(4, width))
            active = block.end == .average ? Tensor(Shape(2 * size.batch * width)) : nil
        }

        /// The next block's input.
        public var next: Input {
            Input(x: output?.pointer ?? result.pointer.assumingMemoryBound(to: Float.self), channels: channels)
        }
    }

    /// What the block before hands over: its pooled (or plain) result and, unless it is an image, its [4, C] channel numbers.
    public struct Input {
        public var x: UnsafeMutablePointer<Float>
        public var channels: Tensor?

        public init(x: UnsafeMutablePointer<Float>, channels: Tensor?) {
            self.x = x
            self.channels = channels
        }
    }

    public func forwardTrain(_ memory: Memory, _ parameters: Parameters, input: Input, size: Size, workspace: Workspace) {
        var desc = descriptor(size)
        var t = pointers(memory, parameters, input)
        workspace.run({ ck_block_train_workspace_bytes(&desc) }, "fused forward pass of \(self) on \(size)") { scratch, bytes in
            withExtendedLifetime((memory, parameters, input.channels)) { ck_block_forward_train(&t, &desc, scratch, bytes) }
        }
    }

    /// Where a backward pass adds the gradients of the parameters.
    public struct Gradients {
        public var weight: Tensor, gamma: Tensor, beta: Tensor

        public init(weight: Tensor, gamma: Tensor, beta: Tensor) {
            self.weight = weight
            self.gamma = gamma
            self.beta = beta
        }
    }

    /// - `gradient`: of the output; unless the block averages, as the next block's backward pass left it.
    /// - `sums`: its two sums per channel, in Double, as the next block's backward pass left them.
    /// - `inputGradient`: where to put the gradient of the input and its sums; nil where nobody needs it.
    public func backward(
        _ memory: Memory, _ parameters: Parameters, _ gradients: Gradients, input: Input, gradient: UnsafePointer<Float>,
        sums: TensorStorage, inputGradient: (dx: UnsafeMutablePointer<Float>, sums: TensorStorage)?, size: Size, workspace: Workspace
    ) {
        var desc = descriptor(size)
        var t = pointers(memory, parameters, input)
        t.g = gradient
        t.g_sums = UnsafePointer(sums.pointer.assumingMemoryBound(to: Double.self))
        t.dx = inputGradient?.dx
        t.dx_sums = inputGradient?.sums.pointer.assumingMemoryBound(to: Double.self)
        t.dw = gradients.weight.pointer
        t.dgamma = gradients.gamma.pointer
        t.dbeta = gradients.beta.pointer
        workspace.run({ ck_block_train_workspace_bytes(&desc) }, "fused backward pass of \(self) on \(size)") { scratch, bytes in
            withExtendedLifetime((memory, parameters, gradients, input.channels, sums, inputGradient?.sums)) {
                ck_block_backward(&t, &desc, scratch, bytes)
            }
        }
    }

    /// Filter and bias with batch norm folded in, for ``forwardInfer(_:input:prepared:size:workspace:)``. Holds for every image size,
    /// for the present instruction set.
    public func prepare(_ p: Parameters) -> TensorStorage {
        var desc = descriptor(Size(batch: 1, height: 16, width: 16))
        let prepared = TensorStorage(byteCount: ck_block_prepared_bytes(&desc))
        withExtendedLifetime((p, prepared)) {
            check(
                ck_block_prepare(
                    prepared.pointer, p.weight.pointer, p.bias?.pointer, p.gamma.pointer, p.beta.pointer, p.runningMean.pointer,
                    p.runningVariance.pointer, &desc),
                "preparing \(self)")
        }
        return prepared
    }

    /// Shape: input [N,H,W,C] → output as ``outputSize(_:)`` says.
    public func forwardInfer(
        _ output: UnsafeMutablePointer<Float>, input: UnsafePointer<Float>, prepared: TensorStorage, size: Size, workspace: Workspace
    ) {
        var desc = descriptor(size)
        workspace.run({ ck_block_infer_workspace_bytes(&desc) }, "fused inference of \(self) on \(size)") { scratch, bytes in
            ck_block_forward_infer(output, input, prepared.pointer, &desc, scratch, bytes)
        }
    }

    private func descriptor(_ size: Size) -> ck_block_desc {
        let end = switch self.end {
        case .dense: CK_BLOCK_DENSE
        case .pool: CK_BLOCK_POOL
        case .average: CK_BLOCK_AVERAGE
        }
        return ck_block_desc(
            batch: Int32(size.batch), height: Int32(size.height), width: Int32(size.width), in_channels: Int32(inChannels),
            out_channels: Int32(outChannels), end: end, momentum: momentum, epsilon: epsilon)
    }

    private func pointers(_ memory: Memory, _ p: Parameters, _ input: Input) -> ck_block_tensors {
        let channels = memory.channels.pointer
        return ck_block_tensors(
            x: input.x, x_scale: input.channels.map { UnsafePointer($0.pointer) },
            x_shift: input.channels.map { UnsafePointer($0.pointer + inChannels) }, w: p.weight.pointer,
            bias: p.bias.map { UnsafePointer($0.pointer) }, gamma: p.gamma.pointer, beta: p.beta.pointer,
            running_mean: p.runningMean.pointer, running_variance: p.runningVariance.pointer, y: memory.result.pointer,
            out: memory.output?.pointer, scale: channels, shift: channels + outChannels, mean: channels + 2 * outChannels,
            inverse_std: channels + 3 * outChannels, active: memory.active?.pointer, g: nil, g_sums: nil, dx: nil, dx_sums: nil,
            dw: nil, dgamma: nil, dbeta: nil)
    }
}

/// Scratch memory that one owner keeps between calls and that only ever grows.
public final class Workspace {
    private var storage: TensorStorage?

    public init() {}

    public var byteCount: Int { storage?.byteCount ?? 0 }

    /// Calls the kernel with as much memory as it asks for and traps when it refuses its arguments. Scratch is per thread: when another
    /// thread raises the thread count between question and call, the question is asked again.
    func run(_ needed: () -> Int, _ call: @autoclosure () -> String, _ kernel: (UnsafeMutableRawPointer?, Int) -> ck_status) {
        while true {
            let bytes = needed()
            if byteCount < bytes {
                storage = nil
                storage = TensorStorage(byteCount: bytes)
            }
            let status = withExtendedLifetime(storage) { kernel(storage?.pointer, byteCount) }
            if status == CK_SMALL_WORKSPACE && needed() > byteCount { continue }
            return check(status, call())
        }
    }
}
