import TensorCore
import TestSupport
import Testing

@Test func smoke() {
    Threads.configure(2)
    var r = RandomSource(seed: 3)
    func t(_ s: Shape) -> Tensor { Tensor(s, (0..<s.count).map { _ in Float(r.normal()) }) }
    let x = t(Shape(3, 17, 13, 5)), w = t(Shape(7, 3, 3, 5)), b = t(Shape(7))
    let y = Kernels.conv2dForward(x, weight: w, bias: b, stride: 2, padding: 1)
    let y0 = Kernels.conv2dForward(x, weight: w, bias: b, stride: 2, padding: 1, algorithm: .reference)
    expectClose(y.toArray(), y0.toArray(), rtol: 1e-5, atol: 1e-4)
    let dy = t(y.shape)
    expectClose(Kernels.conv2dBackwardInput(dy, weight: w, inputShape: x.shape, stride: 2, padding: 1).toArray(), Kernels.conv2dBackwardInput(dy, weight: w, inputShape: x.shape, stride: 2, padding: 1, algorithm: .reference).toArray(), rtol: 1e-5, atol: 1e-4)
    let g = Tensor(zeros: w.shape), g0 = Tensor(zeros: w.shape)
    Kernels.conv2dBackwardWeight(dy, input: x, dWeight: g, dBias: nil, stride: 2, padding: 1)
    Kernels.conv2dBackwardWeight(dy, input: x, dWeight: g0, dBias: nil, stride: 2, padding: 1, algorithm: .reference)
    expectClose(g.toArray(), g0.toArray(), rtol: 1e-5, atol: 1e-4)
    print(BLAS.coreName, BLAS.squareGemmGflops(n: 2048, threads: 1, repeats: 3), BLAS.squareGemmGflops(n: 2048, threads: 2, repeats: 3))
}
