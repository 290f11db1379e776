// The paper's image results. Source: result files of github.com/dtroxell19/FairDL-ICML-2026 (commit 0e9a898), the code of
// arXiv 2605.17118: celebA_experiment, fairface_experiment, training_results/threshold_ablation.csv.
import NeuralNetwork

/// One published row: test accuracy, largest mean-logit gap, BCE.
public struct PublishedResult: Equatable, Sendable {
    public var accuracy: Double
    public var gap: Double?
    public var bce: Double?

    init(_ accuracy: Double, _ gap: Double? = nil, _ bce: Double? = nil) {
        self.accuracy = accuracy
        self.gap = gap
        self.bce = bce
    }

    /// What the paper reports for a row of ours; nil where it reports nothing.
    public static func row(dataset: String, backbone: BackboneName, _ method: ExperimentRow) -> PublishedResult? {
        switch (dataset, backbone) {
        case ("celeba", .simpleCNN): celebaSimpleCNN[method]
        case ("fairface", .simpleCNN): fairfaceSimpleCNN[method]
        default: nil
        }
    }

    private static let celebaSimpleCNN: [ExperimentRow: PublishedResult] = [
        .fairnessLayer: .init(0.8141, 4.9e-4, 0.4056), .projection: .init(0.8088, 6.4e-4, 0.4142),
        .unconstrained: .init(0.8423, 1.468, 0.3470), .penalty: .init(0.5014, 2.0e-4), .strictPenalty: .init(0.5014),
    ]
    private static let fairfaceSimpleCNN: [ExperimentRow: PublishedResult] = [
        .fairnessLayer: .init(0.6729, 2.6e-5, 0.5984), .projection: .init(0.6703, 1.00e-4, 0.6011),
        .unconstrained: .init(0.6933, 1.468, 0.5765), .penalty: .init(0.5496), .strictPenalty: .init(0.5496),
    ]
}

/// One published cell of the threshold ablation on FairFace: accuracy, pooled largest gap, pairs beyond ε of 91.
public struct PublishedStream: Equatable, Sendable {
    public var accuracy: Double
    public var gap: Double
    public var pairsViolated: Int

    /// What the paper reports for SimpleCNN; nil for what it does not have.
    public static func cell(_ algorithm: StreamAlgorithm, batch: Int) -> PublishedStream? { simpleCNN[batch]?[algorithm] }

    private static let simpleCNN: [Int: [StreamAlgorithm: PublishedStream]] = [
        14: [
            .primalDual: .init(accuracy: 0.5646, gap: 0.0328, pairsViolated: 91),
            .hard: .init(accuracy: 0.5564, gap: 5.1e-5, pairsViolated: 0),
            .projection: .init(accuracy: 0.5593, gap: 5.2e-5, pairsViolated: 0),
        ],
        16: [
            .primalDual: .init(accuracy: 0.5854, gap: 0.0753, pairsViolated: 91),
            .hard: .init(accuracy: 0.5765, gap: 5.4e-5, pairsViolated: 0),
            .projection: .init(accuracy: 0.5778, gap: 5.7e-5, pairsViolated: 0),
        ],
        32: [
            .primalDual: .init(accuracy: 0.6364, gap: 0.0458, pairsViolated: 87),
            .hard: .init(accuracy: 0.6344, gap: 6.7e-5, pairsViolated: 0),
            .projection: .init(accuracy: 0.6342, gap: 6.7e-5, pairsViolated: 0),
        ],
    ]
}
