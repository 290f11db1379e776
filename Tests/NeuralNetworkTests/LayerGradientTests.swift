// The four-point gradient check of architecture.md §12 for every layer: its input and each of its parameters.
import NeuralNetwork
import TensorCore
import TestSupport
import Testing

@Suite struct LayerGradientTests {
    /// Checks `layer` at values at least `gap` apart (an even number of them keeps clear of 0), so that no ReLU or maximum changes its mind within the step.
    private func check(
        _ name: String, _ layer: any Layer, _ shape: Shape, step: Float, gap: Float, tolerance: Double = 1e-4, repeatable: () -> Void = {}
    ) {
        var parameters: [Parameter] = []
        layer.visitParameters { parameters.append($0) }
        let store = parameters.isEmpty ? nil : ParameterStore(parameters, random: RandomSource(seed: 6))
        var random = TestRandom(11)
        for parameter in store?.parameters ?? [] { parameter.value.copy(from: random.floats(parameter.value.count)) }
        let point = random.separated(shape.count, gap: gap)
        func forward(_ x: [Float]) -> [Float] {
            repeatable()
            return layer.forward(Tensor(shape, x), .training).toArray()
        }
        let outputShape = layer.forward(Tensor(shape, point), .training).shape
        func backward(_ dy: [Float]) -> Tensor {
            store?.zeroGradients()
            _ = forward(point)
            return layer.backward(Tensor(outputShape, dy))
        }
        gradCheck(at: point, step: step, tolerance: tolerance, forward: forward, backward: { backward($0).toArray() }, "\(name), input")
        for parameter in store?.parameters ?? [] {
            let value = parameter.value, old = value.toArray()
            gradCheck(
                at: old, step: 0.0625, tolerance: tolerance,
                forward: { moved in
                    value.copy(from: moved)
                    defer { value.copy(from: old) }
                    return forward(point)
                },
                backward: { dy in
                    _ = backward(dy)
                    return parameter.gradient.toArray()
                }, "\(name), \(parameter.name)")
        }
    }

    @Test func linearLayers() {
        check("Linear", Linear("l", in: 7, out: 5), Shape(3, 7), step: 0.0625, gap: 0.1)
        check("Conv2D", Conv2D("c", in: 3, out: 5, kernel: 3, padding: 1), Shape(2, 5, 7, 3), step: 0.0625, gap: 0.01)
        check("Conv2D, stride", Conv2D("c", in: 2, out: 3, kernel: 3, stride: 2, padding: 1), Shape(2, 7, 6, 2), step: 0.0625, gap: 0.01)
        check("Conv2D, 1×1", Conv2D("c", in: 4, out: 3, kernel: 1, hasBias: false), Shape(2, 3, 3, 4), step: 0.0625, gap: 0.01)
    }

    @Test func pooling() {
        check("MaxPool2D", MaxPool2D(kernel: 2), Shape(2, 5, 7, 3), step: 0.0625, gap: 0.3)
        check("MaxPool2D, overlapping", MaxPool2D(kernel: 3, stride: 2, padding: 1), Shape(2, 6, 5, 2), step: 0.0625, gap: 0.3)
        check("AveragePool2D", AveragePool2D(kernel: 3, stride: 2, padding: 1), Shape(2, 6, 5, 2), step: 0.0625, gap: 0.1)
        check("GlobalAveragePool", GlobalAveragePool(), Shape(2, 3, 5, 4), step: 0.0625, gap: 0.1)
    }

    @Test func pointwise() {
        check("ReLU", ReLU(), Shape(3, 16), step: 0.0625, gap: 0.3)
        let dropout = Dropout(probability: 0.4, random: RandomSource(seed: 3))
        let start = dropout.random
        check("Dropout", dropout, Shape(5, 9), step: 0.0625, gap: 0.1) { dropout.random = start }
    }

    @Test func batchNorm() {
        check("BatchNorm2D", BatchNorm2D("b", channels: 4), Shape(3, 3, 2, 4), step: 0.03125, gap: 0.02, tolerance: 3e-4)
    }

    @Test func sequential() {
        let layers: [any Layer] = [
            Conv2D("c", in: 2, out: 4, kernel: 3, padding: 1, hasBias: false), BatchNorm2D("b", channels: 4), AveragePool2D(kernel: 2),
            GlobalAveragePool(), Linear("l", in: 4, out: 2),
        ]
        check("Sequential", Sequential(layers), Shape(3, 4, 4, 2), step: 0.015625, gap: 0.05, tolerance: 1e-3)
    }
}
