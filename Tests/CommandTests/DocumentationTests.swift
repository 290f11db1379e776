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
                let shouldDisplay: Bool
                let valueName: String?
                let abstract: String?
                let discussion: String?
            }
            let commandName: String
            let abstract: String?
            let discussion: String?
            let subcommands: [Command]?
            let arguments: [Argument]?

            var flags: Set<String> {
                Set((arguments ?? []).flatMap { ($0.names ?? []).map(\.name) }).union((subcommands ?? []).flatMap(\.flags))
            }

            /// Everything that the help says in words.
            var words: [String] {
                let own = [abstract, discussion].compactMap(\.self)
                let shown = (arguments ?? []).filter(\.shouldDisplay).flatMap { [$0.names == nil ? $0.valueName : nil, $0.abstract, $0.discussion] }
                return own + shown.compactMap(\.self) + (subcommands ?? []).flatMap(\.words)
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

    /// Letters that are not ASCII stand in the page as roff's escapes, and empty lines as paragraphs.
    @Test func theManualSaysWhatTheHelpSays() throws {
        let help = try JSONDecoder().decode(Help.self, from: runTool(["--experimental-dump-help"]).output).command
        let source = try page("docs/facefair.1")
        #expect(source.utf8.allSatisfy { $0 < 0x80 }, "the page's encoding would have to be declared")
        #expect(!source.contains(/(?m)^'/), "roff takes a line that begins with ' for a request")
        var shown = source.replacing(/(?m)^\.Pp$/, with: "").replacing(/\\\[u([0-9A-F]{4,6})\]/) { letter in
            UInt32(letter.1, radix: 16).flatMap(UnicodeScalar.init).map { String($0) } ?? ""
        }
        for (escape, text) in [("\\(dq", "\""), ("\\&", ""), ("\\e", "\\")] { shown = shown.replacingOccurrences(of: escape, with: text) }
        func words(_ text: String) -> String { text.split(whereSeparator: \.isWhitespace).joined(separator: " ") }
        shown = words(shown)
        let texts = help.words
        #expect(texts.count > 200 && texts.contains { $0.contains("ε") })
        let missing = texts.filter { !shown.contains(words($0)) }
        #expect(missing.isEmpty, "run tools/generate_manual")
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
