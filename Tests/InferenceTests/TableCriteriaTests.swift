// Tables under every criterion: groups taken apart, strata, labels of any kind, rows by name, and what is missing named.
import Fairness
import Inference
import NeuralNetwork
import TestSupport
import Testing

private let csv = """
    id,group,logit,label,site
    a,"Male=0,Young=0",1.5,1,N
    b,"Young=1,Male=0",-0.5,0,S
    c,"Male=1,Young=0",0.25,1,N
    d,"Male=1,Young=1",-2,0,S
    e,"Male=0,Young=0",2,0,S
    f,"Male=1,Young=1",1,1,N
    g,"Male=1,Young=0",-1,0,
    h,,9,1,N

    """

private func read(_ text: String = csv, _ columns: ScoreColumns = ScoreColumns()) throws -> ScoreTable {
    try ScoreTable.read(Array(text.utf8), columns: columns, source: "t.csv")
}

private func project(_ criterion: Criterion, _ table: ScoreTable, tolerance: Double = 0) throws -> FairScores {
    try project(criterion, CriterionDetails(), table, tolerance: tolerance)
}

private func project(_ criterion: Criterion, _ details: CriterionDetails, _ table: ScoreTable, tolerance: Double = 0) throws -> FairScores {
    try ScoreProjection(criterion: criterion, tolerance: tolerance, details: details).project(table, source: "t.csv")
}

struct TableCriteriaTests {
    @Test func labelsDivideTheTable() throws {
        let table = try read()
        for criterion in [Criterion.equalizedOdds, .equalOpportunity] {
            let fair = try project(criterion, table)
            let groups = [0, 1, 2, 3, 0, 3, 2, unknownGroup]  // "Young=1,Male=0" is a name of its own, in order of appearance
            let layer = try FairnessLayer(criterion, groupCount: 4, tolerance: 0)
            let labels = table.labels.map { Double($0!) }
            #expect(fair.scores == (try layer.forward(FairnessBatch(scores: table.logits, groups: groups, labels: labels)).scores))
            #expect(fair.criterionGaps.before > 1 && fair.criterionGaps.after < 1e-12 && fair.after.gap > 0.01)
        }
        var unlabelled = table
        unlabelled.labels = table.labels.map { _ in nil }
        let error = #expect(throws: ScoreTableError.self) { try project(.equalizedOdds, unlabelled) }
        #expect(error?.column == "label" && error?.reason.contains("equalized-odds") == true)
    }

    @Test func featuresAreTakenApart() throws {
        let table = try read()
        let fair = try project(.marginalParity, table)
        func mean(_ part: String) -> Double {
            let rows = table.groups.indices.filter { table.groups[$0].contains(part) }
            return rows.reduce(0) { $0 + fair.scores[$1] } / Double(rows.count)
        }
        expectClose(mean("Male=0"), mean("Male=1"), atol: 1e-12)
        expectClose(mean("Young=0"), mean("Young=1"), atol: 1e-12)
        #expect(fair.scores[7] == 9 && fair.after.gap > 0.01)  // intersections may still differ
        let error = #expect(throws: ScoreTableError.self) { try project(.marginalParity, try read("id,group,logit\n1,\"A=0,B=1\",1\n2,plain,2\n")) }
        #expect(error?.value == "plain" && error?.reason.contains("Male=0,Young=1") == true)
    }

    @Test func strataAreAColumnOrAFeature() throws {
        let byColumn = try project(.conditionalParity, .init(conditionOn: ["site"]), try read(csv, .init(stratum: "site")))
        // Site N: a, c, f, h; h has no group. Site S: b, d, e. Row g has no site.
        expectClose(byColumn.scores, [2.75 / 3, -0.5 / 3, 2.75 / 3, -0.5 / 3, -0.5 / 3, 2.75 / 3, -1, 9], atol: 1e-12)
        let ndjson = "{\"id\":1,\"group\":\"p\",\"logit\":1,\"site\":\"N\"}\n{\"id\":2,\"group\":\"q\",\"logit\":3,\"site\":\"N\"}\n{\"id\":3,\"group\":\"q\",\"logit\":5}\n"
        expectClose(try project(.conditionalParity, .init(conditionOn: ["site"]), try read(ndjson, .init(stratum: "site"))).scores, [2, 2, 5], atol: 1e-12)
        // Young=0: a, e against c, g. Young=1: b against d, f.
        let byFeature = try project(.conditionalParity, .init(conditionOn: ["Young"]), try read())
        let means = byFeature.after.means
        expectClose(means[0]!, means[2]!, atol: 1e-12)
        expectClose(means[1]!, means[3]!, atol: 1e-12)
        #expect(abs(means[0]! - means[1]!) > 0.5)
        #expect(throws: ScoreTableError.self) { try project(.conditionalParity, .init(conditionOn: ["Site"]), try read()) }
        #expect(throws: ScoreTableError.self) { try project(.conditionalParity, .init(conditionOn: ["Young", "Male"]), try read()) }
    }

    @Test func residualsTakeAnyNumbersAsLabels() throws {
        let table = try read("id,group,logit,label\n1,a,3,2.5\n2,a,4,-1e1\n3,b,0,\n4,b,1,7\n", .init(numericLabels: true))
        #expect(table.targets == [2.5, -10, nil, 7] && table.labels.allSatisfy { $0 == nil })
        let fair = try project(.equalizedResiduals, table, tolerance: 0.5)
        expectClose(fair.scores, [-3.75, -2.75, 0, 6.5], atol: 1e-12)
        #expect(throws: ScoreTableError.self) { try read("id,group,logit,label\n1,a,3,2.5\n") }
        #expect(throws: ScoreTableError.self) { try read("id,group,logit,label\n1,a,3,big\n", .init(numericLabels: true)) }
    }

    @Test func rowsGoByTheTablesNames() throws {
        let rows: [CriterionDetails.Row] = [
            .init(name: "a near d", means: ["Male=0,Young=0": 1, "Male=1,Young=1": -1], limit: 0.25),
            .init(name: "e stays low", scores: ["e": 1], limit: 0.5),
        ]
        let fair = try project(.custom, .init(rows: rows), try read())
        #expect(fair.scores[4] <= 0.5 + 1e-12 && fair.criterionGaps.before > 1 && fair.criterionGaps.after < 1e-12)
        expectClose((fair.scores[0] + fair.scores[4]) / 2 - (fair.scores[3] + fair.scores[5]) / 2, 0.25, atol: 1e-12)
        func message(_ rows: [CriterionDetails.Row], batchSize: Int? = nil) -> String {
            do {
                _ = try ScoreProjection(criterion: .custom, details: .init(rows: rows), batchSize: batchSize).project(try read(), source: "t.csv")
                return ""
            } catch { return "\(error)" }
        }
        #expect(message([.init(name: "r1", means: ["Male=2": 1], limit: 0)]).contains("row 'r1': the table has no group 'Male=2'; it has Male=0,Young=0; "))
        #expect(message([.init(name: "r2", scores: ["zz": 1], limit: 0)]).contains("row 'r2': the table has no row with id 'zz'"))
        #expect(message(rows, batchSize: 3).contains("'e stays low'"))
        let apart = rows + [.init(name: "d far below", means: ["Male=0,Young=0": -1, "Male=1,Young=1": 1], limit: -1)]
        #expect(message(apart).contains("a near d, d far below; loosen"))
    }

    @Test func boundsHoldForEveryRow() throws {
        let fair = try project(.demographicParity, .init(bounds: .init(lower: -1, upper: 1)), try read(), tolerance: 0.1)
        #expect(fair.scores.allSatisfy { (-1...1).contains($0) } && fair.after.gap <= 0.1 + 1e-12)
    }

    @Test(arguments: [
        ("{}", "an object"), ("[]", "no rows"), ("[1]", "row 1: is a number"), ("[{\"name\":\"n\",\"means\":{\"g\":1}}]", "row n: has no limit"),
        ("[{\"means\":{\"g\":1},\"limit\":\"2\"}]", "row 1: limit is a string"), ("[{\"means\":{\"g\":0},\"limit\":1}]", "no coefficient"),
        ("[{\"mean\":{\"g\":1},\"limit\":1}]", "'mean' is none of"), ("[{\"means\":{\"g\":null},\"limit\":1}]", "the coefficient of 'g'"),
        ("[{\"means\":[1],\"limit\":1}]", "means is an array"), ("[{\"name\":\"\",\"means\":{\"g\":1},\"limit\":1}]", "a name is a text"),
        ("[{\"name\":\"n\",\"means\":{\"g\":1},\"limit\":1},{\"name\":\"n\",\"means\":{\"g\":2},\"limit\":1}]", "two rows are called 'n'"), ("[", "JSON"),
    ])
    func badRowFilesAreNamed(_ text: String, _ part: String) {
        let error = #expect(throws: CriterionRowsError.self) { try CriterionDetails.Row.read(Array(text.utf8), source: "rows.json") }
        #expect(error?.description.hasPrefix("rows.json: ") == true && error?.description.contains(part) == true, "\(error?.description ?? "")")
    }

    @Test func detailsSurviveTextAndModelFile() throws {
        let rows: [CriterionDetails.Row] = [
            .init(name: "x \"y\"", means: ["Male=0": 1, "Male=1": -0.1], limit: 1e-3), .init(name: "2", means: ["Male=1": 2], scores: ["7": 1], limit: -3),
        ]
        #expect(try CriterionDetails.Row.read(Array(CriterionDetails.Row.write(rows).utf8), source: "s") == rows)
        let all = CriterionDetails(bounds: .init(lower: -2, upper: 3.5), conditionOn: ["Young"], rows: [rows[0]])
        #expect(CriterionDeclaration(all).details == all)
        #expect(CriterionDeclaration(CriterionDetails()).details == CriterionDetails())
    }

    @Test func anytimeHoldsItsBoundOnTables() throws {
        let settings = ScoreProjection(tolerance: 0.01, batchSize: 2, online: .init(.anytime, cap: 0.5, threshold: 0.7))
        let fair = try settings.project(try read(), source: "t.csv")
        guard case .anytime(let stream)? = fair.stream else {
            Issue.record("not an anytime stream")
            return
        }
        expectClose(stream.threshold, 0.8472978603872037, atol: 1e-12)  // log(0.7/0.3)
        expectClose(stream.pooledGap, fair.after.gap, atol: 1e-12)
        #expect(fair.after.gap <= stream.bound && fair.before.gap > 1)
    }
}
