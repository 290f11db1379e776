// Tables of anybody's predictions: which column is what, features out of group names, labels by id, and what is refused.
import Fairness
import Foundation
import Inference
import TestSupport
import Testing

private func read(_ text: String, _ columns: PredictionColumns = .init(), source: String = "t.csv") throws -> PredictionTable {
    try PredictionTable.read(Array(text.utf8), source: source, columns: columns)
}

private func refusal(_ text: String, _ columns: PredictionColumns = .init(), source: String = "t.csv") -> String {
    do {
        let table = try read(text, columns, source: source)
        return "accepted \(table.count) rows"
    } catch { return "\(error)" }
}

struct PredictionTableTests {
    @Test func usualNamesAreFound() throws {
        let table = try read("id,group,logit_raw,logit,score,decision,label\na,x,1,0.5,0.6,1,1\nb,y,-1,-0.5,0.4,0,\n")
        #expect(table.ids == ["a", "b"] && table.logits == [0.5, -0.5] && table.rawLogits == [1, -1])
        #expect(table.decisions == [1, 0] && table.labels == [1, nil] && table.probabilities == nil)
        #expect(table.columns.groupBy == ["group"] && table.columns.label == "label" && table.columns.score == nil)
        let scikit = try read("y_true,y_pred,y_prob,sex,age\n1,1,0.9,f,30\n0,1,1,m,5\n", .init(groupBy: ["sex", "age"]))
        #expect(scikit.probabilities == [0.9, 1] && scikit.decisions == [1, 1] && scikit.labels == [1, 0] && scikit.ids == ["1", "2"])
        #expect(scikit.features.map(\.values) == [["f", "m"], ["5", "30"]], "numbers by size, words by letter")
    }

    @Test func namedColumnsAreMeant() throws {
        let text = "id,group,logit,score,s2,label\na,x,1,0.7,0.2,1\n"
        #expect(try read(text, .init(score: "s2")).logits == nil)
        #expect(try read(text, .init(score: "s2")).probabilities == [0.2])
        #expect(try read(text, .init(logit: "s2")).logits == [0.2])
        // A column that is named for one thing is not taken for another.
        let decided = try read("group,score,y\nx,1,0\n", .init(decision: "score", label: "y"))
        #expect(decided.decisions == [1] && decided.probabilities == nil && decided.labels == [0])
    }

    @Test func groupNamesAreTakenApart() throws {
        let text = "group,logit\n\"Male=1,Young=0\",1\n\"Male=0,Young=1\",2\n,3\n\"Male=0,Young=0\",4\n"
        let table = try read(text)
        #expect(table.features.map(\.name) == ["Male", "Young"] && table.features[0].rows == [1, 0, nil, 0])
        let (features, groups) = table.grouping(["Male", "Young"])
        #expect(features.groupCount == 4 && groups == [2, 1, unknownGroup, 0])
        #expect(try read(text, .init(groupBy: ["Young"])).grouping(["Young"]).groups == [0, 1, unknownGroup, 0])
        // Not all of one form: names as they are.
        let plain = try read("group,logit\na=1,1\nb,2\n")
        #expect(plain.features.count == 1 && plain.features[0].values == ["a=1", "b"])
    }

    @Test func answersOfAStreamAreRead() throws {
        func fairness(_ lambda: Double, _ updates: Int) -> String {
            "{\"criterion\":\"demographic-parity\",\"epsilon\":0.01,\"algorithm\":\"primal-dual\",\"regime\":\"primal_dual\",\"lambda\":\(lambda),"
                + "\"batch_n\":2,\"batch_gap\":0.5,\"average_gap\":0.4,\"bound\":0.9,\"pooled_gap\":0.3,\"updates\":\(updates)}"
        }
        let lines = [
            "{\"v\":1,\"seq\":0,\"id\":\"a\",\"status\":\"ok\",\"logit\":1.5,\"logit_raw\":1,\"score\":0.8,\"decision\":1,\"threshold\":0.25,\"group\":\"M=0\",\"fairness\":\(fairness(0, 1))}",
            "{\"v\":1,\"seq\":1,\"id\":7,\"status\":\"ok\",\"logit\":-1,\"logit_raw\":-2,\"score\":0.2,\"decision\":0,\"threshold\":0.25,\"group\":null,\"fairness\":\(fairness(0, 1))}",
            "{\"v\":1,\"seq\":2,\"id\":\"c\",\"status\":\"error\",\"error\":{\"code\":\"image_missing\",\"message\":\"\",\"retryable\":false}}",
            "", "{\"v\":1,\"seq\":3,\"id\":\"d\",\"status\":\"ok\",\"logit\":0,\"logit_raw\":2,\"score\":0.5,\"decision\":1,\"threshold\":0.25,\"group\":{\"M\":1},\"fairness\":\(fairness(2.5, 2))}",
        ]
        var table = try read(lines.joined(separator: "\n"), source: "answers.ndjson")
        #expect(table.ids == ["a", "7", "d"] && table.failedRecords == 1 && table.threshold == 0.25)
        #expect(table.features.map(\.name) == ["M"] && table.features[0].rows == [0, nil, 1])
        let trace = try #require(table.stream)
        #expect(trace.batches == 2 && trace.records == 3 && trace.epsilon == 0.01 && trace.largestMultiplier == 2.5)
        #expect(trace.points.map(\.records) == [2, 3] && trace.points.map(\.multiplier) == [0, 2.5] && trace.regimes == ["primal_dual": 2])
        let labels = try PredictionTable.read(
            Array("{\"id\":\"d\",\"label\":true,\"image\":\"x\"}\n{\"id\":\"a\",\"label\":0}\n".utf8), source: "in.ndjson", needsGroups: false)
        #expect(try table.takeLabels(from: labels, source: "in.ndjson") == 1)
        #expect(table.labels == [0, nil, 1])
    }

    @Test func aLongStreamKeepsAFewPoints() throws {
        let lines = (0..<1000).map { i in
            "{\"id\":\(i),\"status\":\"ok\",\"logit\":1,\"group\":\"a\",\"fairness\":{\"algorithm\":\"anytime\",\"regime\":\"anytime\",\"batch_n\":1,\"bound\":\(1000 - i)}}"
        }
        let trace = try #require(try read(lines.joined(separator: "\n"), source: "x").stream)
        #expect(trace.points.count == StreamTrace.pointLimit && trace.batches == 1000)
        #expect(trace.points.last?.records == 1000 && trace.points.last?.bound == 1 && trace.points.last?.multiplier == nil)
        #expect(zip(trace.points, trace.points.dropFirst()).allSatisfy { $0.records < $1.records })
    }

    @Test func theLayerIsAppliedToRawLogits() throws {
        var table = try read("group,logit,decision\na,1,1\na,3,1\nb,0,0\nb,0,0\n,9,1\n")
        try table.project(tolerance: 0, source: "t.csv")
        #expect(table.rawLogits == [1, 3, 0, 0, 9] && table.decisions == nil && table.projectedTolerance == 0)
        expectClose(table.logits!, [0, 2, 1, 1, 9], atol: 1e-12)
        #expect(throws: ScoreTableError.self) { try table.project(tolerance: 0, source: "t.csv") }
        var bare = try read("group,decision\na,1\n")
        #expect(throws: ScoreTableError.self) { try bare.project(tolerance: 0, source: "t.csv") }
    }

    @Test(arguments: [
        ("", "is empty"), ("id,group,logit\n", "no rows"), ("group,x\na,1\n", "--logit"), ("logit,x\n1,2\n", "--group-by"),
        ("group,logit\na,\n", "line 2, column logit: is empty"), ("group,logit\na,1\nb,nan\n", "line 3"), ("group,score\na,1.5\n", "--logit score"),
        ("group,decision\na,2\n", "0 or 1"), ("group,decision,label\na,1,yes\n", "is no label"), ("group,logit\na,1,2\n", "has 3 fields"),
        ("group,logit,logit\na,1,2\n", "twice"), ("group,decision\na,\n", "every row needs 0 or 1"),
    ]) func badTablesAreRefusedByLine(text: String, part: String) {
        #expect(refusal(text).contains(part), "\(refusal(text))")
    }

    @Test func namesThatAreNotThere() {
        #expect(refusal("group,logit\na,1\n", .init(label: "truht")).contains("--label is not there"))
        #expect(refusal("group,logit,truth\na,1,1\n", .init(label: "truht")).contains("did you mean 'truth'"))
        #expect(refusal("sex,logit\na,1\n", .init(groupBy: ["sxe"])).contains("did you mean 'sex'"))
        #expect(refusal("group,logit\nM=1,1\n", .init(groupBy: ["F"])).contains("features: M"))
        let ids = "id,logit\n" + (0..<300).map { "i\($0),1" }.joined(separator: "\n")
        #expect(refusal(ids, .init(groupBy: ["id"])).contains("id has 300 values"))
        #expect(refusal("[1]", source: "x.ndjson").contains("expected one object per line"))
    }

    @Test func labelsThatStandTwiceAreRefused() throws {
        var table = try read("id,group,logit\na,x,1\n")
        let other = try PredictionTable.read(Array("id,label\na,1\na,0\n".utf8), source: "l.csv", needsGroups: false)
        #expect(throws: ScoreTableError.self) { try table.takeLabels(from: other, source: "l.csv") }
        #expect(throws: ScoreTableError.self) { try PredictionTable.read(Array("id,x\na,1\n".utf8), source: "l.csv", needsGroups: false) }
    }
}
