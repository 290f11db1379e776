// The worked numbers of fairness.md §7, and the case where the optimum reverses the order of two groups.
import Fairness
import TestSupport
import Testing

struct UnitVectorTests {
    @Test(arguments: [
        (Problem.hard(0), [0.17, 0.17, 0.17, 0.17], 0),
        (.hard(0.5), [1.0 / 3, 0.385714285714, -0.114285714286, 0.385714285714], 0.5),
        (.sum(0.5), [0.416666666667, 1.025, -0.6125, 0.85], 1.6375),
        (.max(0.5), [1.0 / 3, 1.275, -0.7375, 1.1], 2.0125),
    ])
    func means(problem: Problem, means: [Double], gap: Double) throws {
        let p = try problem.solve(exampleScores, exampleGroups, 4)
        expectClose(p.meansAfter.map { $0! }, means, atol: 1e-9, "\(problem)")
        expectClose(p.gapAfter, gap, atol: 1e-9)
        expectClose(p.meansBefore.map { $0! }, [1.0 / 3, 1.4, -0.8, 1.1], atol: 1e-12)
        expectClose(p.gapBefore, 2.2, atol: 1e-12)
        // The scores themselves have those means, and move by group.
        expectClose(try GroupSums(p.scores, groups: exampleGroups, groupCount: 4).means.map { $0! }, means, atol: 1e-9)
        expectClose(p.scores[0] - p.scores[1], -1.2, atol: 1e-12)
    }

    @Test func orderOfGroupsMayReverse() throws {
        let counts = [1, 100, 50, 50], means = [4.0, 3, 0, -1]
        let groups = counts.indices.flatMap { Array(repeating: $0, count: counts[$0]) }
        let p = try Problem.sum(3).solve(groups.map { means[$0] }, groups, 4)
        // Group 0 has the highest mean before; alone it gives in at once, and ends under group 1: 4 − 3·(2 − 1)/2, 3 − 3·3/200, …
        expectClose(p.meansAfter.map { $0! }, [2.5, 2.955, 0.03, -0.91], atol: 1e-12)
        #expect(p.meansAfter[0]! < p.meansAfter[1]!)
    }

    @Test func dualStep() throws {
        var stream = PrimalDual(groupCount: 2, tolerance: 0.1, eta0: 0.1, batchThreshold: 100)
        let scores = Array(repeating: 1.0, count: 5) + Array(repeating: -1.0, count: 5)
        let groups = Array(repeating: 0, count: 5) + Array(repeating: 1, count: 5)
        let first = try stream.process(scores, groups: groups)
        expectClose([first.multiplier, first.batchGap, first.violation, stream.multiplier], [0, 2, 19, 1.9], atol: 1e-12)
        let second = try stream.process(Array(repeating: 0.5, count: 10), groups: groups)
        expectClose([second.multiplier, second.batchGap, second.violation], [1.9, 0, -1], atol: 1e-12)
        expectClose(stream.multiplier, 1.8292893, atol: 1e-7)
    }
}
