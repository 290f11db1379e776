// The fused and the plain path of one network: same logits, gradients and statistics; memory that is planned once.
import Foundation
import NeuralNetwork
import TensorCore
import TestSupport
import Testing

/// Two models with the same values, the second on the plain path.
private func twins(seed: Int = 3) throws -> (fused: FaceClassifier, plain: FaceClassifier) {
    let pair = (fused: try fixtureModel(seed: seed), plain: try fixtureModel(seed: seed))
    pair.plain.usesFusedKernels = false
    return pair
}

/// The share of values further than `atol` from what is expected.
private func outliers(_ actual: Tensor, _ expected: Tensor, atol: Float) -> Double {
    let far = zip(actual.toArray(), expected.toArray()).count { !(abs($0 - $1) <= atol) }
    return Double(far) / Double(actual.count)
}

/// Serialised: the thread count is a setting of the process.
@Suite(.serialized) struct FusedRunTests {
    /// A ReLU or a maximum within rounding of its threshold may fall the other way and change one channel; hence a share of outliers
    /// in the gradients instead of none. Logits and statistics have no such freedom.
    @Test(arguments: [16, 17, 32, 41], [1, 5])
    func bothPathsAgree(_ size: Int, _ batch: Int) throws {
        let (fused, plain) = try twins(seed: 20 + size)
        let images = fixtureImages(seed: size, n: batch, size: size), labels = fixtureLabels(batch)
        expectClose(fused.forward(images, .inference), plain.forward(images, .inference), atol: 2e-5, "inference")
        let losses = [fused, plain].map { backwardPass($0, images, labels) }
        expectClose(losses[0], losses[1], rtol: 1e-4, "loss")
        for (a, b) in zip(fused.store.buffers, plain.store.buffers) {
            let scale = b.value.toArray().map { abs($0) }.max()!
            expectClose(a.value.toArray(), b.value.toArray(), atol: 2e-5 * scale, a.name)
        }
        if batch == 1 && size / 16 == 1 { return }  // the last batch norm sees one pixel: gradients are rounding
        for (a, b) in zip(fused.store.parameters, plain.store.parameters) {
            let scale = b.gradient.toArray().map { abs($0) }.max()!
            if a.name.contains(".conv"), a.name.hasSuffix("bias") {
                #expect(a.gradient.toArray().allSatisfy { $0 == 0 }, "\(a.name) does not matter in front of batch norm")
            } else {
                #expect(outliers(a.gradient, b.gradient, atol: 1e-4 * scale) < 0.05, "\(a.name) at \(size) px, batch \(batch)")
            }
        }
    }

    @Test func changingBatchSizesShareOnePlan() throws {
        let (fused, _) = try twins()
        let separate = try [8, 3, 8, 1, 5].map { batch -> [Float] in
            let (model, _) = try twins()
            backwardPass(model, fixtureImages(seed: batch, n: batch, size: 32), fixtureLabels(batch))
            return model.store.gradients.toArray()
        }
        for (batch, expected) in zip([8, 3, 8, 1, 5], separate) {
            backwardPass(fused, fixtureImages(seed: batch, n: batch, size: 32), fixtureLabels(batch))
            #expect(fused.store.gradients.toArray() == expected, "batch \(batch)")
        }
    }

    @Test func preparedFiltersFollowTheParameters() throws {
        let (fused, plain) = try twins()
        let images = fixtureImages(seed: 4, n: 3, size: 32)
        func compare(_ what: String) {
            expectClose(fused.forward(images, .inference), plain.forward(images, .inference), atol: 2e-5, what)
        }
        compare("as loaded")
        for model in [fused, plain] {
            backwardPass(model, images, fixtureLabels(3))
            SGD(model.store, learningRates: [.backbone: 1e-3, .head: 1e-3]).update()
        }
        compare("after a step")
        for model in [fused, plain] {
            SGD(model.store, learningRates: [.backbone: 1e-3, .head: 1e-3]).update()
        }
        compare("after an update without a forward pass")
        for model in [fused, plain] {
            model.store.parameters.first { $0.name == "backbone.conv3.weight" }!.value.fill(0.01)
        }
        compare("after a fill")
        for model in [fused, plain] {
            model.store.parameters.first { $0.name == "backbone.conv2.weight" }!.value.pointer[3] = 4
            model.parametersChanged()
        }
        compare("after one value was written")
    }

    @Test func switchingPathsBetweenSteps() throws {
        let (fused, plain) = try twins()
        let images = fixtureImages(seed: 4, n: 3, size: 32)
        fused.usesFusedKernels = false
        backwardPass(fused, images, fixtureLabels(3))
        backwardPass(plain, images, fixtureLabels(3))
        #expect(fused.store.gradients.toArray() == plain.store.gradients.toArray())
        _ = fused.forward(images, .training)
        fused.usesFusedKernels = true
        fused.store.zeroGradients()
        fused.backward([1, 0, 0])       // belongs to the forward pass before the switch
        #expect(fused.store.gradients.toArray().contains { $0 != 0 })
    }

    @Test func notANumberReachesTheLossFromEveryPixel() throws {
        let (fused, plain) = try twins()
        for model in [fused, plain] {
            for pixel in [0, 5, 100, 16 * 16 * 3 - 1] {
                let images = fixtureImages(seed: 2, n: 2, size: 16)
                images.pointer[pixel] = .nan
                let logits = model.forward(images, .inference)
                #expect(logits[0].isNaN && logits[1].isFinite, "inference, \(pixel)")
            }
            let images = fixtureImages(seed: 2, n: 2, size: 16)
            images.pointer[300] = .nan
            #expect(model.forward(images, .training).allSatisfy { $0.isNaN }, "batch norm mixes the images")
        }
    }

    @Test func threadsDoNotChangeInference() throws {
        defer { Threads.configure(2) }
        let model = try fixtureModel(seed: 6)
        let images = fixtureImages(seed: 2, n: 5, size: 41)
        let logits = [1, 2, 3, 8].map { threads -> [Float] in
            Threads.configure(threads)
            return model.forward(images, .inference)
        }
        #expect(logits.allSatisfy { $0 == logits[0] })
    }

    /// Blocks without pooling, and a first convolution whose input needs a gradient.
    @Test func denseBlocks() {
        func layers() -> [any Layer] {
            [
                Conv2D("a", in: 32, out: 64, kernel: 3, padding: 1), BatchNorm2D("an", channels: 64), ReLU(),
                Conv2D("b", in: 64, out: 32, kernel: 3, padding: 1, hasBias: false), BatchNorm2D("bn", channels: 32), ReLU(),
                MaxPool2D(kernel: 2),
                Conv2D("c", in: 32, out: 32, kernel: 3, padding: 1), BatchNorm2D("cn", channels: 32), ReLU(), GlobalAveragePool(),
            ]
        }
        var results: [[[Float]]] = []
        for fused in [true, false] {
            let net = Sequential(layers())
            net.usesFusedKernels = fused
            var parameters: [Parameter] = []
            net.visitParameters { parameters.append($0) }
            let store = ParameterStore(parameters, random: RandomSource(seed: 6))
            var random = TestRandom(11)
            let x = Tensor(Shape(3, 9, 10, 32), random.floats(3 * 90 * 32))
            let y = net.forward(x, .training)
            let dy = Tensor(y.shape, random.floats(y.count))
            let biases = Set(["a.bias", "c.bias"])
            let output = y.toArray(), dx = net.backward(dy).toArray()
            results.append([output, dx] + store.parameters.filter { !biases.contains($0.name) }.map { $0.gradient.toArray() })
        }
        for (index, (a, b)) in zip(results[0], results[1]).enumerated() {
            let scale = b.map { abs($0) }.max()!
            let far = zip(a, b).count { !(abs($0 - $1) <= 1e-4 * scale) }
            #expect(Double(far) < 0.03 * Double(a.count), "tensor \(index): \(far) of \(a.count)")
        }
    }
}
