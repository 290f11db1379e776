// Tables made fair: the worked numbers of docs/fairness-layer.md, unknown groups, batches, and the forms of output.
import Fairness
import Inference
import TestSupport
import Testing

@Suite struct ScoreProjectionTests {
    /// Fairness vectors: ten scores in groups of 3, 2, 4 and 1.
    static let table: ScoreTable = {
        var table = ScoreTable()
        table.logits = [0.2, 1.4, -0.6, 2, 0.8, -1.5, -0.3, 0.6, -2, 1.1]
        table.groups = ["a", "a", "a", "b", "b", "c", "c", "c", "c", "d"]
        table.ids = (0..<10).map { .number("\($0)") }
        table.labels = [1, 1, 0, 1, 0, 0, 1, 1, 0, 1]
        return table
    }()

    @Test(arguments: [
        (0.0, [0.17, 0.17, 0.17, 0.17]), (0.5, [1.0 / 3, 0.3857142857, -0.1142857143, 0.3857142857]), (2.3, [1.0 / 3, 1.4, -0.8, 1.1]),
    ])
    func projectsTheWholeTable(_ epsilon: Double, _ means: [Double]) throws {
        let fair = try ScoreProjection(tolerance: epsilon).project(Self.table, source: "t")
        expectClose(fair.after.means.map { $0! }, means, atol: 1e-9, "means")
        #expect(fair.after.gap <= epsilon + 1e-12)
        #expect(fair.batches == 1 && fair.stream == nil)
        // Every member of a group moves by the same amount.
        for (row, group) in fair.groups.enumerated() {
            let shift = fair.after.means[group]! - fair.before.means[group]!
            expectClose(fair.scores[row] - Self.table.logits[row], shift, atol: 1e-12)
        }
    }

    @Test func unknownGroupsPassThrough() throws {
        var table = Self.table
        table.groups[1] = ""
        table.groups[9] = ""
        let fair = try ScoreProjection(tolerance: 0).project(table, source: "t")
        #expect(fair.scores[1] == 1.4 && fair.scores[9] == 1.1)
        #expect(fair.unknownRows == 2)
        #expect(fair.groupNames == ["a", "b", "c"])
        #expect(fair.after.gap < 1e-12)
    }

    @Test func batchesAreProjectedOneByOne() throws {
        let fair = try ScoreProjection(tolerance: 0.1, batchSize: 4).project(Self.table, source: "t")
        #expect(fair.batches == 3)
        #expect(fair.largestBatchGap <= 0.1 + 1e-12)
        // Rows 8 and 9 are a batch of c and d alone: −2 and 1.1 meet in the middle.
        expectClose(Array(fair.scores[8...]), [-0.5, -0.4], atol: 1e-12)
    }

    @Test func onlineEqualsTheAlgorithmStepByStep() throws {
        let settings = ScoreProjection(tolerance: 0.1, batchSize: 3, online: .init(batchThreshold: 4, eta0: 0.1, pairPenalty: .sum))
        let fair = try settings.project(Self.table, source: "t")
        var stream = PrimalDual(groupCount: 4, tolerance: 0.1, eta0: 0.1, batchThreshold: 4, pairPenalty: .sum)
        let groups = Self.table.numberedGroups().groups
        var expected: [Double] = []
        for start in stride(from: 0, to: 10, by: 3) {
            let rows = start..<min(start + 3, 10)
            expected += try stream.process(Array(Self.table.logits[rows]), groups: Array(groups[rows])).scores
        }
        #expect(fair.scores == expected)
        #expect(fair.stream == .primalDual(stream))
    }

    @Test func accuracyCountsLabelledRowsOnly() throws {
        var table = Self.table
        table.labels[0] = nil
        let accuracy = try ScoreProjection(tolerance: 0).project(table, source: "t").accuracy(table, threshold: 0.5)
        #expect(accuracy?.rows == 9)
        expectClose(accuracy!.before, 7.0 / 9)
        table.labels = Array(repeating: nil, count: 10)
        #expect(try ScoreProjection().project(table, source: "t").accuracy(table, threshold: 0.5) == nil)
    }

    @Test func sumsThatOverflowAreAnError() {
        var table = Self.table
        table.logits[0] = 1.7e308
        table.logits[1] = 1.7e308
        #expect(throws: (any Error).self) { try ScoreProjection().project(table, source: "t") }
    }

    @Test func csvRoundTripsAwkwardNames() throws {
        var table = ScoreTable()
        table.ids = [.string("a,1"), .string("say \"hi\""), .string("two\nlines"), .string("")]
        table.groups = ["x,y", "x,y", "\"", ""]
        table.logits = [0.1, 1e-300, -1234567.875, 3]
        table.labels = [nil, nil, nil, nil]
        let text = try ScoreProjection(tolerance: 10e6).project(table, source: "t").csv(table, threshold: 0.5)
        let again = try ScoreTable.read(text, source: "again")
        #expect(again.ids == table.ids && again.groups == table.groups && again.logits == table.logits)
        #expect(again.ignoredColumns == ["logit_raw", "score", "decision"])
    }

    @Test func writesRowsAndSummary() throws {
        let fair = try ScoreProjection(tolerance: 0).project(Self.table, source: "t")
        let lines = String(decoding: fair.ndjson(Self.table, threshold: 0.5), as: UTF8.self).split(separator: "\n")
        #expect(lines.count == 10)
        let row = try JSONValue.parse(String(lines[0]))
        #expect(row["id"] == .number("0") && row["group"] == .string("a") && row["decision"] == .number("1"))
        let object = try JSONValue.parse(String(decoding: fair.json(Self.table, threshold: 0.5), as: UTF8.self))
        #expect(object["row_count"] == .number("10") && object["lambda"] == .null)
        guard case .array(let rows)? = object["rows"], case .array(let groups)? = object["groups"] else {
            Issue.record("rows and groups are arrays")
            return
        }
        #expect(rows.count == 10 && rows[0] == row && groups.count == 4)
        #expect(object["projection_ms"]?.double != nil)
    }
}
