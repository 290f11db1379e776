// Swift face of ck_conv2d.h.
import CKernels

extension Kernels {
    /// Which convolution runs; anything but `.automatic` is for tests and benchmarks.
    package enum ConvolutionAlgorithm {
        case automatic, reference, im2col, winograd

        var value: ck_conv2d_algorithm {
            switch self {
            case .automatic: CK_CONV2D_AUTO
            case .reference: CK_CONV2D_REFERENCE
            case .im2col: CK_CONV2D_IM2COL
            case .winograd: CK_CONV2D_WINOGRAD
            }
        }
    }

    /// Cross-correlation of images with filters.
    ///
    /// Shape: x [N,H,W,C], weight [K,kh,kw,C], bias [K] → [N,OH,OW,K] with OH = (H + 2·padding − kh)/stride + 1.
    /// Source: torch.nn.functional.conv2d.
    public static func conv2dForward(_ x: Tensor, weight: Tensor, bias: Tensor?, stride: Int, padding: Int) -> Tensor {
        conv2dForward(x, weight: weight, bias: bias, stride: stride, padding: padding, algorithm: .automatic)
    }

    package static func conv2dForward(
        _ x: Tensor, weight: Tensor, bias: Tensor?, stride: Int, padding: Int, algorithm: ConvolutionAlgorithm
    ) -> Tensor {
        var desc = convolution(x.shape, weight.shape, stride, padding, algorithm)
        if let bias { requireChannels(bias, weight.shape[0], "conv2d bias") }
        let y = Tensor(outputShape(desc))
        withWorkspace(
            { ck_conv2d_workspace_bytes(CK_CONV2D_FORWARD, &desc) },
            "conv2dForward(x \(x.shape), weight \(weight.shape), stride \(stride), padding \(padding))"
        ) { workspace, bytes in
            withExtendedLifetime((x, weight, bias, y)) {
                ck_conv2d_forward(y.pointer, x.pointer, weight.pointer, bias?.pointer, &desc, workspace, bytes)
            }
        }
        return y
    }

    /// Gradient of ``conv2dForward(_:weight:bias:stride:padding:)`` in its input.
    ///
    /// Shape: dy [N,OH,OW,K], weight [K,kh,kw,C] → inputShape [N,H,W,C].
    public static func conv2dBackwardInput(
        _ dy: Tensor, weight: Tensor, inputShape: Shape, stride: Int, padding: Int
    ) -> Tensor {
        conv2dBackwardInput(
            dy, weight: weight, inputShape: inputShape, stride: stride, padding: padding, algorithm: .automatic)
    }

    package static func conv2dBackwardInput(
        _ dy: Tensor, weight: Tensor, inputShape: Shape, stride: Int, padding: Int, algorithm: ConvolutionAlgorithm
    ) -> Tensor {
        var desc = convolution(inputShape, weight.shape, stride, padding, algorithm)
        requireOutput(dy, desc, "conv2dBackwardInput")
        let dx = Tensor(inputShape)
        withWorkspace(
            { ck_conv2d_workspace_bytes(CK_CONV2D_BACKWARD_INPUT, &desc) },
            "conv2dBackwardInput(dy \(dy.shape), weight \(weight.shape), stride \(stride), padding \(padding))"
        ) { workspace, bytes in
            withExtendedLifetime((dy, weight, dx)) {
                ck_conv2d_backward_input(dx.pointer, dy.pointer, weight.pointer, &desc, workspace, bytes)
            }
        }
        return dx
    }

    /// Adds the gradients of weight and bias to `dWeight` and `dBias`.
    ///
    /// Shape: dy [N,OH,OW,K], input [N,H,W,C], dWeight [K,kh,kw,C], dBias [K].
    public static func conv2dBackwardWeight(
        _ dy: Tensor, input: Tensor, dWeight: Tensor, dBias: Tensor?, stride: Int, padding: Int
    ) {
        conv2dBackwardWeight(
            dy, input: input, dWeight: dWeight, dBias: dBias, stride: stride, padding: padding, algorithm: .automatic)
    }

    package static func conv2dBackwardWeight(
        _ dy: Tensor, input: Tensor, dWeight: Tensor, dBias: Tensor?, stride: Int, padding: Int,
        algorithm: ConvolutionAlgorithm
    ) {
        var desc = convolution(input.shape, dWeight.shape, stride, padding, algorithm)
        requireOutput(dy, desc, "conv2dBackwardWeight")
        if let dBias { requireChannels(dBias, dWeight.shape[0], "conv2d bias gradient") }
        withWorkspace(
            { ck_conv2d_workspace_bytes(CK_CONV2D_BACKWARD_WEIGHT, &desc) },
            "conv2dBackwardWeight(dy \(dy.shape), input \(input.shape), stride \(stride), padding \(padding))"
        ) { workspace, bytes in
            withExtendedLifetime((dy, input, dWeight, dBias)) {
                ck_conv2d_backward_weight(
                    dWeight.pointer, dBias?.pointer, dy.pointer, input.pointer, &desc, workspace, bytes)
            }
        }
    }

    private static func convolution(
        _ x: Shape, _ weight: Shape, _ stride: Int, _ padding: Int, _ algorithm: ConvolutionAlgorithm
    ) -> ck_conv2d_desc {
        precondition(
            x.rank == 4 && weight.rank == 4 && x[3] == weight[3],
            "convolution of x \(x) with weight \(weight): [N,H,W,C] and [K,kh,kw,C] are needed")
        return ck_conv2d_desc(
            batch: Int32(x[0]), height: Int32(x[1]), width: Int32(x[2]), in_channels: Int32(x[3]),
            out_channels: Int32(weight[0]), kernel_height: Int32(weight[1]), kernel_width: Int32(weight[2]),
            stride: Int32(stride), padding: Int32(padding), algorithm: algorithm.value)
    }

    private static func outputShape(_ d: ck_conv2d_desc) -> Shape {
        let height = ck_output_size(d.height, d.kernel_height, d.stride, d.padding)
        let width = ck_output_size(d.width, d.kernel_width, d.stride, d.padding)
        precondition(
            height > 0 && width > 0,
            "a \(d.kernel_height)×\(d.kernel_width) filter does not fit an image of \(d.height)×\(d.width) with padding \(d.padding)")
        return Shape(Int(d.batch), Int(height), Int(width), Int(d.out_channels))
    }

    private static func requireOutput(_ dy: Tensor, _ desc: ck_conv2d_desc, _ what: String) {
        let expected = outputShape(desc)
        precondition(dy.shape == expected, "\(what): dy has shape \(dy.shape), the forward output has \(expected)")
    }
}
