// Inputs shared by the fairness tests: hashed test data, the fixtures' problems, unit vectors, Jacobians.
import Fairness
import Foundation
import TestSupport
import Testing

/// SplitMix64's finaliser of one integer; tools/export_fairness_fixtures.py has the same function.
func hash64(_ problem: Int, _ row: Int, _ column: Int) -> UInt64 {
    var z = UInt64(problem) &* 0x9E37_79B9_7F4A_7C15 &+ UInt64(row) &* 0xD1B5_4A32_D192_ED03
    z = z &+ UInt64(column) &* 0x8CB9_2BA7_2F3D_8DD7 &+ 0x632B_E59B_D9B4_E019
    z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
    z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
    return z ^ (z >> 31)
}

/// A multiple of 2^-20 in −2..<2.
func dyadic(_ problem: Int, _ row: Int, _ column: Int) -> Double { Double(hash64(problem, row, column) >> 42) / 1_048_576 - 2 }

/// Groups as a fixture writes them: one letter per row, `-` for unknown.
func parseGroups(_ text: String) -> [Int] { text.utf8.map { $0 == UInt8(ascii: "-") ? unknownGroup : Int($0) - 97 } }

/// One solved problem of fairness_{hard,max,sum}.json.
struct SolvedProblem: Decodable {
    let id: Int
    let groupCount: Int
    let groups: String
    let tolerance: Double?
    let weight: Double?
    let solution: [Double]
    let gradient: [Double]?

    var scores: [Double] {
        parseGroups(groups).enumerated().map { row, group in
            dyadic(id, row, 0) + (group == unknownGroup ? 0 : dyadic(id, 1_000_001 + group, 1))
        }
    }
    var upstream: [Double] { solution.indices.map { dyadic(id, $0, 1) } }
}

struct SolvedProblems: Decodable {
    let problems: [SolvedProblem]

    static func load(_ kind: String) throws -> [SolvedProblem] {
        try JSONDecoder().decode(SolvedProblems.self, from: Fixture.data("fairness_\(kind).json")).problems
    }
}

/// The three problems of the module, so that a test can say which it means.
enum Problem: Sendable, CustomStringConvertible {
    case hard(Double), max(Double), sum(Double)

    func solve(_ z: [Double], _ groups: [Int], _ groupCount: Int) throws -> Projection {
        switch self {
        case .hard(let tolerance):
            try FairnessLayer(groupCount: groupCount, tolerance: tolerance).forward(z, groups: groups)
        case .max(let weight):
            try GapPenaltyProjection(groupCount: groupCount, penalty: .max).forward(z, groups: groups, weight: weight)
        case .sum(let weight):
            try GapPenaltyProjection(groupCount: groupCount, penalty: .sum).forward(z, groups: groups, weight: weight)
        }
    }

    var description: String {
        switch self {
        case .hard(let tolerance): "hard \(tolerance)"
        case .max(let weight): "max \(weight)"
        case .sum(let weight): "sum \(weight)"
        }
    }
}

/// The example of fairness.md §7: ten scores in four groups.
let exampleScores = [0.2, 1.4, -0.6, 2, 0.8, -1.5, -0.3, 0.6, -2, 1.1]
let exampleGroups = [0, 0, 0, 1, 1, 2, 2, 2, 2, 3]

/// A random batch: unequal groups, some rows unknown, group offsets of about ±1.
func randomBatch(_ seed: Int, rows: Int, groupCount: Int, unknown: Double = 0.1) -> (scores: [Double], groups: [Int]) {
    var random = TestRandom(UInt64(seed))
    let offset = (0..<groupCount).map { _ in Double.random(in: -1...1, using: &random) }
    let groups = (0..<rows).map { _ -> Int in
        if Double.random(in: 0..<1, using: &random) < unknown { return unknownGroup }
        return Int(pow(Double.random(in: 0..<1, using: &random), 1.7) * Double(groupCount))
    }
    return (groups.map { ($0 == unknownGroup ? 0 : offset[$0]) + Double.random(in: -2...2, using: &random) }, groups)
}

/// Rows are outputs' gradients: row i is the gradient of ŷ_i.
func jacobian(_ projection: Projection) -> [[Double]] {
    projection.scores.indices.map { i in
        var unit = [Double](repeating: 0, count: projection.scores.count)
        unit[i] = 1
        return projection.backward(unit)
    }
}

/// Means and counts of the groups that are present, before and after.
func presentGroups(_ p: Projection) -> (n: [Double], a: [Double], m: [Double]) {
    let present = p.sums.present
    return (present.map { Double(p.sums.counts[$0]) }, present.map { p.meansBefore[$0]! }, present.map { p.meansAfter[$0]! })
}

/// The state that a stream saves is read back, and is not once the JSON members of `damage` stand in place of its own.
func expectRefused(_ damage: String, in stream: some OnlineAlgorithm, sourceLocation: SourceLocation = #_sourceLocation) throws {
    func read<Algorithm: OnlineAlgorithm>(_ data: Data, as _: Algorithm) throws -> Algorithm { try JSONDecoder().decode(Algorithm.self, from: data) }
    let saved = try JSONEncoder().encode(stream)
    #expect(try read(saved, as: stream) == stream, sourceLocation: sourceLocation)
    var fields = try #require(JSONSerialization.jsonObject(with: saved) as? [String: Any], sourceLocation: sourceLocation)
    let change = try #require(JSONSerialization.jsonObject(with: Data("{\(damage)}".utf8)) as? [String: Any], sourceLocation: sourceLocation)
    fields.merge(change) { $1 }
    let data = try JSONSerialization.data(withJSONObject: fields)
    #expect(throws: DecodingError.self, sourceLocation: sourceLocation) { try read(data, as: stream) }
}
