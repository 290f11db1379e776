// One batch of synthetic pixels in memory and everything a training step needs: what benchmarks time and tests count.
import Fairness
import NeuralNetwork
import TensorCore

package final class SyntheticStep {
    package let model: FaceClassifier
    private let images: Tensor
    private let labels: [Float]
    private let groups: [Int]
    private let optimizer: AdamW
    private var method: any FairnessMethod

    package init(_ name: BackboneName, imageSize: Int, batchSize: Int) {
        images = SyntheticStep.images(count: batchSize, size: imageSize)
        labels = (0..<batchSize).map { Float($0 % 2) }
        groups = (0..<batchSize).map { $0 / 2 % 4 }
        model = FaceClassifier(ClassifierConfiguration(backbone: name), random: RandomSource(seed: 1))
        optimizer = AdamW(model.store, learningRates: [.backbone: 1e-3, .head: 1e-3])
        // The default criterion and one feature fit together.
        method = try! TrainingConfiguration().makeMethod(SensitiveFeatures([.init(name: "group", values: ["0", "1", "2", "3"])]))
    }

    /// Normalised pixels look like this: uniform in [−2, 2).
    package static func images(count: Int, size: Int) -> Tensor {
        var random = RandomSource(seed: 1)
        let images = Tensor(Shape(count, size, size, 3))
        for i in 0..<images.count { images.pointer[i] = Float(4 * random.uniform() - 2) }
        return images
    }

    /// Forward, loss through the fairness layer, backward, clipping, AdamW: a step of `facefair train` without the loader.
    package func train() throws {
        model.store.zeroGradients()
        let logits = model.forward(images, .training).map(Double.init)
        let objective = try method.objective(logits, labels: labels, groups: groups)
        model.backward(objective.gradient.map { Float($0) })
        GradientClipping.clip(model.store, maxNorm: 8)
        optimizer.update()
    }

    /// The same, booking what belongs to no layer as well.
    package func train(_ times: LayerTimes) throws {
        try times.record {
            times.time("zero gradients", .update) { model.store.zeroGradients() }
            let logits = model.forward(images, .training).map(Double.init)
            let objective = try times.time("loss", .forward) {
                try method.objective(logits, labels: labels, groups: groups)
            }
            model.backward(objective.gradient.map { Float($0) })
            times.time("clip", .update) { _ = GradientClipping.clip(model.store, maxNorm: 8) }
            times.time("adamw", .update) { optimizer.update() }
        }
    }

    package func infer() { _ = model.forward(images, .inference) }
}
