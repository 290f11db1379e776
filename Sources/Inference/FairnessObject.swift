// The JSON object `fairness` of an answer and of a saved state: its names and what they stand for, said once.
import Fairness

/// Where a stream stands, as it is written under `fairness`; docs/records.md says what the names mean.
public struct FairnessObject {
    private enum Name: String {
        case criterion, epsilon, algorithm, regime, lambda, bound, updates, samples
        case batchCount = "batch_n"
        case batchGap = "batch_gap"
        case averageGap = "average_gap"
        case pooledGap = "pooled_gap"
    }

    /// What it holds, in this order.
    private let names: [Name]
    private let algorithm: OnlineName, tolerance: Double, multiplier: Double, updates: Int, averageGap: Double, pooledGap: Double, bound: Double
    // Of an answer only.
    private var criterion: Criterion?, regime: Regime?, batchCount: Int?, batchGap: Double?
    // Of a state only.
    private var samples: Int?

    private static let answerNames: [Name] = [
        .criterion, .epsilon, .algorithm, .regime, .lambda, .batchCount, .batchGap, .averageGap, .bound, .pooledGap, .updates,
    ]
    private static let stateNames: [Name] = [.algorithm, .epsilon, .lambda, .updates, .samples, .averageGap, .pooledGap, .bound]

    /// Of an answer: what was done with its batch, and where that left the stream.
    public init(_ step: OnlineStep, _ settings: StreamSettings) {
        names = Self.answerNames
        (algorithm, tolerance, multiplier, updates) = (settings.online, settings.tolerance, step.multiplier, step.updates)
        (averageGap, pooledGap, bound) = (step.averageGap, step.pooledGap, step.bound)
        (criterion, regime, batchCount, batchGap) = (settings.criterion, step.regime, step.batchCount, step.batchGap)
    }

    /// Of a stream at rest.
    public init(_ online: OnlineFairness) {
        names = Self.stateNames
        (algorithm, tolerance, multiplier, updates) = (online.name, online.tolerance, online.multiplier, online.updates)
        (averageGap, pooledGap, bound) = (online.averageGap, online.pooledGap, online.bound)
        samples = online.samples
    }

    /// Adds the field `fairness` to an object.
    public func write(to object: inout JSONWriter) {
        object.object("fairness") { fairness in
            for name in names {
                switch name {
                case .criterion: fairness.field(name.rawValue, criterion?.rawValue)
                case .epsilon: fairness.field(name.rawValue, tolerance)
                case .algorithm: fairness.field(name.rawValue, algorithm.rawValue)
                case .regime: fairness.field(name.rawValue, regime?.rawValue)
                case .lambda: fairness.field(name.rawValue, multiplier)
                case .batchCount: fairness.field(name.rawValue, batchCount)
                case .batchGap: fairness.field(name.rawValue, batchGap)
                case .averageGap: fairness.field(name.rawValue, averageGap)
                case .bound: fairness.field(name.rawValue, bound)
                case .pooledGap: fairness.field(name.rawValue, pooledGap)
                case .updates: fairness.field(name.rawValue, updates)
                case .samples: fairness.field(name.rawValue, samples)
                }
            }
        }
    }
}
