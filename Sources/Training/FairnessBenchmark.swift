// How long the fairness layer and the online algorithms take by themselves, on scores in memory.
import Fairness
import Foundation
import TensorCore

public struct FairnessBenchmark: Codable, Equatable, Sendable {
    public struct Layer: Codable, Equatable, Sendable {
        public var rows: Int
        public var groups: Int
        /// Of one forward and one backward pass.
        public var microseconds: Double
    }

    public struct Online: Codable, Equatable, Sendable {
        public var algorithm: OnlineName
        public var batch: Int
        public var groups: Int
        /// Of one batch, state in memory.
        public var microseconds: Double
    }

    /// ε, in logits.
    public var epsilon: Double
    public var layers: [Layer]
    public var online: [Online]

    /// Scores with group means spread over 3 logits, groups in turn.
    public static func scores(count: Int, groupCount: Int) -> (scores: [Double], groups: [Int]) {
        var random = RandomSource(seed: 1)
        let groups = (0..<count).map { $0 % groupCount }
        return (groups.map { 3 * Double($0) / Double(groupCount) + 4 * Double(random.uniform()) - 3.5 }, groups)
    }

    /// Medians over `repeats` rounds.
    public static func measure(repeats: Int, groupCount: Int = 14, epsilon: Double = 1e-4) throws -> FairnessBenchmark {
        let layers = try [128, 1024].map { count in
            let (scores, groups) = scores(count: count, groupCount: groupCount)
            let upstream = scores.map { $0 * 0.5 }
            let layer = FairnessLayer(groupCount: groupCount, tolerance: epsilon)
            var sum = 0.0
            let time = try median(repeats, steps: 200_000 / count) {
                sum += try layer.forward(scores, groups: groups).backward(upstream)[0]
            }
            precondition(sum.isFinite)
            return Layer(rows: count, groups: groupCount, microseconds: time)
        }
        let online = try OnlineName.allCases.map { name in
            let batch = 14
            let (scores, groups) = scores(count: 512 * batch, groupCount: groupCount)
            let batches = (0..<512).map { number in
                let rows = number * batch..<(number + 1) * batch
                return (scores: Array(scores[rows]), groups: Array(groups[rows]))
            }
            var stream: OnlineFairness =
                switch name {
                case .primalDual: .primalDual(PrimalDual(groupCount: groupCount, tolerance: epsilon))
                case .anytime: .anytime(AnytimeParity(groupCount: groupCount, tolerance: epsilon))
                }
            var next = 0
            let time = try median(repeats, steps: 5000) {
                _ = try stream.process(batches[next].scores, groups: batches[next].groups)
                next = (next + 1) % batches.count
            }
            return Online(algorithm: name, batch: batch, groups: groupCount, microseconds: time)
        }
        return FairnessBenchmark(epsilon: epsilon, layers: layers, online: online)
    }

    private static func median(_ repeats: Int, steps: Int, _ body: () throws -> Void) rethrows -> Double {
        for _ in 0..<steps { try body() }
        let times = try (0..<repeats).map { _ in
            let start = ContinuousClock.now
            for _ in 0..<steps { try body() }
            return (ContinuousClock.now - start) / .microseconds(1) / Double(steps)
        }
        return times.sorted()[repeats / 2]
    }
}
