// What a stream of batches needs of the algorithm that makes it fair, whichever that is.

/// The online algorithms by the names that users write.
public enum OnlineName: String, Codable, CaseIterable, Sendable {
    /// ``PrimalDual``: the paper's. Bounds the average of per-batch gaps.
    case primalDual = "primal-dual"
    /// ``AnytimeParity``: ours. Bounds the gap of everything emitted so far, at every moment.
    case anytime
}

/// What was done with a batch.
public enum Regime: String, Codable, CaseIterable, Sendable {
    /// b ≥ b_τ: projected by ``FairnessLayer``.
    case hard
    /// b < b_τ: penalised with the current multiplier.
    case primalDual = "primal_dual"
    /// Shifted by ``AnytimeParity``.
    case anytime
    /// No sample of a known group: nothing to do, nothing counted.
    case passthrough
}

/// One batch of a stream: the fair scores, and where the stream stands after it.
public struct OnlineStep: Equatable, Sendable {
    /// The fair scores, in the order of the input.
    public let scores: [Double]
    public let regime: Regime
    /// Samples of known groups in the batch: b.
    public let batchCount: Int
    /// The λ the batch was solved with; 0 for an algorithm without one.
    public let multiplier: Double
    /// Largest gap of the emitted group means in this batch. Units: logits.
    public let batchGap: Double
    /// b · (batchGap − ε); positive is bad.
    public let violation: Double
    /// Mean over all samples of their batch's gap, so far. Units: logits.
    public let averageGap: Double
    /// Gap between group means over everything emitted so far. Units: logits.
    public let pooledGap: Double
    /// What the algorithm guarantees after this batch: of ``averageGap`` for primal-dual, of ``pooledGap`` for anytime. Units: logits.
    public let bound: Double
    /// Batches that changed the algorithm's state so far.
    public let updates: Int
}

/// An online algorithm with its state: a value that can be copied, compared, saved and put back exactly.
///
/// `JSONEncoder` and `JSONDecoder` give every double back bit for bit, so a decoded stream goes on as the saved one would have.
public protocol OnlineAlgorithm: Codable, Equatable, Sendable {
    var name: OnlineName { get }
    var groupCount: Int { get }
    /// ε, in logits.
    var tolerance: Double { get }
    /// λ; 0 for an algorithm without one.
    var multiplier: Double { get }
    /// Batches that changed the state, and samples of known groups, so far.
    var updates: Int { get }
    var samples: Int { get }
    /// Counts and sums of the emitted scores.
    var pooled: GroupSums { get }
    /// The figures of ``OnlineStep`` as they stand.
    var averageGap: Double { get }
    var pooledGap: Double { get }
    var bound: Double { get }

    /// Makes one batch fair and takes it into account.
    ///
    /// Errors: ``FairnessError``; the state is then as before.
    mutating func process(_ scores: [Double], groups: [Int]) throws -> OnlineStep
    /// Forgets the stream, keeps the settings.
    mutating func reset()
}

extension OnlineAlgorithm {
    public var pooledGap: Double { pooled.gap }
}

/// Either online algorithm, for those who let the user choose and save what was chosen.
public enum OnlineFairness: OnlineAlgorithm {
    case primalDual(PrimalDual)
    case anytime(AnytimeParity)

    private var algorithm: any OnlineAlgorithm {
        switch self {
        case .primalDual(let algorithm): algorithm
        case .anytime(let algorithm): algorithm
        }
    }

    public var name: OnlineName { algorithm.name }
    public var groupCount: Int { algorithm.groupCount }
    public var tolerance: Double { algorithm.tolerance }
    public var multiplier: Double { algorithm.multiplier }
    public var updates: Int { algorithm.updates }
    public var samples: Int { algorithm.samples }
    public var pooled: GroupSums { algorithm.pooled }
    public var averageGap: Double { algorithm.averageGap }
    public var bound: Double { algorithm.bound }

    public mutating func process(_ scores: [Double], groups: [Int]) throws -> OnlineStep {
        switch self {
        case .primalDual(var algorithm):
            let step = try algorithm.process(scores, groups: groups)
            self = .primalDual(algorithm)
            return step
        case .anytime(var algorithm):
            let step = try algorithm.process(scores, groups: groups)
            self = .anytime(algorithm)
            return step
        }
    }

    public mutating func reset() {
        switch self {
        case .primalDual(var algorithm):
            algorithm.reset()
            self = .primalDual(algorithm)
        case .anytime(var algorithm):
            algorithm.reset()
            self = .anytime(algorithm)
        }
    }

    private enum CodingKeys: CodingKey { case algorithm, state }

    /// Errors: `DecodingError` for an unknown algorithm or a state that no stream can be in.
    public init(from decoder: any Decoder) throws {
        let saved = try decoder.container(keyedBy: CodingKeys.self)
        switch try saved.decode(OnlineName.self, forKey: .algorithm) {
        case .primalDual: self = .primalDual(try saved.decode(PrimalDual.self, forKey: .state))
        case .anytime: self = .anytime(try saved.decode(AnytimeParity.self, forKey: .state))
        }
    }

    public func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(name, forKey: .algorithm)
        switch self {
        case .primalDual(let algorithm): try container.encode(algorithm, forKey: .state)
        case .anytime(let algorithm): try container.encode(algorithm, forKey: .state)
        }
    }
}
