// How large an experiment is: from minutes on drawn faces to the paper's own settings.
import FaceData
import Training

public enum ExperimentScale: String, CaseIterable, Codable, Sendable {
    /// Minutes on two cores: 4000 images, drawn faces unless a folder is given.
    case smoke
    /// 24,000 images at 64 px and a learning rate for training from scratch.
    case small
    /// The paper's sizes and rates.
    case paper

    /// The data set's paper settings at this scale.
    public func configuration(dataset: String) -> TrainingConfiguration {
        var c = TrainingConfiguration.paper(dataset: dataset)
        guard self != .paper else { return c }
        c.imageSize = 64
        c.learningRate = 1e-3
        c.backboneLearningRate = 1e-3
        if self == .smoke {
            c.epochs = 6
            c.patience = 0
        }
        return c
    }

    public var defaultSeeds: [UInt64] { self == .small ? [1, 2, 3] : [1] }

    /// Samples of all splits that are used of a larger data set; nil: all.
    public var sampleLimit: Int? {
        switch self {
        case .smoke: 4000
        case .small: 24_000
        case .paper: nil
        }
    }

    /// Faces that are drawn where no folder is given; nil: real data are needed.
    public var syntheticCount: Int? { self == .smoke ? 4000 : nil }
}
