// What must hold for every batch: optimality conditions, equivariance, the structure of the Jacobian.
import Fairness
import TestSupport
import Testing

struct PropertyTests {
    /// n, K and a seed; the last ones are as large and as unequal as the layer must bear.
    private static let sizes = (0..<40).map { (rows: 5 + 37 * $0, groupCount: 2 + $0 % 13, seed: $0) } + [(200_000, 64, 99)]

    @Test func hardProjectionIsOptimal() throws {
        for (rows, groupCount, seed) in Self.sizes {
            let (z, groups) = randomBatch(seed, rows: rows, groupCount: groupCount)
            for tolerance in [0, 1e-4, 0.2, 1.0] {
                let p = try Problem.hard(tolerance).solve(z, groups, groupCount)
                let (n, a, m) = presentGroups(p)
                let (low, high) = (m.min()!, m.max()!)
                #expect(high - low <= tolerance + 1e-12)
                expectHardOptimal(n, a, m, low, high, tolerance, "seed \(seed)")
            }
        }
    }

    private func expectHardOptimal(
        _ n: [Double], _ a: [Double], _ m: [Double], _ low: Double, _ high: Double, _ tolerance: Double, _ what: String
    ) {
        // Moves balance; a group that was raised is at the low end, a lowered one at the high end, ε apart.
        var raised = 0.0, lowered = 0.0
        for k in n.indices {
            if m[k] > a[k] { raised += n[k] * (m[k] - a[k]) }
            if m[k] < a[k] { lowered += n[k] * (a[k] - m[k]) }
            if m[k] > a[k] + 1e-12 { expectClose(m[k], low, atol: 1e-12, what) }
            if m[k] < a[k] - 1e-12 { expectClose(m[k], high, atol: 1e-12, what) }
        }
        expectClose(raised, lowered, atol: 1e-12 * n.reduce(0, +), what)
        if raised > 1e-9 { expectClose(high - low, tolerance, atol: 1e-12, what) }
    }

    @Test func maximumPenaltyIsOptimal() throws {
        for (rows, groupCount, seed) in Self.sizes {
            let (z, groups) = randomBatch(seed, rows: rows, groupCount: groupCount)
            for share in [0.01, 0.2, 0.6, 3] {
                let weight = share * Double(rows)
                let p = try Problem.max(weight).solve(z, groups, groupCount)
                let (n, a, m) = presentGroups(p)
                guard n.count > 1 else { continue }
                let (low, high) = (m.min()!, m.max()!)
                var raised = 0.0, lowered = 0.0
                for k in n.indices {
                    raised += 2 * n[k] * max(m[k] - a[k], 0)
                    lowered += 2 * n[k] * max(a[k] - m[k], 0)
                    if m[k] > a[k] + 1e-12 { #expect(m[k] == low) }
                    if m[k] < a[k] - 1e-12 { #expect(m[k] == high) }
                }
                let scale = 1e-11 * Double(rows)
                expectClose(raised, lowered, atol: scale)
                if high > low { expectClose(raised, weight, atol: scale) } else { #expect(raised <= weight + scale) }
            }
        }
    }

    /// A point is optimal iff the objective rises in every direction; for differences of pairs the directions ±(indicator of a set) suffice.
    private func steepestDescent(_ n: [Double], _ a: [Double], _ m: [Double], _ weight: Double) -> Double {
        let tie = 1e-11 * (a.max()! - a.min()!)
        var worst = 0.0
        for set in 1..<(1 << n.count) - 1 {
            for sign in [1.0, -1] {
                var rate = 0.0, size = 0.0
                for i in n.indices where set >> i & 1 == 1 {
                    rate += sign * 2 * n[i] * (m[i] - a[i])
                    size += 2 * n[i]
                    for j in n.indices where set >> j & 1 == 0 {
                        rate += abs(m[i] - m[j]) <= tie ? weight : weight * sign * (m[i] > m[j] ? 1 : -1)
                    }
                }
                worst = min(worst, rate / size)  // in logits: how far the set would want to go
            }
        }
        return worst
    }

    @Test func sumPenaltyIsOptimal() throws {
        for (rows, groupCount, seed) in Self.sizes where groupCount <= 10 {
            let (z, groups) = randomBatch(seed, rows: rows, groupCount: groupCount)
            for share in [0.01, 0.1, 0.3, 3] {
                let weight = share * Double(rows) / Double(groupCount)
                let p = try Problem.sum(weight).solve(z, groups, groupCount)
                let (n, a, m) = presentGroups(p)
                guard n.count > 1 else { continue }
                #expect(steepestDescent(n, a, m, weight) > -1e-10, "seed \(seed), weight \(weight)")
            }
        }
    }

    @Test(arguments: [1e-3, 0.1, 1, 30, 1000, 30_000, 1e6])
    func sumPenaltyWithVeryUnequalCounts(weight: Double) throws {
        let counts = [1, 100_000, 3, 50_000, 2, 7, 20_000, 1]
        let groups = counts.indices.flatMap { Array(repeating: $0, count: counts[$0]) }
        for seed in 0..<5 {
            var random = TestRandom(UInt64(seed))
            let mean = counts.map { _ in Double.random(in: -3...3, using: &random) }
            let p = try Problem.sum(weight).solve(groups.map { mean[$0] }, groups, counts.count)
            let (n, a, m) = presentGroups(p)
            #expect(steepestDescent(n, a, m, weight) > -1e-10, "seed \(seed)")
        }
    }

    /// An iterative solver with a relative stopping rule fails here: it never settles, or takes the close groups for one.
    @Test(arguments: [Problem.hard(0.1), .max(3), .sum(3)])
    func offsetsAndOutliersCostOnlyTheirRounding(problem: Problem) throws {
        let counts = [1, 1000, 3, 500], means = [1.5, 0.25, -0.75, 0.5]
        let groups = counts.indices.flatMap { Array(repeating: $0, count: counts[$0]) }
        let plain = try problem.solve(groups.map { means[$0] }, groups, 4)
        let shifted = try problem.solve(groups.map { means[$0] + 1e5 }, groups, 4)
        expectClose(shifted.meansAfter.map { $0! - 1e5 }, plain.meansAfter.map { $0! }, atol: 1e-9, "\(problem)")
        expectClose(jacobian(shifted)[0], jacobian(plain)[0], atol: 1e-12, "\(problem)")
    }

    @Test func anOutlierDoesNotFuseTheOthers() throws {
        let counts = [1, 1000, 3, 500], means = [1e9, 0.25, -0.75, 0.5]
        let groups = counts.indices.flatMap { Array(repeating: $0, count: counts[$0]) }
        // No order changes, so each group is pulled by weight/2n for every group above and back for every group below it.
        let p = try Problem.sum(0.3).solve(groups.map { means[$0] }, groups, 4)
        expectClose(
            p.meansAfter.map { $0! }, [1e9 - 0.15 * 3, 0.25 + 0.15 / 1000, -0.75 + 0.15 * 3 / 3, 0.5 - 0.15 / 500], atol: 1e-6)
        #expect(jacobian(p)[1001][1001] == 1)  // group 2 moves alone
    }

    @Test func sumPenaltyOfManyGroupsConservesAndShrinks() throws {
        let (z, groups) = randomBatch(3, rows: 100_000, groupCount: 64)
        var last = Double.infinity
        for weight in [0, 1, 10, 100, 1000.0] {
            let p = try Problem.sum(weight).solve(z, groups, 64)
            let (n, a, m) = presentGroups(p)
            expectClose(zip(n, m).reduce(0) { $0 + $1.0 * $1.1 }, zip(n, a).reduce(0) { $0 + $1.0 * $1.1 }, atol: 1e-7)
            let spread = m.reduce(0) { s, x in s + m.reduce(0) { $0 + abs($1 - x) } }
            #expect(spread <= last)
            last = spread
        }
        #expect(last == 0)
    }

    @Test func projectingTwiceIsProjectingOnce() throws {
        for seed in 0..<20 {
            let (z, groups) = randomBatch(seed, rows: 150, groupCount: 9)
            let layer = FairnessLayer(groupCount: 9, tolerance: 0.15)
            let once = try layer.forward(z, groups: groups)
            expectClose(try layer.forward(once.scores, groups: groups).scores, once.scores, atol: 1e-13)
        }
    }

    @Test(arguments: [Problem.hard(0.2), .max(20), .sum(4)])
    func shiftingAndReordering(problem: Problem) throws {
        for seed in 0..<10 {
            let (z, groups) = randomBatch(seed, rows: 120, groupCount: 7)
            let plain = try problem.solve(z, groups, 7).scores
            expectClose(try problem.solve(z.map { $0 + 17.25 }, groups, 7).scores, plain.map { $0 + 17.25 }, atol: 1e-12)
            expectClose(try problem.solve(z.map { -$0 }, groups, 7).scores, plain.map { -$0 }, atol: 1e-12)
            var random = TestRandom(UInt64(seed))
            let order = z.indices.shuffled(using: &random)
            let mixed = try problem.solve(order.map { z[$0] }, order.map { groups[$0] }, 7).scores
            expectClose(mixed, order.map { plain[$0] }, atol: 1e-12)
            let names = [4, 2, 6, 0, 5, 1, 3]
            let renamed = try problem.solve(z, groups.map { $0 == unknownGroup ? $0 : names[$0] }, 7).scores
            expectClose(renamed, plain, atol: 1e-12)
        }
    }

    @Test(arguments: [Problem.hard(0), .hard(0.2), .hard(1.5), .max(20), .max(200), .sum(2), .sum(40)])
    func jacobianIsASymmetricProjection(problem: Problem) throws {
        for seed in 0..<6 {
            let (z, groups) = randomBatch(seed, rows: 60, groupCount: 6)
            let p = try problem.solve(z, groups, 6)
            let j = jacobian(p)
            let n = z.count
            for i in 0..<n {
                expectClose(j[i], j.map { $0[i] }, atol: 1e-14, "symmetry")
                expectClose(p.backward(j[i]), j[i], atol: 1e-13, "idempotence")
            }
            // Each fused set of s groups leaves one freedom for s; for the hard layer there is one set, S.
            let (_, a, m) = presentGroups(p)
            let moved = zip(a, m).filter { abs($0 - $1) > 1e-12 }.map(\.1)
            var lost = 0
            if case .hard = problem {
                lost = max(moved.count - 1, 0)
            } else {
                let levels = m.sorted()
                lost = zip(levels, levels.dropFirst()).count { $1 - $0 < 1e-12 }
            }
            expectClose((0..<n).reduce(0) { $0 + j[$1][$1] }, Double(n - lost), atol: 1e-12, "trace, \(problem), seed \(seed)")
        }
    }

    @Test(arguments: [Problem.hard(0), .hard(0.2), .hard(1.5), .max(20), .max(200), .sum(2), .sum(40)])
    func gradientIsTheDifferenceQuotient(problem: Problem) throws {
        for seed in 10..<15 {
            let (z, groups) = randomBatch(seed, rows: 50, groupCount: 6)
            var random = TestRandom(UInt64(seed))
            // A loss that is not linear, Σ w ŷ + ŷ²/2, so that the gradient depends on ŷ.
            let w = z.map { _ in Double.random(in: -1...1, using: &random) }
            func loss(_ z: [Double]) throws -> Double {
                zip(w, try problem.solve(z, groups, 6).scores).reduce(0) { $0 + $1.0 * $1.1 + $1.1 * $1.1 / 2 }
            }
            let p = try problem.solve(z, groups, 6)
            let gradient = p.backward(zip(w, p.scores).map { $0 + $1 })
            let h = 1e-4
            let numeric = try z.indices.map { i in
                var (up, down) = (z, z)
                up[i] += h
                down[i] -= h
                return (try loss(up) - loss(down)) / (2 * h)
            }
            expectClose(gradient, numeric, atol: 1e-8, "\(problem), seed \(seed)")
        }
    }
}
