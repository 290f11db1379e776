// What the README and the pages in docs say must be so: flags that exist, files that exist, an example that CI compiles.
import Foundation
import TestSupport
import Testing

private let repository = Fixture.folder.deletingLastPathComponent().deletingLastPathComponent()

private func page(_ path: String) throws -> String { try String(contentsOf: repository.appendingPathComponent(path), encoding: .utf8) }

private func pages() throws -> [String] {
    let docs = try FileManager.default.contentsOfDirectory(atPath: repository.appendingPathComponent("docs").path)
    return ["README.md", "datasets/README.md"] + docs.filter { $0.hasSuffix(".md") }.sorted().map { "docs/\($0)" }
}

@Suite struct DocumentationTests {
    private struct Help: Decodable {
        struct Command: Decodable {
            struct Argument: Decodable {
                struct Name: Decodable { let name: String }
                let names: [Name]?
            }
            let commandName: String
            let subcommands: [Command]?
            let arguments: [Argument]?

            var flags: Set<String> {
                Set((arguments ?? []).flatMap { ($0.names ?? []).map(\.name) }).union((subcommands ?? []).flatMap(\.flags))
            }
        }
        let command: Command
    }

    /// Flags of other programs that the pages name.
    private let foreign: Set<String> = ["package-path", "generate-completion-script", "skip-build", "filter", "unbuffered"]

    @Test func pagesNameFlagsThatExist() throws {
        let help = try JSONDecoder().decode(Help.self, from: runTool(["--experimental-dump-help"]).output).command
        let known = help.flags.union(foreign)
        #expect(known.count > 60)
        for path in try pages() {
            for match in try page(path).matches(of: /(?:^|[^\w-])--([a-z][a-z0-9-]+)/) {
                #expect(known.contains(String(match.1)), "\(path) names --\(match.1), which no command has")
            }
        }
    }

    /// tools/generate_manual writes the page.
    @Test func theManualHasEveryFlagAndNoOther() throws {
        let help = try JSONDecoder().decode(Help.self, from: runTool(["--experimental-dump-help"]).output).command
        let listed = Set(try page("docs/facefair.1").matches(of: /(?:Fl |, )-([a-z][a-z0-9-]+)/).map { String($0.1) })
        let long = help.flags.filter { $0.count > 1 }
        #expect(listed.subtracting(long).isEmpty && long.subtracting(listed).isEmpty, "run tools/generate_manual")
    }

    @Test func linksLeadToFiles() throws {
        for path in try pages() {
            let folder = repository.appendingPathComponent(path).deletingLastPathComponent()
            for match in try page(path).matches(of: /\]\(([^)#:\s]+)(?:#[^)]*)?\)/) {
                let target = folder.appendingPathComponent(String(match.1)).standardizedFileURL
                #expect(FileManager.default.fileExists(atPath: target.path), "\(path) links to \(match.1)")
            }
        }
    }

    @Test func readmeHoldsTheExampleThatConsumerRuns() throws {
        let program = try page("Tests/Consumer/Sources/Consumer/main.swift")
        let example = try #require(program.firstMatch(of: /\/\/ README: begin\n((?s).*?)\/\/ README: end/)).1
        #expect(try page("README.md").contains(example), "README.md and Tests/Consumer differ")
    }
}
