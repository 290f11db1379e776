// Recognises convolution blocks in a list of layers and runs them as fused operations.
import TensorCore

/// A run of blocks (3×3 convolution, batch norm, ReLU, perhaps 2×2 maximum pooling) that ends in a global average.
///
/// The layers it stands for keep their parameters and still run by themselves where the kernels do not fit (channels, tiny images) or
/// ``isEnabled`` is false: there is one definition of the network. All activations are planned once per image size, for the largest
/// batch seen, and used again.
final class FusedRun: Layer {
    struct Block {
        let convolution: Conv2D
        let norm: BatchNorm2D
        let kernel: FusedBlock

        /// Asked for anew at every pass: a ``ParameterStore`` moves values.
        var parameters: FusedBlock.Parameters {
            FusedBlock.Parameters(
                weight: convolution.weight.value, bias: convolution.bias?.value, gamma: norm.weight.value, beta: norm.bias.value,
                runningMean: norm.runningMean.value, runningVariance: norm.runningVariance.value)
        }

        var gradients: FusedBlock.Gradients {
            FusedBlock.Gradients(weight: convolution.weight.gradient, gamma: norm.weight.gradient, beta: norm.bias.gradient)
        }

        /// Runs one pass of the block and books it, convolution, batch norm, ReLU and pooling together.
        func timed<T>(_ pass: LayerTimes.Pass, _ size: FusedBlock.Size, _ body: () -> T) -> T {
            LayerTimes.part(
                convolution.label ?? "", pass,
                convolution.operations(input: Shape(size.batch, size.height, size.width, kernel.inChannels)), body)
        }
    }

    private let layers: [any Layer]
    private let names: [String]
    private let blocks: [Block]
    private var training: TrainingPlan?
    private var inference: InferencePlan?
    private var lastForwardWasFused = false
    var isEnabled = true

    private init(_ layers: [any Layer], _ blocks: [Block]) {
        self.layers = layers
        names = LayerTimes.names(of: layers)
        self.blocks = blocks
    }

    // MARK: Recognition

    /// The same layers with every run replaced.
    static func fuse(_ layers: [any Layer]) -> [any Layer] {
        var steps: [any Layer] = []
        var index = 0
        while index < layers.count {
            if let run = run(in: layers, from: index) {
                steps.append(run)
                index += run.layers.count
            } else {
                steps.append(layers[index])
                index += 1
            }
        }
        return steps
    }

    private static func run(in layers: [any Layer], from start: Int) -> FusedRun? {
        var blocks: [Block] = []
        var index = start
        while index + 2 < layers.count, let convolution = layers[index] as? Conv2D, let norm = layers[index + 1] as? BatchNorm2D,
            layers[index + 2] is ReLU, fits(convolution)
        {
            index += 3
            var end = FusedBlock.End.dense
            if index < layers.count, let pool = layers[index] as? MaxPool2D, pool.kernel == 2, pool.stride == 2, pool.padding == 0 {
                end = .pool
                index += 1
            } else if index < layers.count, layers[index] is GlobalAveragePool {
                end = .average
                index += 1
            }
            let weight = convolution.weight.value.shape
            let kernel = FusedBlock(
                inChannels: weight[3], outChannels: weight[0], end: end, momentum: BatchNorm2D.momentum, epsilon: BatchNorm2D.epsilon)
            blocks.append(Block(convolution: convolution, norm: norm, kernel: kernel))
            if end == .average { return FusedRun(Array(layers[start..<index]), blocks) }
        }
        return nil
    }

    private static func fits(_ convolution: Conv2D) -> Bool {
        let shape = convolution.weight.value.shape
        return shape[1] == 3 && shape[2] == 3 && convolution.stride == 1 && convolution.padding == 1
            && !(shape[3] == 3 && convolution.needsInputGradient)
    }

    // MARK: Layer

    func forward(_ x: Tensor, _ mode: Mode) -> Tensor {
        let sizes = isEnabled ? sizes(of: x.shape) : nil
        if mode == .training {
            lastForwardWasFused = sizes != nil
            inference?.forget()
        }
        guard let sizes else { return layers.indices.reduce(x) { LayerTimes.forward(layers[$1], names[$1], $0, mode) } }
        if mode == .inference {
            if inference == nil { inference = InferencePlan(blocks) }
            return inference!.forward(x, sizes)
        }
        if training?.fits(sizes[0]) != true {
            let largest = max(sizes[0].batch, training?.capacity(sizes[0]) ?? 0)
            training = nil  // its memory serves the new plan
            training = TrainingPlan(blocks, sizes: self.sizes(of: Shape(largest, x.shape[1], x.shape[2], x.shape[3]))!)
        }
        return training!.forward(x, sizes)
    }

    func backward(_ dy: Tensor) -> Tensor {
        guard lastForwardWasFused else {
            return layers.indices.reversed().reduce(dy) { LayerTimes.backward(layers[$1], names[$1], $0) }
        }
        guard let training else { unsaved("FusedRun") }
        return training.backward(dy)
    }

    func visitParameters(_ visit: (Parameter) -> Void) {
        for layer in layers { layer.visitParameters(visit) }
    }

    func trim() {
        for layer in layers { layer.trim() }
        training = nil
    }

    func parametersChanged() { inference?.forget() }

    /// The images entering each block; nil where a block's kernel does not serve them.
    private func sizes(of shape: Shape) -> [FusedBlock.Size]? {
        guard shape.rank == 4, shape[3] == blocks[0].kernel.inChannels else { return nil }
        var size = FusedBlock.Size(batch: shape[0], height: shape[1], width: shape[2])
        var sizes: [FusedBlock.Size] = []
        for block in blocks {
            guard block.kernel.isSupported(size) else { return nil }
            sizes.append(size)
            size = block.kernel.outputSize(size)
        }
        return sizes
    }
}
