// Forward and backward against cvxpy on 224 random problems.
import Fairness
import TestSupport
import Testing

struct ReferenceTests {
    @Test(arguments: ["hard", "max", "sum"])
    func agreesWithSolver(kind: String) throws {
        let problems = try SolvedProblems.load(kind)
        #expect(problems.count >= 70)
        var gradients = 0
        for problem in problems {
            let p = try Self.problem(kind, problem).solve(problem.scores, parseGroups(problem.groups), problem.groupCount)
            expectClose(p.scores, problem.solution, atol: 1e-6, "\(kind) \(problem.id)")
            guard let gradient = problem.gradient else { continue }
            gradients += 1
            expectClose(p.backward(problem.upstream), gradient, atol: 1e-5, "gradient of \(kind) \(problem.id)")
        }
        #expect(gradients >= 65)
    }

    private static func problem(_ kind: String, _ problem: SolvedProblem) -> Problem {
        switch kind {
        case "hard": .hard(problem.tolerance!)
        case "max": .max(problem.weight!)
        default: .sum(problem.weight!)
        }
    }
}
