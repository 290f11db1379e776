// A small synthetic data set that all tests of this target share, and runs on it.
import FaceData
import Foundation
import TestSupport
import Training

/// 160 drawn faces in CelebA's layout, made once per test process.
enum SmallFaces {
    private static let root = Result { () throws -> URL in
        let url = FileManager.default.temporaryDirectory.appendingPathComponent("facefair-small-\(getpid())")
        try SyntheticFaces.write(to: url, layout: .celeba, count: 160, seed: 3)
        atexit { try? FileManager.default.removeItem(atPath: NSTemporaryDirectory() + "/facefair-small-\(getpid())") }
        return url
    }

    static func load() throws -> FaceDataset { try CelebA.load(root: root.get()) }

    /// 16 px, batches of 32 above the layer's threshold.
    static func configuration(_ method: MethodName = .fairnessLayer, epochs: Int = 2, seed: UInt64 = 1) -> TrainingConfiguration {
        var configuration = TrainingConfiguration()
        configuration.method = method
        configuration.imageSize = 16
        configuration.batchSize = 32
        configuration.batchThreshold = 16
        configuration.epochs = epochs
        configuration.learningRate = 1e-3
        configuration.backboneLearningRate = 1e-3
        configuration.patience = 0
        configuration.seed = seed
        return configuration
    }
}

extension RunFolder {
    /// The bytes of the run's three model files.
    func modelBytes() throws -> [Data] { try [best, last, resume].map { try Data(contentsOf: $0) } }
}
