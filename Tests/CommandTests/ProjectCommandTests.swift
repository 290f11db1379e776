// facefair project as a user runs it: files and pipes, forms of output, exit codes and what errors say.
import Foundation
import TestSupport
import Testing

@Suite struct ProjectCommandTests {
    private static let csv = """
        id,group,logit,label
        r0,a,0.2,1
        r1,a,1.4,1
        r2,a,-0.6,0
        r3,b,2,1
        r4,b,0.8,0
        r5,c,-1.5,0
        r6,c,-0.3,1
        r7,c,0.6,1
        r8,c,-2,0
        r9,d,1.1,1
        r10,,5,1

        """

    private func project(_ arguments: [String], _ input: String = csv) throws -> ToolResult {
        try runTool(["project"] + arguments, input: Data(input.utf8))
    }

    @Test func csvInCsvOut() throws {
        let result = try project(["--epsilon", "0.5"])
        #expect(result.status == 0)
        #expect(result.lines[0] == "id,group,logit_raw,logit,score,decision")
        let rows = result.lines.dropFirst().map { $0.split(separator: ",", omittingEmptySubsequences: false).map(String.init) }
        #expect(rows.map { $0[0] } == (0...10).map { "r\($0)" })
        expectClose(rows.map { Double($0[2])! }, [0.2, 1.4, -0.6, 2, 0.8, -1.5, -0.3, 0.6, -2, 1.1, 5])
        let b = -1.0142857142857142, c = 0.6857142857142857, d = -0.7142857142857143
        expectClose(
            rows.map { Double($0[3])! }, [0.2, 1.4, -0.6, 2 + b, 0.8 + b, -1.5 + c, -0.3 + c, 0.6 + c, -2 + c, 1.1 + d, 5], atol: 1e-9, "fair logits")
        for row in rows {
            expectClose(Double(row[4])!, 1 / (1 + exp(-Double(row[3])!)), atol: 1e-15)
            #expect(row[5] == (Double(row[4])! >= 0.5 ? "1" : "0"))
        }
        for part in ["11 rows, 4 groups, 1 rows of unknown group", "before 2.200000  after 0.500000", "accuracy"] {
            #expect(result.error.contains(part), "\(result.error)")
        }
    }

    @Test func everyInputFormGivesTheSameRows() throws {
        let folder = try TemporaryFolder()
        let file = try folder.write(Self.csv, to: "s.csv").path
        let direct = try project([file, "--quiet"], "")
        #expect(direct.error.isEmpty)
        #expect(try project(["-", "--quiet"]).output == direct.output)
        let shuffled = Self.csv.split(separator: "\n").map { line -> String in
            let f = line.split(separator: ",", omittingEmptySubsequences: false)
            return "\(f[2]),x,\(f[0]),\(f[1])"
        }.joined(separator: "\r\n")
        let other = try project([], shuffled)
        #expect(other.output == direct.output && other.error.contains("ignored: x"))
        let ndjson = try project(["--format", "ndjson", file], "")
        #expect(ndjson.lines[10].hasPrefix(#"{"id":"r10","group":null,"logit_raw":5.0,"logit":5.0,"score":"#))
        let target = folder.file("out.csv").path
        #expect(try project([file, "-o", target], "").output.isEmpty)
        #expect(try Data(contentsOf: URL(fileURLWithPath: target)) == direct.output)
        #expect(try FileManager.default.contentsOfDirectory(atPath: folder.url.path).sorted() == ["out.csv", "s.csv"])
    }

    @Test func ndjsonInNdjsonOut() throws {
        let result = try project(["--epsilon", "0"], #"{"id":1,"group":{"Male":1},"logit":1}"# + "\n" + #"{"id":"b","group":"Male=0","logit":-1}"# + "\n")
        #expect(
            result.lines == [
                #"{"id":1,"group":"Male=1","logit_raw":1.0,"logit":0.0,"score":0.5,"decision":1}"#,
                #"{"id":"b","group":"Male=0","logit_raw":-1.0,"logit":0.0,"score":0.5,"decision":1}"#,
            ])
    }

    @Test func jsonIsOneObject() throws {
        let result = try project(["--format", "json", "--batch-size", "4", "--online", "primal-dual", "--batch-threshold", "4", "--pair-penalty", "sum"])
        let object = try #require(try JSONSerialization.jsonObject(with: result.output) as? [String: Any])
        #expect(
            Set(object.keys) == [
                "criterion", "epsilon", "algorithm", "batch_size", "threshold", "row_count", "unknown_rows", "batches", "gap_before", "gap_after",
                "criterion_gap_before", "criterion_gap_after",
                "largest_batch_gap", "groups", "labelled_rows", "accuracy_before", "accuracy_after", "lambda", "average_gap", "bound", "projection_ms", "rows",
            ])
        #expect(object["algorithm"] as? String == "primal-dual" && object["batches"] as? Int == 3 && (object["rows"] as? [Any])?.count == 11)
        #expect((object["average_gap"] as! Double) <= (object["bound"] as! Double) + 1e-12)
    }

    @Test func tenThousandRowsSayHowLongTheyTook() throws {
        var text = "id,group,logit\n"
        var state: UInt64 = 1
        for row in 0..<10_000 {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            text += "\(row),g\(state >> 33 % 14),\(Double(state >> 40) / 4e6 - 2)\n"
        }
        let result = try project(["--format", "json", "--quiet"], text)
        let object = try #require(try JSONSerialization.jsonObject(with: result.output) as? [String: Any])
        #expect(object["projection_ms"] is Double)  // its size is a matter of the machine
        #expect((object["gap_after"] as! Double) <= 1e-3 + 1e-9)
    }

    @Test(arguments: [
        ("id,group,logit\n1,a,x\n", "line 2, column logit: \"x\" is not a number"),
        ("id,group,logit\n1,a,NaN\n", "line 2, column logit: \"NaN\" is not a finite number"),
        ("id,group,logit\n1,a\n", "line 2: has 2 fields"),
        ("id,group\n1,a\n", "no column logit"),
        ("", "is empty"),
        ("id,group,logit,label\n1,a,1,7\n", "line 2, column label"),
        ("{\"id\":1,\"group\":\"a\",\"logit\":1}\n{\"id\":2,\"group\":\"a\",\"logit\":1e999}\n", "line 2: is not valid JSON"),
    ])
    func badTablesExit65AndWriteNothing(_ text: String, _ message: String) throws {
        let folder = try TemporaryFolder()
        let file = try folder.write(text, to: "bad.csv")
        let target = folder.file("out.csv").path
        let result = try project([file.path, "-o", target], "")
        #expect(result.status == 65 && result.output.isEmpty)
        #expect(result.error.hasPrefix("facefair: error: \(file.path)") && result.error.contains(message), "\(result.error)")
        #expect(!FileManager.default.fileExists(atPath: target))
    }

    @Test func exitCodes() throws {
        #expect(try project(["/no/such.csv"]).status == 66)
        #expect(try project(["/"]).status == 66)
        for flags in [
            ["--epsilon=-1"], ["--epsilon", "nan"], ["--epsilon", "x"], ["--batch-size", "0"], ["--criterion", "x"], ["--threshold", "1"], ["--eta0", "0"],
            ["--online", "x"], ["--format", "xml"], ["--batch-threshold", "0"], ["--nonsense"],
        ] { #expect(try project(flags).status == 64, "\(flags)") }
        #expect(try project(["-o", "/no/such/folder/x"]).status == 73)
        #expect(try project(["--input-format", "ndjson"]).status == 65)
    }
}
