// The criteria's unit vectors, edge cases and refusals.
import Fairness
import TestSupport
import Testing

private let exampleLabels: [Double] = [1, 1, 0, 1, 0, 0, 1, 1, 0, 1]

struct CriteriaTests {
    @Test func residualsOfTheExample() throws {
        let p = try FairnessLayer(.equalizedResiduals, groupCount: 4, tolerance: 0.1)
            .forward(FairnessBatch(scores: exampleScores, groups: exampleGroups, labels: exampleLabels))
        let labelMeans = [2.0 / 3, 0.5, 0.5, 1]
        expectClose(zip(p.meansAfter, labelMeans).map { $0! - $1 }, [-0.1, 0.1, -0.1, 0.1], atol: 1e-12)
        expectClose([p.gapBefore, p.gapAfter], [1.3, 0.1], atol: 1e-12)
    }

    @Test func oddsOfTheExample() throws {
        let batch = FairnessBatch(scores: exampleScores, groups: exampleGroups, labels: exampleLabels)
        let odds = try FairnessLayer(.equalizedOdds, groupCount: 4, tolerance: 0.5).forward(batch)
        expectClose(odds.meansAfter.prefix(3).map { $0! }, [-0.6, -0.566666666667, -1.066666666667], atol: 1e-9)
        #expect(odds.meansAfter[3] == nil)  // group 3 has no label 0
        expectClose(odds.meansAfter.suffix(4).map { $0! }, [0.8, 1.1, 0.6, 1.1], atol: 1e-9)
        // Equal opportunity is the second half of it, and leaves label 0 alone.
        let opportunity = try FairnessLayer(.equalOpportunity, groupCount: 4, tolerance: 0.5).forward(batch)
        for row in exampleScores.indices {
            expectClose(opportunity.scores[row], exampleLabels[row] == 1 ? odds.scores[row] : exampleScores[row], atol: 1e-12)
        }
    }

    @Test func oneStratumIsDemographicParity() throws {
        let (z, groups) = randomBatch(3, rows: 200, groupCount: 6)
        let plain = try FairnessLayer(groupCount: 6, tolerance: 0.1).forward(z, groups: groups)
        let one = try FairnessLayer(.conditionalParity, groupCount: 6, tolerance: 0.1)
            .forward(FairnessBatch(scores: z, groups: groups, strata: Array(repeating: 0, count: 200)))
        #expect(one.scores == plain.scores)
        // Marginal parity of one feature is demographic parity too, by another solver.
        let marginal = try FairnessLayer(.marginalParity, groupCount: 6, tolerance: 0.1, featureSizes: [6]).forward(z, groups: groups)
        expectClose(marginal.scores, plain.scores, atol: 1e-11)
        let d = z.indices.map { dyadic(3, $0, 1) }
        expectClose(marginal.backward(d), plain.backward(d), atol: 1e-11)
    }

    @Test func marginalParityOfManyValuesAtOnce() throws {
        for (sizes, tolerance) in [([2, 7], 0.0), ([5, 4, 3], 0.05), ([16, 2], 1e-4)] {
            let groupCount = sizes.reduce(1, *)
            let (z, groups) = randomBatch(sizes.count, rows: 3000, groupCount: groupCount, unknown: 0.1)
            let layer = try FairnessLayer(.marginalParity, groupCount: groupCount, tolerance: tolerance, featureSizes: sizes)
            let p = try layer.forward(z, groups: groups)
            #expect(p.gapBefore > 0.1 && p.gapAfter <= tolerance + 1e-11)
            // Weaker than parity of intersections, so it moves less.
            let full = try FairnessLayer(groupCount: groupCount, tolerance: tolerance).forward(z, groups: groups)
            func distance(_ y: [Double]) -> Double { zip(y, z).reduce(0) { $0 + ($1.0 - $1.1) * ($1.0 - $1.1) } }
            #expect(distance(p.scores) < distance(full.scores))
        }
    }

    @Test func aWideBoxIsNoBox() throws {
        for criterion in [Criterion.demographicParity, .conditionalParity, .equalizedOdds, .equalOpportunity, .equalizedResiduals] {
            for seed in 0..<8 {
                let (z, groups) = randomBatch(seed, rows: 90, groupCount: 5)
                let batch = FairnessBatch(
                    scores: z, groups: groups, labels: z.indices.map { Double(hash64(seed, $0, 3) % 2) },
                    strata: z.indices.map { Int(hash64(seed, $0, 4) % 3) })
                let d = z.indices.map { dyadic(seed, $0, 1) }
                let plain = try FairnessLayer(criterion, groupCount: 5, tolerance: 0.1).forward(batch)
                let boxed = try FairnessLayer(criterion, groupCount: 5, tolerance: 0.1, box: -50...50).forward(batch)
                expectClose(boxed.scores, plain.scores, atol: 1e-11, criterion.rawValue)
                expectClose(boxed.backward(d), plain.backward(d), atol: 1e-11, criterion.rawValue)
            }
        }
    }

    /// Probabilities pressed against both walls, ties, a box of one point, two groups that only meet at a wall.
    @Test func tightBoxes() throws {
        for seed in 0..<30 {
            let (z, groups) = randomBatch(seed, rows: 4 + 3 * seed, groupCount: 4, unknown: 0)
            let rounded = z.map { ($0 * 4).rounded() / 4 }
            for (low, high) in [(0.0, 1.0), (-0.25, 0.25), (0.5, 0.5)] {
                for tolerance in [0, 0.05, 0.6] {
                    let layer = try FairnessLayer(.demographicParity, groupCount: 4, tolerance: tolerance, box: low...high)
                    let p = try layer.forward(rounded, groups: groups)
                    #expect(p.scores.allSatisfy { $0 >= low && $0 <= high } && p.gapAfter <= tolerance + 1e-12, "seed \(seed)")
                    expectClose(try layer.forward(p.scores, groups: groups).scores, p.scores, atol: 1e-12)
                }
            }
        }
        let apart = try FairnessLayer(.demographicParity, groupCount: 2, tolerance: 0, box: -1...1).forward([9, 9, -9], groups: [0, 0, 1])
        #expect(Set(apart.scores).count == 1)
    }

    @Test func customRowsThatContradictEachOtherAreNamed() throws {
        func error(_ rows: [CustomRow]) -> FairnessError? {
            do {
                _ = try FairnessLayer(.custom, groupCount: 4, tolerance: 0, customRows: rows).forward(exampleScores, groups: exampleGroups)
                return nil
            } catch { return error as? FairnessError }
        }
        let up = CustomRow(name: "group 0 at least 2", means: [0: -1], limit: -2)
        let down = CustomRow(name: "group 0 at most 1", means: [0: 1], limit: 1)
        let other = CustomRow(name: "group 1 at most 0", means: [1: 1], limit: 0)
        #expect(error([other, up, down]) == .contradiction(rows: ["group 0 at least 2", "group 0 at most 1"]))
        // 0 ≤ 1 ≤ 2 in means and back again, with a gap: three rows only together.
        let chain = [(0, 1), (1, 2), (2, 0)].map { CustomRow(name: "\($0)<\($1)", means: [$0: 1, $1: -1], limit: -0.1) }
        #expect(error([other] + chain) == .contradiction(rows: ["0<1", "1<2", "2<0"]))
        #expect(error([CustomRow(name: "void", limit: -1)]) == .contradiction(rows: ["void"]))
        #expect(error([up, other, CustomRow(name: "holds anyway", limit: 0)]) == nil)
        let text = error([up, down])?.description ?? ""
        #expect(text.contains("group 0 at least 2, group 0 at most 1") && text.contains("loosen"))
    }

    @Test func equalLimitsFromBothSidesAreAnEquation() throws {
        let rows = [CustomRow(name: "≤", means: [0: 1, 2: -1], limit: 0.25), CustomRow(name: "≥", means: [0: -1, 2: 1], limit: -0.25)]
        let p = try FairnessLayer(.custom, groupCount: 4, tolerance: 0, customRows: rows).forward(exampleScores, groups: exampleGroups)
        let means = try GroupSums(p.scores, groups: exampleGroups, groupCount: 4).means
        expectClose(means[0]! - means[2]!, 0.25, atol: 1e-12)
        // A row on one score moves that score alone.
        let cap = CustomRow(name: "cap", scores: [3: 1], limit: 1.5)
        let capped = try FairnessLayer(.custom, groupCount: 4, tolerance: 0, customRows: [cap]).forward(exampleScores, groups: exampleGroups)
        expectClose(zip(capped.scores, exampleScores).map { $0 - $1 }, [0, 0, 0, -0.5, 0, 0, 0, 0, 0, 0], atol: 1e-12)
        // A group that is not there voids the row.
        let absent = CustomRow(name: "absent", means: [1: 1, 3: -1], limit: -9)
        #expect(try FairnessLayer(.custom, groupCount: 4, tolerance: 0, customRows: [absent]).forward([1, 2], groups: [0, 1]).scores == [1, 2])
    }

    @Test func whatACriterionNeedsIsAskedFor() throws {
        let batch = FairnessBatch(scores: [1, 2, 3], groups: [0, 1, 0])
        for criterion in Criterion.allCases {
            let layer = try FairnessLayer(criterion, groupCount: 2, tolerance: 0, featureSizes: criterion == .marginalParity ? [2] : [])
            #expect(criterion.needsLabels == (criterion.inferenceRefusal != nil))
            switch criterion {
            case .equalizedOdds, .equalOpportunity, .equalizedResiduals:
                #expect(throws: FairnessError.missing("labels", criterion)) { try layer.forward(batch) }
                #expect(criterion.inferenceRefusal!.contains("no label is known") && criterion.onlineRefusal == criterion.inferenceRefusal)
            case .conditionalParity:
                #expect(throws: FairnessError.missing("a stratum for each row", criterion)) { try layer.forward(batch) }
                #expect(criterion.onlineRefusal!.contains("--online"))
            case .demographicParity, .marginalParity, .custom:
                _ = try layer.forward(batch)
                #expect((criterion.onlineRefusal == nil) == (criterion == .demographicParity))
            }
            #expect(try layer.forward(FairnessBatch(scores: [], groups: [])).scores.isEmpty)
        }
        let odds = try FairnessLayer(.equalizedOdds, groupCount: 2, tolerance: 0)
        #expect(throws: FairnessError.badLabel(row: 1, value: 0.5)) {
            try odds.forward(FairnessBatch(scores: [1, 2, 3], groups: [0, 1, 0], labels: [1, 0.5, 0]))
        }
        #expect(throws: FairnessError.notFinite(row: 2, value: .infinity)) {
            try odds.forward(FairnessBatch(scores: [1, 2, .infinity], groups: [0, 1, 0], labels: [1, 0, 0]))
        }
        let residuals = try FairnessLayer(.equalizedResiduals, groupCount: 2, tolerance: 0.1, box: 0...0.5)
        #expect(throws: FairnessError.self) { try residuals.forward(FairnessBatch(scores: [0.2, 0.1], groups: [0, 1], labels: [1, 0])) }
        for criterion in [Criterion.marginalParity, .custom] {
            #expect(throws: FairnessError.self) {
                try FairnessLayer(criterion, groupCount: 2, tolerance: 0, featureSizes: [2], box: 0...1)
            }
        }
    }

    @Test func rowsWithoutLabelOrStratumPass() throws {
        let batch = FairnessBatch(
            scores: [5, 1, -1, 7, -7], groups: [0, 0, 1, 1, 0], labels: [.nan, 1, 1, .nan, .nan], strata: [-1, 0, 0, -1, -1])
        for criterion in [Criterion.equalizedOdds, .equalOpportunity, .conditionalParity] {
            let p = try FairnessLayer(criterion, groupCount: 2, tolerance: 0).forward(batch)
            expectClose(p.scores, [5, 0, 0, 7, -7], atol: 1e-12, criterion.rawValue)
            #expect(p.backward([1, 1, 0, 1, 1]) == [1, 0.5, 0.5, 1, 1] && p.sums.unknownCount >= 3)
        }
        let residuals = try FairnessLayer(.equalizedResiduals, groupCount: 2, tolerance: 0.5).forward(batch)
        expectClose(residuals.scores, [5, 1, 0.5, 7, -7], atol: 1e-12)
        #expect(residuals.backward([1, 1, 1, 1, 1]) == [1, 1, 0, 1, 1])
    }
}
