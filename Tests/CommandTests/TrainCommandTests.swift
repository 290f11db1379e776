// The main job through the executable: synthesize, train, evaluate, stream, compare; and the errors of the first day.
import FaceData
import Foundation
import TestSupport
import Testing

private struct Evaluation: Decodable {
    struct Scores: Decodable {
        let accuracy: Double?, mean_logit_gap: Double?, demographic_parity_difference: Double?
    }
    struct Group: Decodable { let group: String }
    let samples: Int, bad_images: Int
    let synthetic: Bool
    let epsilon: Double
    let raw: Scores, projected: Scores
    let groups: [Group]
}

@Suite(.serialized)
struct TrainCommandTests {
    private let temporary: TemporaryFolder

    init() throws { temporary = try TemporaryFolder() }

    private static let small = [
        "--img-size", "16", "--epochs", "2", "--batch-size", "32", "--batch-threshold", "16", "--lr", "1e-3", "--backbone-lr",
        "1e-3", "--quiet",
    ]

    private func tool(_ arguments: String..., input: String = "") throws -> ToolResult {
        try runTool(arguments, input: Data(input.utf8), in: temporary.url)
    }

    private func synthesize(_ layout: String, count: Int = 160) throws {
        let result = try tool("data", "synthesize", "datasets/\(layout)", "--layout", layout, "--count", "\(count)", "--seed", "3")
        try #require(result.status == 0, "\(result.error)")
    }

    @Test func trainEvaluateStream() throws {
        try synthesize("celeba")
        let trained = try runTool(["train", "celeba", "--format", "json"] + Self.small, in: temporary.url)
        #expect(trained.status == 0, "\(trained.error)")
        #expect(trained.text.contains("\"status\":\"finished\"") && trained.text.contains("\"epochs\":2"))
        let run = "runs/celeba-fairness-layer-seed0"
        for file in ["best.safetensors", "last.safetensors", "history.csv", "run.json"] {
            #expect(FileManager.default.fileExists(atPath: temporary.file("\(run)/\(file)").path), "\(file)")
        }

        let evaluated = try tool("evaluate", run, "celeba", "--format", "json", "--output", "scores.csv")
        #expect(evaluated.status == 0, "\(evaluated.error)")
        let report = try JSONDecoder().decode(Evaluation.self, from: evaluated.output)
        let testCount = try CelebA.load(root: temporary.file("datasets/celeba")).samples(.test).count
        #expect(report.samples == testCount && report.bad_images == 0 && report.synthetic && report.groups.count == 4)
        #expect(try #require(report.projected.mean_logit_gap) <= report.epsilon + 1e-6)
        #expect(report.raw.accuracy != nil && report.raw.demographic_parity_difference != nil)

        // The scores it wrote, projected by the other command, reach the same gap.
        let projected = try tool("project", "scores.csv", "--epsilon", "0.001")
        #expect(projected.status == 0 && projected.lines.count == testCount + 1, "\(projected.error)")

        let gate = try tool("evaluate", run, "celeba", "--min-accuracy", "1.01")
        #expect(gate.status == 3 && gate.error.contains("--min-accuracy"))

        let records = try tool("data", "records", "celeba")
        #expect(records.status == 0 && records.lines.count == testCount)
        let streamed = try tool("infer", "--stream", "--batch-size", "8", input: records.text)
        #expect(streamed.status == 0 && streamed.lines.count == testCount, "\(streamed.error)")
        #expect(streamed.error.contains(run))  // it says which model it took
    }

    @Test func resumeAndOverwriting() throws {
        try synthesize("celeba")
        let arguments = ["train", "celeba", "--output", "run"] + Self.small
        let longer = arguments.map { $0 == "2" ? "3" : $0 }
        #expect(try runTool(arguments, in: temporary.url).status == 0)
        let refused = try runTool(arguments, in: temporary.url)
        #expect(refused.status == 73 && refused.error.contains("--resume auto"))
        let resumed = try runTool(longer + ["--resume", "auto"], in: temporary.url)
        #expect(resumed.status == 0 && resumed.text.contains("after 3 epochs"), "\(resumed.error)")
    }

    @Test func fairFaceHasFourteenGroupsOrTwo() throws {
        try synthesize("fairface", count: 200)
        for (groupBy, count) in [("gender,race", 14), ("gender", 2)] {
            let name = "run-\(count)"
            let trained = try runTool(
                ["train", "fairface", "--group-by", groupBy, "--output", name] + Self.small, in: temporary.url)
            #expect(trained.status == 0, "\(trained.error)")
            let evaluated = try tool("evaluate", name, "fairface", "--format", "json")
            #expect(try JSONDecoder().decode(Evaluation.self, from: evaluated.output).groups.count == count)
        }
    }

    @Test func aComparisonReusesFinishedRuns() throws {
        try synthesize("celeba")
        let arguments = ["experiment", "celeba", "--methods", "none,fairness-layer", "--stream-batch", "8", "--seeds", "1,2", "--output", "grid"] + Self.small
        let first = try runTool(arguments, in: temporary.url)
        #expect(first.status == 0, "\(first.error)")
        for row in ["unconstrained", "projection", "fairness-layer", "streamed", "SYNTHETIC"] { #expect(first.text.contains(row)) }
        let date = try FileManager.default.attributesOfItem(atPath: temporary.file("grid/none-seed1/best.safetensors").path)[.modificationDate] as? Date
        let second = try runTool(arguments, in: temporary.url)
        #expect(second.text == first.text)
        #expect(try FileManager.default.attributesOfItem(atPath: temporary.file("grid/none-seed1/best.safetensors").path)[.modificationDate] as? Date == date)
    }

    @Test func missingDataSaysHowToObtainIt() throws {
        for name in ["celeba", "fairface"] {
            let result = try tool("train", name)
            #expect(result.status == 66 && result.output.isEmpty)
            for hint in ["https://", "Licence", "facefair data synthesize", "datasets/\(name)"] {
                #expect(result.error.contains(hint), "\(hint): \(result.error)")
            }
        }
        #expect(try tool("evaluate", "nowhere", "celeba").status == 66)
        #expect(try tool("infer", "--stream").status == 66)
    }

    @Test func usageErrorsExit64() throws {
        try synthesize("celeba", count: 20)
        for arguments in [
            ["train", "celeba", "--epsilon", "-1"], ["train", "celeba", "--target", "Smilling"], ["train", "celeba", "--img-size", "8"],
            ["train", "celeba", "--method", "magic"], ["train", "celeba", "--group-by", "Smiling"], ["data", "synthesize", "x", "--count", "0"],
            ["bench", "--batch-size", "0"], ["experiment", "celeba", "--seeds", "a"], ["nonsense"],
        ] {
            let result = try runTool(arguments, in: temporary.url)
            #expect(result.status == 64, "\(arguments): \(result.status) \(result.error)")
        }
        #expect(try tool("train", "celeba", "--target", "Smilling").error.contains("Smiling"))
    }

    @Test(.enabled(if: sharedData != nil, "needs the developers' data folder ../shared/data, which this checkout does not have"))
    func aLabelFileDamagedByASpreadsheetIsRefused() throws {
        let labels = sharedData!.appendingPathComponent("labels")
        let folder = temporary.file("damaged")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        try FileManager.default.copyItem(
            at: labels.appendingPathComponent("fairface_label_train.excel_mangled_crlf.csv"), to: folder.appendingPathComponent("fairface_label_train.csv"))
        try FileManager.default.copyItem(
            at: labels.appendingPathComponent("fairface_label_val.csv"), to: folder.appendingPathComponent("fairface_label_val.csv"))
        let result = try tool("train", "fairface", "--data", "damaged")
        #expect(result.status == 65)
        for hint in ["fairface_label_train.csv", "4", "9-Mar", "3-9", "spreadsheet"] { #expect(result.error.contains(hint), "\(result.error)") }
    }

    @Test func benchPrintsItsKeys() throws {
        let result = try tool(
            "bench", "--img-size", "16", "--batch-size", "8", "--threads", "1", "--repeats", "1", "--infer-batch-sizes", "1,3",
            "--layers", "--epoch", "--epoch-steps", "2", "--format", "json")
        #expect(result.status == 0, "\(result.error)")
        let object = try #require(JSONSerialization.jsonObject(with: result.output) as? [String: Any])
        for key in [
            "train_images_per_second", "infer_images_per_second", "gemm_gflops", "train_gemm_share", "infer_gemm_share",
            "peak_memory_mb", "infer_peak_memory_mb",
        ] {
            #expect((object[key] as? Double).map { $0 > 0 } ?? false, "\(key)")
        }
        #expect(["generic", "avx2", "avx512"].contains(object["isa"] as? String))
        let latencies = try #require(object["latencies"] as? [[String: Any]])
        #expect(latencies.map { $0["batch_size"] as? Int } == [1, 3])
        let layers = try #require(object["layers"] as? [[String: Any]])
        for pass in ["forward", "backward", "infer"] {
            let rows = layers.filter { $0["pass"] as? String == pass && $0["gflops"] != nil }
            #expect(rows.count >= 5 && rows.allSatisfy { ($0["gemm_share"] as? Double ?? 0) > 0 }, "\(pass): \(rows)")
        }
        let epoch = try #require(object["epoch"] as? [String: Any])
        #expect((epoch["images"] as? Int ?? 0) >= 16 && (epoch["ratio"] as? Double ?? 0) > 0)
        #expect(try tool("bench", "--infer-batch-sizes", "1,x").status == 64)
    }

    @Test func helpAndVersion() throws {
        #expect(try tool("--version").text == "facefair 0.1.0\n")
        let help = try tool("--help")
        #expect(help.status == 0)
        for command in ["train", "evaluate", "infer", "project", "experiment", "data", "bench"] { #expect(help.text.contains("  \(command)")) }
    }
}
