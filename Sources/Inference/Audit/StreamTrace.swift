// How a stream's fairness step went, from the `fairness` objects in its answers: λ, bound and gaps, one point per batch.
import Fairness

public struct StreamTrace: Codable, Equatable, Sendable {
    /// The state after one batch.
    public struct Point: Codable, Equatable, Sendable {
        /// Answers so far.
        public var records: Int
        public var batchSize: Int
        public var multiplier: Double?
        public var batchGap: Double?
        public var averageGap: Double?
        public var bound: Double?
        public var pooledGap: Double?
    }

    public var algorithm: String
    public var criterion: String
    /// ε. Units: logits.
    public var epsilon: Double?
    public var batches: Int
    public var records: Int
    /// Batches by the name of the regime.
    public var regimes: [String: Int]
    public var largestMultiplier: Double?
    /// In order; of long streams about ``StreamTrace/pointLimit`` of them, evenly spread, the last always among them.
    public var points: [Point]

    public static let pointLimit = 240
}

/// Collects a trace from answers in their order. Answers of one batch carry equal objects.
struct StreamTraceReader {
    private var trace: StreamTrace?
    private var previous: JSONValue?
    private var records = 0

    mutating func add(_ fairness: JSONValue?) {
        records += 1
        guard let fairness, case .object = fairness else { return }
        func text(_ key: String) -> String { fairness[key]?.spelling ?? "" }
        func number(_ key: String) -> Double? { fairness[key]?.double }
        if fairness == previous {
            trace!.points[trace!.points.count - 1].records = records
            return
        }
        previous = fairness
        var trace = self.trace ?? StreamTrace(
            algorithm: text("algorithm"), criterion: text("criterion"), epsilon: number("epsilon"), batches: 0, records: 0, regimes: [:],
            largestMultiplier: nil, points: [])
        trace.batches += 1
        trace.regimes[text("regime"), default: 0] += 1
        trace.largestMultiplier = [trace.largestMultiplier, number("lambda")].compactMap(\.self).max()
        trace.points.append(
            StreamTrace.Point(
                records: records, batchSize: number("batch_n").map { Int($0) } ?? 0, multiplier: number("lambda"), batchGap: number("batch_gap"),
                averageGap: number("average_gap"), bound: number("bound"), pooledGap: number("pooled_gap")))
        self.trace = trace
    }

    /// nil where no answer had a fairness object.
    func finish() -> StreamTrace? {
        guard var trace else { return nil }
        trace.records = records
        let all = trace.points, limit = StreamTrace.pointLimit
        if all.count > limit {
            trace.points = (1...limit).map { all[$0 * all.count / limit - 1] }
        }
        return trace
    }
}
