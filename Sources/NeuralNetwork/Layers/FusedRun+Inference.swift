// A fused run in inference: prepared filters, and two buffers that the blocks use in turn.
import TensorCore

extension FusedRun {
    final class InferencePlan {
        private let blocks: [Block]
        private let workspace = Workspace()
        private var buffers = [TensorStorage(byteCount: 0), TensorStorage(byteCount: 0)]
        private var prepared: [TensorStorage] = []
        /// What `prepared` was made from: a sample of the parameters and the instruction set.
        private var source: (sample: [Float], isa: InstructionSet)?

        init(_ blocks: [Block]) { self.blocks = blocks }

        /// The parameters are about to change.
        func forget() { source = nil }

        func forward(_ x: Tensor, _ sizes: [FusedBlock.Size]) -> Tensor {
            prepare()
            let last = blocks.count - 1
            let y = Tensor(Shape(sizes[0].batch, blocks[last].kernel.outChannels))
            var input = UnsafePointer(x.pointer)
            for (index, block) in blocks.enumerated() {
                let out = block.kernel.outputSize(sizes[index])
                let bytes = out.batch * out.height * out.width * block.kernel.outChannels * MemoryLayout<Float>.stride
                if index < last, buffers[index % 2].byteCount < bytes {
                    buffers[index % 2] = TensorStorage(byteCount: bytes)
                }
                let output = index < last ? buffers[index % 2].pointer.assumingMemoryBound(to: Float.self) : y.pointer
                withExtendedLifetime((x, y)) {
                    block.timed(.infer, sizes[index]) {
                        block.kernel.forwardInfer(
                            output, input: input, prepared: prepared[index], size: sizes[index], workspace: workspace)
                    }
                }
                input = UnsafePointer(output)
            }
            return y
        }

        private func prepare() {
            let now = (sample: sample(), isa: InstructionSet.current)
            if let source, source.isa == now.isa, source.sample.elementsEqual(now.sample, by: { $0.bitPattern == $1.bitPattern }) {
                return
            }
            prepared = blocks.map { $0.kernel.prepare($0.parameters) }
            source = now
        }

        /// A few values of every parameter: enough to notice a load, a step or a fill, and next to no time.
        private func sample() -> [Float] {
            var values: [Float] = []
            values.reserveCapacity(blocks.count * 6 * 32)
            for block in blocks {
                let norm = block.norm
                for parameter in [block.convolution.weight, norm.weight, norm.bias, norm.runningMean, norm.runningVariance] {
                    append(parameter.value, to: &values)
                }
                if let bias = block.convolution.bias { append(bias.value, to: &values) }
            }
            return values
        }

        private func append(_ tensor: Tensor, to values: inout [Float]) {
            withExtendedLifetime(tensor) {
                let pointer = tensor.pointer
                for i in stride(from: 0, to: tensor.count, by: max(1, tensor.count / 31)) { values.append(pointer[i]) }
            }
        }
    }
}
