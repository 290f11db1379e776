// The memory and the order of a fused run's training step.
import TensorCore

extension FusedRun {
    /// Everything between two convolutions of one training step, for batches up to a size.
    final class TrainingPlan {
        private let blocks: [Block]
        private let largest: FusedBlock.Size
        private let memory: [FusedBlock.Memory]
        private let sums: [TensorStorage]
        /// Gradients of block outputs, used in turn: a block reads one and writes the other.
        private let gradients: [TensorStorage]
        private let workspace = Workspace()
        private var saved: (x: Tensor, sizes: [FusedBlock.Size])?

        init(_ blocks: [Block], sizes: [FusedBlock.Size]) {
            self.blocks = blocks
            largest = sizes[0]
            memory = zip(blocks, sizes).map { FusedBlock.Memory($0.kernel, $1) }
            sums = blocks.map { TensorStorage(byteCount: 2 * $0.kernel.outChannels * MemoryLayout<Double>.stride) }
            var counts = [1, 1]
            for (index, (block, size)) in zip(blocks, sizes).enumerated() where block.kernel.end != .average {
                let out = block.kernel.outputSize(size)
                counts[index % 2] = max(counts[index % 2], out.batch * out.height * out.width * block.kernel.outChannels)
            }
            gradients = counts.map { TensorStorage(byteCount: $0 * MemoryLayout<Float>.stride) }
        }

        func fits(_ size: FusedBlock.Size) -> Bool { capacity(size) >= size.batch }

        /// The largest batch of such images.
        func capacity(_ size: FusedBlock.Size) -> Int {
            size.height == largest.height && size.width == largest.width ? largest.batch : 0
        }

        private func input(_ index: Int, _ x: Tensor) -> FusedBlock.Input {
            index > 0 ? memory[index - 1].next : FusedBlock.Input(x: x.pointer, channels: nil)
        }

        /// The result lies in the plan: it holds until the next forward pass.
        func forward(_ x: Tensor, _ sizes: [FusedBlock.Size]) -> Tensor {
            saved = (x, sizes)
            withExtendedLifetime(x) {
                for (index, block) in blocks.enumerated() {
                    block.timed(.forward, sizes[index]) {
                        block.kernel.forwardTrain(
                            memory[index], block.parameters, input: input(index, x), size: sizes[index], workspace: workspace)
                    }
                }
            }
            let last = blocks.count - 1
            return memory[last].output!.view(offset: 0, Shape(sizes[0].batch, blocks[last].kernel.outChannels))
        }

        func backward(_ dy: Tensor) -> Tensor {
            guard let (x, sizes) = saved else { unsaved("FusedRun") }
            precondition(
                dy.shape == Shape(sizes[0].batch, blocks[blocks.count - 1].kernel.outChannels),
                "FusedRun.backward: dy has shape \(dy.shape) after a forward pass of \(sizes[0].batch) images")
            let dx = blocks[0].convolution.needsInputGradient ? Tensor(x.shape) : nil
            withExtendedLifetime((x, dy, dx)) {
                for (index, block) in blocks.enumerated().reversed() {
                    var target: (dx: UnsafeMutablePointer<Float>, sums: TensorStorage)?
                    if index > 0 {
                        target = (gradients[(index - 1) % 2].pointer.assumingMemoryBound(to: Float.self), sums[index - 1])
                    } else if let dx {
                        target = (dx.pointer, sums[0])
                    }
                    let own = block.kernel.end == .average
                        ? dy.pointer : gradients[index % 2].pointer.assumingMemoryBound(to: Float.self)
                    block.timed(.backward, sizes[index]) {
                        block.kernel.backward(
                            memory[index], block.parameters, block.gradients, input: input(index, x), gradient: own,
                            sums: sums[index], inputGradient: target, size: sizes[index], workspace: workspace)
                    }
                }
            }
            return dx ?? Tensor(Shape(1))
        }
    }
}
