// Initial values of parameters, as torch.nn.init computes their bounds.
import TensorCore

enum Initializers {
    static func constant(_ value: Float) -> (Tensor, inout RandomSource) -> Void {
        { tensor, _ in tensor.fill(value) }
    }

    /// Uniform in ±bound.
    static func uniform(bound: Double) -> (Tensor, inout RandomSource) -> Void {
        { tensor, random in
            let values = tensor.pointer
            for i in 0..<tensor.count { values[i] = Float((2 * random.uniform() - 1) * bound) }
        }
    }

    /// torch's default for convolutions and linear layers: kaiming_uniform_ with a = √5, which is ±1/√fanIn; the bias too.
    static func torchDefault(fanIn: Int) -> (Tensor, inout RandomSource) -> Void {
        uniform(bound: 1 / Double(fanIn).squareRoot())
    }

    /// torch.nn.init.xavier_uniform_.
    static func xavierUniform(fanIn: Int, fanOut: Int, gain: Double) -> (Tensor, inout RandomSource) -> Void {
        uniform(bound: gain * (6 / Double(fanIn + fanOut)).squareRoot())
    }
}
