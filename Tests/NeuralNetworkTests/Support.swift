// The generator of weights and images that tools/export_nn_fixtures.py uses too, and small models.
import Foundation
import NeuralNetwork
import TensorCore
import TestSupport

/// Uniform in [−1, 1): SplitMix64 of (tensor << 40) + index, its upper 24 bits.
func hash01(_ tensor: Int, _ count: Int) -> [Double] {
    (0..<UInt64(count)).map { index in
        var z = (UInt64(tensor) << 40 &+ index) &* 0x9E37_79B9_7F4A_7C15 &+ 0x9E37_79B9_7F4A_7C15
        z = (z ^ z >> 30) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ z >> 27) &* 0x94D0_49BB_1331_11EB
        z ^= z >> 31
        return Double(z >> 40) / 0x1p23 - 1
    }
}

/// The rule by which a tensor's hash values become its values.
private func scaled(_ name: String, _ shape: [Int], _ u: Double) -> Float {
    if name.contains("running_var") { return Float(0.75 + 0.5 * u) }
    if name.contains("running_mean") { return Float(0.2 * u) }
    if name.contains(".bn"), name.hasSuffix("weight") { return Float(0.5 + u) }
    if name.hasSuffix("bias") { return Float(0.3 * u) }
    return Float(u * (3 / Double(shape.dropFirst().reduce(1, *))).squareRoot())
}

func metadata(dropout: Double = 0, imageSize: Int = 32) -> ModelMetadata {
    ModelMetadata(
        classifier: ClassifierConfiguration(dropout: dropout), imageSize: imageSize, mean: [0, 0, 0], std: [1, 1, 1],
        dataset: "test", synthetic: true, target: "Smiling", features: [.init(name: "Male", values: ["0", "1"])],
        method: "none", criterion: "demographic-parity", epsilon: 1e-3, batchThreshold: 100, eta0: 0.1, pairPenalty: "max",
        seed: 1, epoch: 0)
}

func smallModel(dropout: Double = 0, seed: UInt64 = 1) -> FaceClassifier {
    FaceClassifier(ClassifierConfiguration(dropout: dropout), random: RandomSource(seed: seed))
}

/// A model with the fixture's weights, by way of a file in torch's layout.
func fixtureModel(seed: Int) throws -> FaceClassifier {
    let temporary = try TemporaryFolder()
    let file = temporary.file("model.safetensors")
    try Checkpoint.save(smallModel(), metadata: metadata(), to: file)
    let shapes = try SafeTensorsFile(file).entries.mapValues(\.shape)
    let tensors = shapes.keys.sorted().enumerated().map { index, name -> (name: String, shape: [Int], values: [Float]) in
        let shape = shapes[name]!
        let values = hash01(1000 * seed + index, shape.reduce(1, *)).map { scaled(name, shape, $0) }
        return (name, shape, values)
    }
    let description = try SafeTensorsFile(file).metadata
    try SafeTensorsWriter.write(tensors, metadata: description, to: file)
    return try Checkpoint.load(file).model
}

func fixtureImages(seed: Int, n: Int, size: Int) -> Tensor {
    Tensor(Shape(n, size, size, 3), hash01(1000 * seed + 999, n * size * size * 3).map { Float(2 * $0) })
}

func fixtureLabels(_ n: Int) -> [Float] { (0..<n).map { $0 % 3 == 0 ? 1 : 0 } }

/// One training step without the optimizer's; returns the loss.
@discardableResult
func backwardPass(_ model: FaceClassifier, _ images: Tensor, _ labels: [Float]) -> Double {
    model.store.zeroGradients()
    let (loss, gradient) = BCEWithLogits.loss(model.forward(images, .training).map(Double.init), labels: labels)
    model.backward(gradient.map { Float($0) })
    return loss
}

/// Values in torch's order: OIHW for rank 4.
func torchOrder(_ tensor: Tensor) -> [Double] {
    let values = tensor.toArray().map(Double.init)
    guard tensor.shape.rank == 4 else { return values }
    let d = tensor.shape.dims
    var result: [Double] = []
    for o in 0..<d[0] {
        for i in 0..<d[3] {
            for y in 0..<d[1] {
                for x in 0..<d[2] { result.append(values[((o * d[1] + y) * d[2] + x) * d[3] + i]) }
            }
        }
    }
    return result
}
