// Every criterion, with and without a box, forward and backward against cvxpy; tools/fairness_criteria.py poses the problems.
import Fairness
import Foundation
import TestSupport
import Testing

/// One solved problem of fairness_<criterion>.json or fairness_box_<criterion>.json.
struct SolvedCriterion: Decodable, Sendable {
    struct Row: Decodable, Sendable {
        let means: [[Double]]
        let scores: [[Double]]
        let limit: Double
    }

    let id: Int
    let criterion: String
    let groupCount: Int
    let groups: String
    let labels: String
    let strata: String
    let tolerance: Double
    let features: [Int]?
    let box: [Double]?
    let rows: [Row]?
    let columns: Int?
    let solution: [Double]
    let gradient: [Double]?

    static func load(_ name: String) throws -> [SolvedCriterion] {
        struct File: Decodable { let problems: [SolvedCriterion] }
        return try JSONDecoder().decode(File.self, from: Fixture.data("fairness_\(name).json")).problems
    }

    func column(_ index: Int) -> [Double] {
        let groups = parseGroups(groups)
        let z = groups.enumerated().map { row, group in
            dyadic(id, row, 0) + (group == unknownGroup ? 0 : dyadic(id, 1_000_001 + group, 1))
        }
        return index == 0 ? z : z.indices.map { dyadic(id, $0, 200 + index) + (index == 1 ? 0.5 * z[$0] : 0) }
    }

    func upstream(_ index: Int) -> [Double] { (0..<groups.utf8.count).map { dyadic(id, $0, 1 + 300 * index) } }

    var batch: FairnessBatch {
        FairnessBatch(
            scores: column(0), groups: parseGroups(groups), labels: parseGroups(labels).map { $0 < 0 ? .nan : Double($0) },
            strata: parseGroups(strata))
    }

    func layer() throws -> FairnessLayer {
        let custom = (rows ?? []).enumerated().map { number, row in
            CustomRow(
                name: "row \(number)", means: Dictionary(uniqueKeysWithValues: row.means.map { (Int($0[0]), $0[1]) }),
                scores: Dictionary(uniqueKeysWithValues: row.scores.map { (Int($0[0]), $0[1]) }), limit: row.limit)
        }
        return try FairnessLayer(
            Criterion(rawValue: criterion) ?? .demographicParity, groupCount: groupCount, tolerance: tolerance, featureSizes: features ?? [],
            box: box.map { $0[0]...$0[1] }, customRows: custom)
    }
}

struct CriteriaReferenceTests {
    static let plain = [
        "conditional-parity", "equalized-odds", "equal-opportunity", "equalized-residuals", "marginal-parity", "custom",
    ]
    static let boxed = [
        "box_demographic-parity", "box_conditional-parity", "box_equalized-odds", "box_equal-opportunity", "box_equalized-residuals",
    ]

    @Test(arguments: plain + boxed)
    func agreesWithSolver(name: String) throws {
        let problems = try SolvedCriterion.load(name)
        var gradients = 0, moved = 0
        for problem in problems {
            let layer = try problem.layer()
            let p = try layer.forward(problem.batch)
            expectClose(p.scores, problem.solution, atol: 1e-6, "\(name) \(problem.id)")
            if zip(p.scores, problem.batch.scores).contains(where: { abs($0 - $1) > 1e-6 }) { moved += 1 }
            guard let gradient = problem.gradient else { continue }
            gradients += 1
            expectClose(p.backward(problem.upstream(0)), gradient, atol: 1e-5, "gradient of \(name) \(problem.id)")
        }
        #expect(problems.count >= 30 && gradients >= 25 && moved >= 20)
    }

    /// The gap that the projection reports is the one the layer measures on its scores, and is within ε.
    @Test(arguments: plain + boxed)
    func reportsTheGapsItLeaves(name: String) throws {
        for problem in try SolvedCriterion.load(name) {
            let layer = try problem.layer()
            let p = try layer.forward(problem.batch)
            var fair = problem.batch
            fair.scores = p.scores
            expectClose(p.gapBefore, try layer.gap(problem.batch), atol: 1e-12, "\(name) \(problem.id)")
            expectClose(p.gapAfter, try layer.gap(fair), atol: 1e-9, "\(name) \(problem.id)")
            #expect(p.gapAfter <= (name == "custom" ? 0 : problem.tolerance) + 1e-9, "\(name) \(problem.id)")
            if let box = layer.box { #expect(p.scores.allSatisfy { box.contains($0) }) }
        }
    }

    /// A second projection changes nothing, and the Jacobian is a symmetric projection.
    @Test(arguments: plain + boxed)
    func isAProjection(name: String) throws {
        for problem in try SolvedCriterion.load(name).prefix(12) {
            let layer = try problem.layer()
            let p = try layer.forward(problem.batch)
            var fair = problem.batch
            fair.scores = p.scores
            expectClose(try layer.forward(fair).scores, p.scores, atol: 1e-11, "\(name) \(problem.id)")
            let j = jacobian(p)
            for i in j.indices {
                expectClose(j[i], j.map { $0[i] }, atol: 1e-12, "symmetry, \(name) \(problem.id)")
                expectClose(p.backward(j[i]), j[i], atol: 1e-11, "idempotence, \(name) \(problem.id)")
            }
        }
    }

    @Test func columnsAreProjectedOneByOne() throws {
        for problem in try SolvedCriterion.load("columns") {
            let count = try #require(problem.columns)
            let (n, batch) = (problem.groups.utf8.count, problem.batch)
            let table = (0..<n).flatMap { row in (0..<count).map { problem.column($0)[row] } }
            let p = try problem.layer().forward(columns: count, table, like: batch)
            for column in 0..<count {
                expectClose((0..<n).map { p.scores[$0 * count + column] }, Array(problem.solution[column * n..<(column + 1) * n]), atol: 1e-6)
            }
            guard let gradient = problem.gradient else { continue }
            let pulled = p.backward((0..<n).flatMap { row in (0..<count).map { problem.upstream($0)[row] } })
            for column in 0..<count {
                expectClose((0..<n).map { pulled[$0 * count + column] }, Array(gradient[column * n..<(column + 1) * n]), atol: 1e-5)
            }
        }
    }
}
