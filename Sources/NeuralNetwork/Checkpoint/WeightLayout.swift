// The only place where weights change layout: convolutions are [out, kh, kw, in] here and [out, in, kh, kw] in files.
import TensorCore

enum WeightLayout {
    /// The shape torch knows: rank-4 weights as OIHW, everything else as it is.
    static func torchShape(_ shape: Shape) -> [Int] {
        shape.rank == 4 ? [shape[0], shape[3], shape[1], shape[2]] : shape.dims
    }

    static func toTorch(_ tensor: Tensor) -> [Float] {
        let values = tensor.toArray()
        return map(tensor.shape) { ours, torch, out in out[torch] = values[ours] }
    }

    static func fromTorch(_ values: [Float], shape: Shape) -> [Float] {
        map(shape) { ours, torch, out in out[ours] = values[torch] }
    }

    private static func map(_ shape: Shape, _ assign: (_ ours: Int, _ torch: Int, inout [Float]) -> Void) -> [Float] {
        var out = [Float](repeating: 0, count: shape.count)
        guard shape.rank == 4 else {
            for i in 0..<shape.count { assign(i, i, &out) }
            return out
        }
        let (rows, columns, inputs) = (shape[1], shape[2], shape[3])
        var ours = 0
        for o in 0..<shape[0] {
            for y in 0..<rows {
                for x in 0..<columns {
                    for i in 0..<inputs {
                        assign(ours, ((o * inputs + i) * rows + y) * columns + x, &out)
                        ours += 1
                    }
                }
            }
        }
        return out
    }
}
