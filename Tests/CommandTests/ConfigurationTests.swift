// Flags from a file and from the environment, in their order of precedence; and the two flags that only look.
import Foundation
import TestSupport
import Testing

@Suite(.serialized)
struct ConfigurationTests {
    private let temporary: TemporaryFolder

    init() throws {
        temporary = try TemporaryFolder()
        let made = try runTool(["data", "synthesize", "faces", "--layout", "celeba", "--count", "120", "--seed", "3", "--quiet"], in: temporary.url)
        try #require(made.status == 0, "\(made.error)")
    }

    private func tool(_ arguments: String..., environment: [String: String] = [:]) throws -> ToolResult {
        try runTool(arguments, in: temporary.url, environment: environment)
    }

    private func file(_ name: String, _ text: String) throws { try Data(text.utf8).write(to: temporary.file(name)) }

    private func setting(_ name: String, in result: ToolResult) -> String? {
        result.lines.first { $0.hasPrefix(name + ": ") }.map { String($0.dropFirst(name.count + 2)) }
    }

    @Test func flagBeatsEnvironmentBeatsFile() throws {
        try file("c.yaml", "data: faces\nimg_size: 24\nepochs: 3\nbatch-size: 16\ngroup-by: [Male, Young]\nquiet: true\n")
        let result = try tool(
            "train", "celeba", "-c", "c.yaml", "--batch-size", "8", "--print-config",
            environment: ["FACEFAIR_BATCH_SIZE": "9", "FACEFAIR_EPOCHS": "4"])
        #expect(result.status == 0, "\(result.error)")
        #expect(setting("img-size", in: result) == "24" && setting("group-by", in: result) == "Male,Young")
        #expect(setting("epochs", in: result) == "4")
        #expect(setting("batch-size", in: result) == "8")
        #expect(setting("epsilon", in: result) == "0.001", "the paper's default is printed too")
        #expect(result.error.isEmpty)
    }

    @Test func printedSettingsAreTakenBack() throws {
        let first = try tool("train", "celeba", "--data", "faces", "--lr", "0.002", "--sched", "cosine", "--print-config")
        try file("printed.yaml", first.text)
        let second = try tool("train", "celeba", "--config=printed.yaml", "--print-config")
        #expect(first.status == 0 && first.text == second.text, "\(second.error)")
    }

    @Test func aRunKeepsItsSettings() throws {
        let flags = ["--data", "faces", "--img-size", "16", "--epochs", "1", "--batch-size", "32", "--quiet", "--output"]
        let first = try runTool(["train", "celeba"] + flags + ["one"], in: temporary.url)
        #expect(first.status == 0, "\(first.error)")
        let again = try tool("train", "celeba", "--config", "one/config.yaml", "--output", "two", "--quiet")
        #expect(again.status == 0, "\(again.error)")
        #expect(try Data(contentsOf: temporary.file("one/last.safetensors")) == Data(contentsOf: temporary.file("two/last.safetensors")))
    }

    @Test(arguments: [
        ("epoch: 3", Int32(78), "'epoch' is not a flag of this command; did you mean 'epochs'?"),
        ("config: other.yaml", 78, "'config' is not a flag"),
        ("- epochs", 78, "must be a mapping"),
        ("epochs: {a: 1}", 78, "'epochs' must be one value or a list"),
        ("epochs: [1", 78, "not YAML"),
        ("quiet: perhaps", 78, "'perhaps' is neither true nor false"),
        ("epochs: many", 64, "many"),
    ])
    func badFilesAreRefused(_ text: String, _ status: Int32, _ words: String) throws {
        try file("bad.yaml", text)
        let result = try tool("train", "celeba", "--config", "bad.yaml")
        #expect(result.status == status && result.error.contains(words), "\(result.error)")
        #expect(!FileManager.default.fileExists(atPath: temporary.file("runs").path))
    }

    @Test func aMissingFileIsNamed() throws {
        let result = try tool("train", "celeba", "--config", "absent.yaml")
        #expect(result.status == 66 && result.error.contains("absent.yaml"))
    }

    @Test func aDryRunWritesNothing() throws {
        let result = try tool("train", "celeba", "--data", "faces", "--img-size", "16", "--epochs", "2", "--dry-run", "--format", "json")
        #expect(result.status == 0, "\(result.error)")
        let plan = try #require(try JSONSerialization.jsonObject(with: result.output) as? [String: Any])
        let groups = try #require(plan["groups"] as? [[String: Any]])
        #expect(groups.reduce(0) { $0 + ($1["count"] as! Int) } == plan["train"] as? Int)
        #expect(plan["synthetic"] as? Bool == true && (plan["seconds_per_epoch"] as! Double) > 0)
        #expect(!FileManager.default.fileExists(atPath: temporary.file("runs").path))
    }
}
