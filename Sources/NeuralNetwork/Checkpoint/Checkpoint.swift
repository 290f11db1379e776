// Models to files and back. A model file holds weights and metadata; a resume file holds, in one atomic file, everything
// that the next training step depends on.
import Foundation
import TensorCore

public enum Checkpoint {
    /// Writes weights in torch's names and layout. The bytes depend on the content only.
    public static func save(_ model: FaceClassifier, metadata: ModelMetadata, to url: URL) throws {
        try SafeTensorsWriter.write(
            tensors(model), metadata: [ModelMetadata.key: metadata.encoded()], to: url)
    }

    /// Builds the model that a file describes and loads its weights.
    public static func load(_ url: URL) throws -> (model: FaceClassifier, metadata: ModelMetadata) {
        let file = try SafeTensorsFile(url)
        let metadata = try ModelMetadata.decode(file.metadata, file: url.path)
        let model = FaceClassifier(metadata.classifier, random: RandomSource(seed: 0))
        try restore(model, from: file)
        return (model, metadata)
    }

    /// Puts a model file's weights into a model of the same architecture; nothing else of the file counts.
    public static func loadWeights(_ model: FaceClassifier, from url: URL) throws {
        try restore(model, from: try SafeTensorsFile(url))
    }

    /// Writes weights, optimizer state and the trainer's own state.
    public static func saveResume(
        _ model: FaceClassifier, optimizer: any Optimizer, metadata: ModelMetadata, trainerState: String, to url: URL
    ) throws {
        let state = optimizer.state.map { (name: $0.name, shape: $0.tensor.shape.dims, values: $0.tensor.toArray()) }
        try SafeTensorsWriter.write(
            tensors(model) + state, metadata: [ModelMetadata.key: metadata.encoded(), trainerStateKey: trainerState], to: url)
    }

    /// Puts model and optimizer back where ``saveResume(_:optimizer:metadata:trainerState:to:)`` left them; returns the
    /// metadata and the trainer's state.
    public static func loadResume(
        _ model: FaceClassifier, optimizer: any Optimizer, from url: URL
    ) throws -> (metadata: ModelMetadata, trainerState: String) {
        let file = try SafeTensorsFile(url)
        let metadata = try ModelMetadata.decode(file.metadata, file: url.path)
        guard let trainerState = file.metadata[trainerStateKey] else {
            throw CheckpointError.malformed(url.path, "its metadata lacks '\(trainerStateKey)', so training cannot go on from it")
        }
        // All or nothing: whatever can fail comes before the first change.
        let states = try optimizer.state.map { ($0.tensor, try file.floats($0.name, shape: $0.tensor.shape.dims)) }
        try restore(model, from: file, extra: optimizer.state.map(\.name))
        for (tensor, values) in states { tensor.copy(from: values) }
        return (metadata, trainerState)
    }

    private static let trainerStateKey = "facefair_trainer"

    private static func tensors(_ model: FaceClassifier) -> [(name: String, shape: [Int], values: [Float])] {
        model.store.all.map { ($0.name, WeightLayout.torchShape($0.value.shape), WeightLayout.toTorch($0.value)) }
    }

    /// Every tensor of the model must be there with its shape, and nothing else but `extra` (torch's step counters aside).
    private static func restore(_ model: FaceClassifier, from file: SafeTensorsFile, extra: [String] = []) throws {
        let known = Set(model.store.all.map(\.name) + extra)
        if let stranger = file.entries.keys.sorted().first(where: { !known.contains($0) && !$0.hasSuffix("num_batches_tracked") }) {
            throw CheckpointError.malformed(file.url.path, "the tensor '\(stranger)' is not part of this model")
        }
        let values = try model.store.all.map { parameter in
            WeightLayout.fromTorch(
                try file.floats(parameter.name, shape: WeightLayout.torchShape(parameter.value.shape)),
                shape: parameter.value.shape)
        }
        for (parameter, value) in zip(model.store.all, values) { parameter.value.copy(from: value) }
    }
}
