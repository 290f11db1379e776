// facefair audit as a user runs it: forms of output, gates and exit codes, and what it says about bad input.
import Foundation
import Inference
import TestSupport
import Testing

@Suite struct AuditCommandTests {
    /// 3 groups of 60: c has no positives; the layer's logits beside the raw ones.
    static let csv: String = {
        var text = "id,group,logit_raw,logit,label\n"
        for row in 0..<180 {
            let k = row % 3, label = k == 2 ? 0 : row / 3 % 2
            let raw = (label == 1 ? 1.5 : -1.5) + Double(row % 11) / 4 + Double(k)
            text += "r\(row),\(["a", "b", "c"][k]),\(raw),\(raw - Double(k)),\(label)\n"
        }
        return text + "x,,0.25,0.25,1\n"
    }()

    private func audit(_ arguments: [String], _ input: String = csv) throws -> ToolResult {
        try runTool(["audit", "--bootstrap", "500"] + arguments, input: Data(input.utf8))
    }

    @Test func tablesForPeople() throws {
        let result = try audit(["--epsilon", "0.1"])
        #expect(result.status == 0)
        for part in [
            "181 rows, 181 with labels", "mean logits (scores)", "selection rate (demographic parity)", "TPR, FPR (equalized odds)",
            "group=c: no positive samples", "fail", "roc_auc", "unknown", "decisions are changed by the layer",
        ] { #expect(result.text.contains(part), "\(part) in \(result.text)") }
        #expect(result.error.contains("groups from group; log-odds from logit; log-odds before the layer from logit_raw"))
        #expect(try audit(["--quiet"]).error.isEmpty)
    }

    @Test func jsonReadsBackAndRepeats() throws {
        let result = try audit(["--format", "json", "--quiet"])
        let document = try AuditDocument.read([UInt8](result.output), source: "stdout")
        #expect(document.main.groups == ["group=a", "group=b", "group=c"] && document.source.file == "standard input")
        #expect(document.command.arguments.prefix(2) == ["facefair", "audit"])
        #expect(result.text.contains(#""reason":"no positive samples","value":null"#))
        #expect(try audit(["--format", "json", "--quiet"]).output == result.output)
    }

    @Test func csvHasOneRowPerFigure() throws {
        let result = try audit(["--format", "csv", "--quiet"])
        #expect(result.lines[0] == "features,state,group,metric,value,lower,upper,p_value,tolerance,verdict,reason")
        let rows = result.lines.dropFirst().map { $0.split(separator: ",", omittingEmptySubsequences: false) }
        #expect(rows.allSatisfy { $0.count == 11 })
        let undefined = try #require(rows.first { $0[1] == "after" && $0[2] == "group=c" && $0[3] == "true_positive_rate" })
        #expect(undefined[4].isEmpty && undefined[10] == "no positive samples")
        #expect(rows.contains { $0[2] == "(unknown)" && $0[3] == "count" && $0[4] == "1.0" })
    }

    @Test func gatesExitWith3() throws {
        #expect(try audit(["--max-gap", "5"]).status == 0)
        let failed = try audit(["--max-gap", "0.001", "--max-gap", "demographic-parity=0.9", "--min-accuracy", "0.999"])
        #expect(failed.status == 3 && failed.error.contains("gate failed: mean logit gap") && failed.error.contains("accuracy"))
        #expect(!failed.error.contains("demographic parity difference"), "a gate that passed is no failure")
        #expect(failed.text.contains("gate FAILED") && failed.text.contains("gate passed"))
        #expect(try audit(["--max-gap", "demographic-parity=0.9"]).status == 0)
        #expect(try audit(["--max-gap", "demographic-parity=0.1", "--gate-on", "verdict"]).status == 3)
        #expect(try audit(["--min-accuracy", "0.3"]).status == 0)
    }

    @Test func theLayerCanBeApplied() throws {
        let raw = Self.csv.split(separator: "\n").map { line -> String in
            let f = line.split(separator: ",", omittingEmptySubsequences: false)
            return "\(f[0]),\(f[1]),\(f[2] == "logit_raw" ? "logit" : f[2]),\(f[4])"
        }.joined(separator: "\n")
        let result = try audit(["--project", "0.01", "--max-gap", "0.01", "--format", "json", "--quiet"], raw)
        #expect(result.status == 0, "\(result.error)")
        let document = try AuditDocument.read([UInt8](result.output), source: "stdout")
        expectClose(document.main.after[.meanLogitGap].value.value!, 0.01, atol: 1e-9)
        #expect(document.main.before![.meanLogitGap].value.value! > 0.9)
        #expect(document.settings.projected == 0.01 && document.settings.epsilon == 0.01 && document.flips != nil)
        #expect(try audit(["--project", "0.01"]).status == 65)
    }

    @Test func outputAppearsInOneStep() throws {
        let folder = try TemporaryFolder()
        let target = folder.file("audit.json")
        #expect(try audit(["--format", "json", "-o", target.path]).output.isEmpty)
        #expect(try AuditDocument.read([UInt8](Data(contentsOf: target)), source: "audit.json").source.rows == 181)
        let before = try Data(contentsOf: target)
        #expect(try audit(["-o", target.path], "group,logit\na,x\n").status == 65)
        #expect(try Data(contentsOf: target) == before)
        #expect(try audit(["-o", folder.file("none/audit.json").path]).status == 73)
    }

    @Test(arguments: [
        (["--confidence", "2"], 64, "--confidence"), (["--threshold", "1.5"], 64, "--threshold"), (["--max-gap", "tpr=0.1"], 64, "max-gap"),
        (["--max-gap", "0.1", "--max-gap", "mean-logit=0.2"], 64, "twice"), (["--bootstrap", "5"], 64, "--bootstrap"),
        (["--group-by", "a,a"], 64, "--group-by"), (["--group-by", "Male"], 65, "Male"), (["--label", "truth"], 65, "truth"),
        (["--label", "label", "--labels-from", "x"], 64, "exclude"), (["/nowhere/x.csv"], 66, "no such file"), (["--labels-from", "/nowhere/l.csv"], 66, "no such file"),
    ]) func badFlagsAndFiles(arguments: [String], status: Int, part: String) throws {
        let result = try runTool(["audit"] + arguments, input: Data(Self.csv.utf8))
        #expect(result.status == Int32(status) && result.error.contains(part), "\(result.status) \(result.error)")
        #expect(result.output.isEmpty)
    }

    @Test func predictionsOfTheProjectCommand() throws {
        let folder = try TemporaryFolder()
        let source = try folder.write("id,group,logit,label\na,x,2,1\nb,x,-1,0\nc,y,0.5,1\nd,y,-3,0\n", to: "scores.csv")
        let fair = folder.file("fair.csv")
        #expect(try runTool(["project", "--quiet", "--epsilon", "0.1", source.path, "-o", fair.path]).status == 0)
        let result = try audit([fair.path, "--labels-from", source.path, "--format", "json", "--epsilon", "0.1"], "")
        let document = try AuditDocument.read([UInt8](result.output), source: "stdout")
        #expect(document.source.labelled == 4 && document.source.unmatched == 0 && document.source.columns.rawLogit == "logit_raw")
        expectClose(document.main.after[.meanLogitGap].value.value!, 0.1, atol: 1e-9)
    }
}
