// --criterion as a user meets it: tables, a trained model, and the refusal at inference.
import Foundation
import TestSupport
import Testing

@Suite(.serialized)
struct CriterionCommandTests {
    private let temporary: TemporaryFolder

    init() throws { temporary = try TemporaryFolder() }

    private func tool(_ arguments: String..., input: String = "") throws -> ToolResult {
        try runTool(arguments, input: Data(input.utf8), in: temporary.url)
    }

    private static let csv = "id,group,logit,label\n0,a,2,1\n1,a,0,0\n2,b,-1,1\n3,b,-3,0\n4,b,-2,0\n"

    @Test func tables() throws {
        let odds = try tool("project", "--criterion", "equalized-odds", "--epsilon", "0", "--format", "json", input: Self.csv)
        #expect(odds.status == 0, "\(odds.error)")
        let object = try #require(try JSONSerialization.jsonObject(with: odds.output) as? [String: Any])
        #expect(object["criterion"] as? String == "equalized-odds" && object["criterion_gap_before"] as? Double == 3)
        let (after, means) = (try #require(object["criterion_gap_after"] as? Double), try #require(object["gap_after"] as? Double))
        #expect(after < 1e-12 && means > 0.1)
        #expect(odds.error.contains("equalized-odds  before 3.000000  after 0.000000"))

        try Data(#"[{"name":"up","means":{"a":-1},"limit":-3},{"name":"down","means":{"a":1},"limit":-1},{"name":"other","means":{"b":1},"limit":9}]"#.utf8)
            .write(to: temporary.file("rows.json"))
        let apart = try tool("project", "--criterion", "custom", "--rows", "rows.json", input: Self.csv)
        #expect(apart.status == 65 && apart.error.contains("up, down") && !apart.error.contains("other") && apart.output.isEmpty)
        let inline = try tool("project", "--criterion", "custom", "--rows", #"[{"means":{"a":1,"b":-1},"limit":1}]"#, "--quiet", input: Self.csv)
        #expect(inline.status == 0 && inline.lines.count == 6, "\(inline.error)")
        #expect(try tool("project", "--criterion", "custom", "--rows", "none.json", input: Self.csv).status == 66)
        let bounded = try tool("project", "--bounds", "-1,1", "--epsilon", "0.5", "--quiet", input: Self.csv)
        #expect(bounded.status == 0 && bounded.lines.dropFirst().allSatisfy { abs(Double($0.split(separator: ",")[3])!) <= 1 }, "\(bounded.error)")

        for (flags, part) in [
            (["--criterion", "custom"], "needs a file of rows"), (["--criterion", "conditional-parity"], "--condition-on"),
            (["--bounds", "1,-1"], "lower first"), (["--criterion", "marginal-parity", "--bounds", "0,1"], "not solved"),
            (["--criterion", "equalized-odds", "--online", "anytime"], "leave --online out"), (["--rows", "[]"], "no rows"),
        ] {
            let result = try runTool(["project"] + flags, input: Data(Self.csv.utf8))
            #expect((result.status == 64 || part == "no rows") && result.error.contains(part), "\(flags): \(result.error)")
        }
        let unlabelled = try tool("project", "--criterion", "equal-opportunity", input: "id,group,logit\n0,a,1\n1,b,2\n")
        #expect(unlabelled.status == 65 && unlabelled.error.contains("column label"))
    }

    @Test func bothAlgorithmsStreamTables() throws {
        for name in ["primal-dual", "anytime"] {
            let result = try tool("project", "--online", name, "--batch-size", "2", "--format", "json", "--quiet", input: Self.csv)
            let object = try #require(try JSONSerialization.jsonObject(with: result.output) as? [String: Any])
            #expect(result.status == 0 && object["algorithm"] as? String == name && object["bound"] is Double, "\(result.error)")
        }
    }

    /// A model trained for equalized odds knows it, is evaluated by it, and cannot answer faces without labels by it.
    @Test func trainedForOdds() throws {
        try #require(try tool("data", "synthesize", "datasets/celeba", "--count", "120", "--seed", "3").status == 0)
        let trained = try tool(
            "train", "celeba", "--criterion", "equalized-odds", "--bounds", "-3,3", "--img-size", "16", "--epochs", "1", "--batch-size", "32",
            "--lr", "1e-3", "--quiet", "--output", "run")
        #expect(trained.status == 0, "\(trained.error)")
        let evaluated = try tool("evaluate", "run", "celeba", "--split", "train", "--format", "json", "--max-gap", "0.002")
        #expect(evaluated.status == 0, "\(evaluated.error)")
        let report = try #require(try JSONSerialization.jsonObject(with: evaluated.output) as? [String: Any])
        let projected = try #require(report["projected"] as? [String: Any])
        let gap = try #require(projected["criterion_gap"] as? Double)
        #expect(report["criterion"] as? String == "equalized-odds" && gap <= 0.001 + 1e-9)
        let other = try tool("evaluate", "run", "celeba", "--criterion", "demographic-parity", "--split", "train", "--format", "json")
        let parity = try #require(try JSONSerialization.jsonObject(with: other.output) as? [String: Any])
        #expect(parity["criterion"] as? String == "demographic-parity")

        let record = "{\"id\":1,\"image\":\"datasets/celeba/img_align_celeba/000001.jpg\",\"group\":\"Male=0,Young=1\"}\n"
        let refused = try tool("infer", "run", "--stream", input: record)
        #expect(refused.status == 65 && refused.error.contains("no label is known") && refused.output.isEmpty, "\(refused.error)")
        let bounded = try tool("infer", "run", "--stream", "--criterion", "demographic-parity", input: record)
        #expect(bounded.status == 0 && bounded.lines.count == 1, "\(bounded.error)")

        let configuration = try String(contentsOf: temporary.file("run/config.yaml"), encoding: .utf8)
        #expect(configuration.contains("criterion: equalized-odds") && configuration.contains("bounds: ") && configuration.contains("-3.0,3.0"))
        let resumed = try tool("train", "celeba", "--config", "run/config.yaml", "--resume", "run", "--quiet")
        #expect(resumed.status == 0, "\(resumed.error)")
        let residuals = try tool("train", "celeba", "--criterion", "equalized-residuals", "--dry-run")
        #expect(residuals.status == 64 && residuals.error.contains("facefair project"))
    }
}
