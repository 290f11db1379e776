// The rules of fairness.md §1: absent groups, unknown rows, ties, ε = 0, scores that are no numbers.
import Fairness
import TestSupport
import Testing

private let problems: [Problem] = [.hard(0.3), .hard(0), .max(2), .sum(0.7)]

struct EdgeCaseTests {
    @Test(arguments: problems)
    func oneGroupIsTheIdentity(problem: Problem) throws {
        let z = [3.0, -1, 0.5]
        let p = try problem.solve(z, [2, 2, 2], 4)
        #expect(p.scores == z && p.gapBefore == 0 && p.gapAfter == 0)
        #expect(p.meansAfter.map { $0 == nil } == [true, true, false, true])
        #expect(p.backward([1, 2, 3]) == [1, 2, 3])
    }

    @Test(arguments: problems)
    func emptyBatchAndOnlyUnknownRows(problem: Problem) throws {
        #expect(try problem.solve([], [], 4).scores.isEmpty)
        let p = try problem.solve([5, -5], [unknownGroup, unknownGroup], 4)
        #expect(p.scores == [5, -5] && p.sums.unknownCount == 2 && p.sums.knownCount == 0 && p.gapAfter == 0)
        #expect(p.backward([1, 2]) == [1, 2])
    }

    @Test(arguments: problems)
    func unknownRowsPassThroughAndChangeNothing(problem: Problem) throws {
        let plain = try problem.solve(exampleScores, exampleGroups, 4)
        let p = try problem.solve([99] + exampleScores + [-77], [unknownGroup] + exampleGroups + [unknownGroup], 4)
        #expect(p.scores == [99] + plain.scores + [-77])
        #expect(p.sums.unknownCount == 2 && p.sums.knownCount == 10)
        let d = (0..<12).map { Double($0 * $0) }
        let dz = p.backward(d)
        #expect(dz[0] == d[0] && dz[11] == d[11])
        #expect(Array(dz[1..<11]) == plain.backward(Array(d[1..<11])))
    }

    @Test(arguments: problems)
    func absentGroupsTakeNoPart(problem: Problem) throws {
        let plain = try problem.solve(exampleScores, exampleGroups, 4)
        let p = try problem.solve(exampleScores, exampleGroups.map { 3 * $0 + 1 }, 12)
        #expect(p.scores == plain.scores)
        #expect(p.meansAfter[0] == nil && p.meansBefore[2] == nil && p.meansAfter[10] == plain.meansAfter[3])
    }

    @Test func zeroToleranceGivesEqualMeans() throws {
        let (z, groups) = randomBatch(5, rows: 400, groupCount: 14)
        let p = try Problem.hard(0).solve(z, groups, 14)
        #expect(p.gapAfter == 0)
        #expect(try GroupSums(p.scores, groups: groups, groupCount: 14).gap < 1e-13)
    }

    @Test func tiesAreFused() throws {
        // Groups 0 and 1 tie at the top, 2 and 3 at the bottom; the halves meet at ±ε/2 and all four move together.
        let z = [1.0, 1, -1, -1], groups = [0, 1, 2, 3]
        let p = try Problem.hard(0.5).solve(z, groups, 4)
        expectClose(p.scores, [0.25, 0.25, -0.25, -0.25], atol: 1e-15)
        expectClose(p.backward([1, 0, 0, 0]), [0.25, 0.25, 0.25, 0.25], atol: 1e-15)
        // The penalties keep the two ends apart: two sets.
        for problem in [Problem.max(0.8), .sum(0.2)] {
            let p = try problem.solve(z, groups, 4)
            expectClose(p.scores, [0.8, 0.8, -0.8, -0.8], atol: 1e-15, "\(problem)")
            expectClose(p.backward([1, 0, 0, 0]), [0.5, 0.5, 0, 0], atol: 1e-15, "\(problem)")
        }
    }

    /// On the very end of the interval there are two derivatives; the layer takes that of a clamped group.
    @Test func aGapOfExactlyTheToleranceCountsAsClamped() throws {
        for (z, tolerance) in [([0, 0.25], 0.25), ([1, 1.0], 0)] {
            let p = try Problem.hard(tolerance).solve(z, [0, 1], 2)
            #expect(p.scores == z && p.backward([1, 0]) == [0.5, 0.5])
        }
    }

    @Test func insideTheToleranceNothingMoves() throws {
        let z = [0.1, 0.2, 0.3]
        let p = try Problem.hard(0.25).solve(z, [0, 1, 2], 3)
        #expect(p.scores == z && p.backward([1, 2, 3]) == [1, 2, 3])
    }

    @Test func zeroWeightIsTheIdentity() throws {
        for penalty in PairPenalty.allCases {
            let p = try GapPenaltyProjection(groupCount: 4, penalty: penalty).forward(exampleScores, groups: exampleGroups, weight: 0)
            #expect(p.scores == exampleScores)
        }
    }

    @Test(arguments: [Problem.max(1e9), .sum(1e9)])
    func hugeWeightIsEqualMeans(problem: Problem) throws {
        let p = try problem.solve(exampleScores, exampleGroups, 4)
        expectClose(p.meansAfter.map { $0! }, [0.17, 0.17, 0.17, 0.17], atol: 1e-9)
        #expect(p.gapAfter == 0)
    }

    @Test(arguments: problems)
    func badRowsAreNamed(problem: Problem) {
        #expect(throws: FairnessError.notFinite(row: 1, value: .infinity)) { try problem.solve([0, .infinity, 1], [0, 1, 1], 2) }
        #expect(throws: FairnessError.tooLarge(row: 2, value: -1e300)) { try problem.solve([0, 0, -1e300], [0, 1, 1], 2) }
        #expect(throws: FairnessError.groupOutOfRange(row: 0, group: 2, groupCount: 2)) { try problem.solve([0, 0], [2, 1], 2) }
        #expect(throws: FairnessError.groupOutOfRange(row: 1, group: -2, groupCount: 2)) { try problem.solve([0, 0], [1, -2], 2) }
        do {
            _ = try problem.solve([1, .nan], [0, unknownGroup], 2)
            Issue.record("NaN was accepted")
        } catch {
            #expect("\(error)".contains("nan in row 1"))  // of an unknown group, too: it would be emitted
        }
    }

    @Test func messagesSayWhatToDo() {
        #expect(FairnessError.notFinite(row: 3, value: .infinity).description.contains("remove the row"))
        #expect(FairnessError.tooLarge(row: 3, value: 1e200).description.contains("row 3"))
        #expect(FairnessError.groupOutOfRange(row: 3, group: 9, groupCount: 4).description.contains("use -1 for an unknown group"))
    }

    @Test(arguments: [Problem.hard(0.1), .max(5), .sum(1)])
    func scoresAtTheLimitStayFinite(problem: Problem) throws {
        let p = try problem.solve([1e100, -1e100, 1e100, 0], [0, 1, 2, 2], 3)
        #expect(p.scores.allSatisfy(\.isFinite) && p.gapAfter.isFinite)
    }

    @Test func sumsMerge() throws {
        var a = try GroupSums([1, 2, 3], groups: [0, 1, unknownGroup], groupCount: 3)
        a.merge(try GroupSums([5, 6], groups: [1, 1], groupCount: 3))
        #expect(a.counts == [1, 3, 0] && a.sums == [1, 13, 0] && a.unknownCount == 1 && a.present == [0, 1])
        #expect(a.means[2] == nil && a.knownCount == 4)
        expectClose(a.gap, 13.0 / 3 - 1, atol: 1e-15)
        #expect(GroupSums(groupCount: 3).gap == 0)
    }
}
