// Swift face of ck_pool.h.
import CKernels

extension Kernels {
    /// The maximum of each window (floor mode); NaN wins.
    ///
    /// Shape: x [N,H,W,C] → [N,OH,OW,C].  Source: torch.nn.functional.max_pool2d.
    public static func maxPool2dForward(_ x: Tensor, kernel: Int, stride: Int, padding: Int) -> Tensor {
        var desc = pooling(x.shape, kernel, stride, padding)
        let y = Tensor(outputShape(desc))
        withExtendedLifetime((x, y)) {
            check(ck_max_pool2d_forward(y.pointer, x.pointer, &desc), "maxPool2dForward(\(x.shape), \(kernel), \(stride), \(padding))")
        }
        return y
    }

    /// Hands each gradient to the first maximum of its window, as torch does. `output` only fixes the shape.
    ///
    /// Shape: dy, output [N,OH,OW,C], input [N,H,W,C] → as input.
    public static func maxPool2dBackward(
        _ dy: Tensor, input: Tensor, output: Tensor, kernel: Int, stride: Int, padding: Int
    ) -> Tensor {
        requireSame(dy, output, "maxPool2dBackward")
        var desc = pooling(input.shape, kernel, stride, padding)
        requireOutput(dy, desc, "maxPool2dBackward")
        let dx = Tensor(input.shape)
        withExtendedLifetime((dy, input, dx)) {
            check(
                ck_max_pool2d_backward(dx.pointer, dy.pointer, input.pointer, &desc),
                "maxPool2dBackward(\(input.shape), \(kernel), \(stride), \(padding))")
        }
        return dx
    }

    /// The window sum over kernel², padding counted.
    ///
    /// Shape: x [N,H,W,C] → [N,OH,OW,C].  Source: torch.nn.functional.avg_pool2d(count_include_pad=True).
    public static func averagePool2dForward(_ x: Tensor, kernel: Int, stride: Int, padding: Int) -> Tensor {
        var desc = pooling(x.shape, kernel, stride, padding)
        let y = Tensor(outputShape(desc))
        withExtendedLifetime((x, y)) {
            check(
                ck_average_pool2d_forward(y.pointer, x.pointer, &desc),
                "averagePool2dForward(\(x.shape), \(kernel), \(stride), \(padding))")
        }
        return y
    }

    /// Shape: dy [N,OH,OW,C] → inputShape [N,H,W,C].
    public static func averagePool2dBackward(
        _ dy: Tensor, inputShape: Shape, kernel: Int, stride: Int, padding: Int
    ) -> Tensor {
        var desc = pooling(inputShape, kernel, stride, padding)
        requireOutput(dy, desc, "averagePool2dBackward")
        let dx = Tensor(inputShape)
        withExtendedLifetime((dy, dx)) {
            check(
                ck_average_pool2d_backward(dx.pointer, dy.pointer, &desc),
                "averagePool2dBackward(\(inputShape), \(kernel), \(stride), \(padding))")
        }
        return dx
    }

    /// The mean over each image.
    ///
    /// Shape: x [N,H,W,C] → [N,C].  Source: torch.nn.functional.adaptive_avg_pool2d(1).
    public static func globalAveragePoolForward(_ x: Tensor) -> Tensor {
        var desc = globalPooling(x.shape)
        let y = Tensor(Shape(x.shape[0], x.shape[3]))
        withExtendedLifetime((x, y)) {
            check(ck_global_average_pool_forward(y.pointer, x.pointer, &desc), "globalAveragePoolForward(\(x.shape))")
        }
        return y
    }

    /// Shape: dy [N,C] → inputShape [N,H,W,C].
    public static func globalAveragePoolBackward(_ dy: Tensor, inputShape: Shape) -> Tensor {
        var desc = globalPooling(inputShape)
        precondition(
            dy.count == inputShape[0] * inputShape[3],
            "globalAveragePoolBackward: dy \(dy.shape) does not fit an input of \(inputShape)")
        let dx = Tensor(inputShape)
        withExtendedLifetime((dy, dx)) {
            check(ck_global_average_pool_backward(dx.pointer, dy.pointer, &desc), "globalAveragePoolBackward(\(inputShape))")
        }
        return dx
    }

    private static func pooling(_ x: Shape, _ kernel: Int, _ stride: Int, _ padding: Int) -> ck_pool2d_desc {
        precondition(x.rank == 4, "pooling needs [N,H,W,C], not \(x)")
        return ck_pool2d_desc(
            batch: Int32(x[0]), height: Int32(x[1]), width: Int32(x[2]), channels: Int32(x[3]),
            kernel: Int32(kernel), stride: Int32(stride), padding: Int32(padding))
    }

    private static func globalPooling(_ x: Shape) -> ck_global_pool_desc {
        precondition(x.rank == 4, "pooling needs [N,H,W,C], not \(x)")
        return ck_global_pool_desc(batch: Int32(x[0]), pixels: Int32(x[1] * x[2]), channels: Int32(x[3]))
    }

    private static func outputShape(_ d: ck_pool2d_desc) -> Shape {
        let height = ck_output_size(d.height, d.kernel, d.stride, d.padding)
        let width = ck_output_size(d.width, d.kernel, d.stride, d.padding)
        precondition(
            height > 0 && width > 0,
            "a pooling window of \(d.kernel) does not fit an image of \(d.height)×\(d.width) with padding \(d.padding)")
        return Shape(Int(d.batch), Int(height), Int(width), Int(d.channels))
    }

    private static func requireOutput(_ dy: Tensor, _ desc: ck_pool2d_desc, _ what: String) {
        let expected = outputShape(desc)
        precondition(dy.shape == expected, "\(what): dy has shape \(dy.shape), the forward output has \(expected)")
    }
}
