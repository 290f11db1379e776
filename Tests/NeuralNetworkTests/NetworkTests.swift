import Foundation
import NeuralNetwork
import TensorCore
import TestSupport
import Testing

/// Serialised: the thread count is a setting of the process.
@Suite(.serialized)
struct NetworkTests {
    @Test func parameterNamesAreTorchKeys() {
        let names = smallModel().store.all.map(\.name)
        #expect(names.count == 5 * 6 + 4 && Set(names).count == names.count)
        for block in 1...5 {
            for suffix in ["conv\(block).weight", "conv\(block).bias", "bn\(block).weight", "bn\(block).bias",
                "bn\(block).running_mean", "bn\(block).running_var"]
            { #expect(names.contains("backbone.\(suffix)")) }
        }
        for name in ["head.0.weight", "head.0.bias", "head.3.weight", "head.3.bias"] { #expect(names.contains(name)) }
    }

    @Test func theFinalBiasIsTheLogOddsOfTheBaseRate() {
        let model = FaceClassifier(ClassifierConfiguration(baseRate: 0.2), random: RandomSource(seed: 1))
        let bias = model.store.parameters.first { $0.name == "head.3.bias" }!
        expectClose(Double(bias.value.toArray()[0]), log(0.25), atol: 1e-6)
    }

    @Test(arguments: [16, 17, 33, 64]) func anyImageSize(_ size: Int) {
        let model = smallModel()
        let images = fixtureImages(seed: 7, n: 2, size: size)
        #expect(model.forward(images, .inference).allSatisfy { $0.isFinite })
        backwardPass(model, images, [1, 0])
        #expect(model.store.gradients.toArray().allSatisfy { $0.isFinite })
    }

    @Test func twoBackwardPassesOnOneForwardAdd() {
        let model = smallModel()
        backwardPass(model, fixtureImages(seed: 3, n: 4, size: 16), fixtureLabels(4))
        let once = model.store.gradients.toArray()
        let (_, gradient) = BCEWithLogits.loss([0, 0, 0, 0], labels: fixtureLabels(4))
        model.store.zeroGradients()
        model.backward(gradient.map { Float($0) })
        let single = model.store.gradients.toArray()
        model.backward(gradient.map { Float($0) })
        let scale = single.map(abs).max()!
        expectClose(model.store.gradients.toArray(), single.map { 2 * $0 }, atol: 1e-5 * scale)
        #expect(once.contains { $0 != 0 })
    }

    @Test func eightSamplesAreLearntByHeart() {
        let model = smallModel()
        let images = fixtureImages(seed: 5, n: 8, size: 16), labels = fixtureLabels(8)
        let optimizer = AdamW(model.store, learningRates: [.backbone: 1e-3, .head: 1e-3])
        let first = backwardPass(model, images, labels)
        var last = first
        for _ in 0..<40 {
            optimizer.update()
            last = backwardPass(model, images, labels)
        }
        #expect(last < 0.05 && first > 0.3, "\(first) -> \(last)")
    }

    @Test func threadsDoNotChangeAStep() {
        func step(_ threads: Int) -> [Float] {
            Threads.configure(threads)
            let model = smallModel(dropout: 0.3)
            let optimizer = AdamW(model.store, learningRates: [.backbone: 1e-3, .head: 1e-3])
            for _ in 0..<2 {
                backwardPass(model, fixtureImages(seed: 2, n: 12, size: 32), fixtureLabels(12))
                optimizer.update()
            }
            return model.store.values.toArray()
        }
        let one = step(1)
        #expect(step(2) == one && step(3) == one && step(8) == one)
        Threads.configure(2)
    }

    @Test func dropoutDropsItsShareAndItsStreamResumes() {
        let layer = Dropout(probability: 0.3, random: RandomSource(seed: 4))
        let x = Tensor(Shape(100, 100), [Float](repeating: 1, count: 10_000))
        let y = layer.forward(x, .training).toArray()
        let kept = y.count { $0 != 0 }
        #expect(abs(Double(kept) - 7000) < 200)  // 4 standard deviations
        #expect(y.allSatisfy { $0 == 0 || abs($0 - 1 / 0.7) < 1e-6 })
        let saved = layer.random
        let second = layer.forward(x, .training).toArray()
        layer.random = saved
        #expect(layer.forward(x, .training).toArray() == second && second != y)
        #expect(layer.forward(x, .inference).toArray() == x.toArray())
    }

    @Test func notANumberReachesTheLoss() {
        let model = smallModel()
        let images = fixtureImages(seed: 2, n: 2, size: 16)
        images.pointer[100] = .nan
        #expect(backwardPass(model, images, [1, 0]).isNaN)
    }

    @Test func gradientOfEveryLayer() {
        let layers: [(String, any Layer, Shape)] = [
            ("Conv2D", Conv2D("c", in: 3, out: 5, kernel: 3, stride: 2, padding: 1), Shape(2, 5, 6, 3)),
            ("BatchNorm2D", BatchNorm2D("b", channels: 4), Shape(3, 3, 2, 4)),
            ("ReLU", ReLU(), Shape(3, 7)), ("MaxPool2D", MaxPool2D(kernel: 2), Shape(2, 5, 4, 3)),
            ("AveragePool2D", AveragePool2D(kernel: 3, stride: 2, padding: 1), Shape(2, 5, 5, 3)),
            ("GlobalAveragePool", GlobalAveragePool(), Shape(2, 3, 4, 5)), ("Linear", Linear("l", in: 6, out: 4), Shape(5, 6)),
        ]
        for (name, layer, shape) in layers {
            var parameters: [Parameter] = []
            layer.visitParameters { parameters.append($0) }
            let store = parameters.isEmpty ? nil : ParameterStore(parameters, random: RandomSource(seed: 6))
            // Values a tenth apart, shuffled: no ReLU or pooling decision within the step.
            var random = RandomSource(seed: 9)
            let values = random.permutation(shape.count).map { Float($0) * 0.1 - Float(shape.count) * 0.05 + 0.03 }
            let x = Tensor(shape, values)
            let y = layer.forward(x, .training)
            let direction = hash01(77, y.count).map { Float($0) }
            let dx = layer.backward(Tensor(y.shape, direction)).toArray()
            func objective(_ input: [Float]) -> Double {
                zip(layer.forward(Tensor(shape, input), .training).toArray(), direction).reduce(0) { $0 + Double($1.0) * Double($1.1) }
            }
            func numeric(_ move: (Float) -> Double) -> Double { (move(0.02) - move(-0.02)) / 0.04 }
            let scale = max(1, dx.map { Double(abs($0)) }.max()!)
            for i in stride(from: 0, to: shape.count, by: max(1, shape.count / 25)) {
                let slope = numeric { step in
                    var moved = values
                    moved[i] += step
                    return objective(moved)
                }
                #expect(abs(Double(dx[i]) - slope) < 5e-3 * scale, "\(name): dx[\(i)] \(dx[i]), numeric \(slope)")
            }
            for parameter in store?.parameters ?? [] {
                let gradient = parameter.gradient.toArray()
                for i in stride(from: 0, to: gradient.count, by: max(1, gradient.count / 10)) {
                    let old = parameter.value.pointer[i]
                    let slope = numeric { step in
                        parameter.value.pointer[i] = old + step
                        defer { parameter.value.pointer[i] = old }
                        return objective(values)
                    }
                    let bound = 5e-3 * max(1, gradient.map { Double(abs($0)) }.max()!)
                    #expect(abs(Double(gradient[i]) - slope) < bound, "\(name): \(parameter.name)[\(i)] \(gradient[i]), numeric \(slope)")
                }
            }
        }
    }
}
