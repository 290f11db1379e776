// facefair report as a user runs it, on a run, an audit and a table; the page in a real browser where one is installed.
import FaceData
import Foundation
import Inference
import TestSupport
import Testing
import Training

@Suite(.serialized)
struct ReportCommandTests {
    private let temporary: TemporaryFolder

    init() throws { temporary = try TemporaryFolder() }

    private func tool(_ arguments: String...) throws -> ToolResult { try runTool(arguments, in: temporary.url) }
    private func text(_ name: String) throws -> String { try String(contentsOf: temporary.file(name), encoding: .utf8) }

    /// A finished small run with the scores of its test split beside it.
    private func train(_ method: String = "fairness-layer") throws {
        try #require(try tool("data", "synthesize", "faces", "--layout", "celeba", "--count", "160", "--seed", "3").status == 0)
        let trained = try tool(
            "train", "celeba", "--data", "faces", "--img-size", "16", "--epochs", "2", "--batch-size", "32", "--batch-threshold", "16", "--lr", "1e-3",
            "--backbone-lr", "1e-3", "--method", method, "--quiet", "--output", "run")
        try #require(trained.status == 0, "\(trained.error)")
        try #require(try tool("evaluate", "run", "celeba", "--data", "faces", "--output", "run/predictions.csv").status == 0)
    }

    @Test func aRunWithItsPredictions() throws {
        try train()
        let result = try tool("report", "run", "--json", "run/report.json", "--card", "run/README.md", "--card-json", "run/card.json", "--bootstrap", "500", "--license", "apache-2.0")
        #expect(result.status == 0, "\(result.error)")
        let html = try text("run/report.html")
        for part in [
            "Are the scores fair?", "Are the decisions fair?", "By which measure?", "How sure?", "At what cost in accuracy?", "How do I make it again?",
            "What was trained on what", "What is guaranteed, and what is not", "Training curves", "Scores and decisions by group", "Gaps between groups",
            "Confusion matrices", "Worst disagreements", "Where it was made", "drawn by a program", "facefair train celeba --data faces", "SHA-256",
            "Male=1,Young=0", "ε = 0.001",
        ] { #expect(html.contains(part), "\(part)") }
        #expect(!html.contains("<script") && !html.contains("λ and bound over the stream"))

        // The JSON holds what the page shows, and the layer was applied to raw logits.
        let document = try JSONDecoder.report.decode(ReportDocument.self, from: Data(contentsOf: temporary.file("run/report.json")))
        let audit = try #require(document.audit), run = try #require(document.run)
        #expect(audit.settings.projected == 0.001 && audit.source.synthetic == true && document.synthetic == true)
        #expect(try #require(audit.main.after[.meanLogitGap].value.value) <= 0.001 + 1e-9)
        #expect(run.epochs.count == 2 && run.epochs[1]["val_loss"] != nil && run.record.status == .finished)
        for (name, value) in zip(audit.main.groups, audit.main.after[.accuracy].byGroup) {
            #expect(html.contains(name) && value.value.map { html.contains(String(format: "%.4f", $0)) } ?? true, "\(name)")
        }

        let card = try text("run/README.md")
        #expect(card.hasPrefix("---\nlicense: \"apache-2.0\"\nlibrary_name: facefair\n"))
        for part in ["model-index:", "- synthetic-data", "type: demographic_parity_difference", "## Limits", "facefair train celeba", "| all |"] { #expect(card.contains(part), "\(part)") }
        #expect(!card.contains("\ndatasets:"), "drawn faces are no data set of the Hub")
        let toolkit = try #require(try JSONSerialization.jsonObject(with: Data(contentsOf: temporary.file("run/card.json"))) as? [String: Any])
        #expect(Set(toolkit.keys) == ["schema_version", "model_details", "model_parameters", "quantitative_analysis", "considerations"])
        let metrics = try #require((toolkit["quantitative_analysis"] as? [String: Any])?["performance_metrics"] as? [[String: Any]])
        #expect(metrics.contains { $0["slice"] as? String == "Male=1,Young=1" } && metrics.allSatisfy { $0["value"] is String })
    }

    @Test func aRunWithoutPredictionsOrLayer() throws {
        try train("none")
        try FileManager.default.moveItem(at: temporary.file("run/predictions.csv"), to: temporary.file("scores.csv"))
        let bare = try tool("report", "run")
        #expect(bare.status == 0 && bare.error.contains("facefair evaluate"))
        #expect(try text("run/report.html").contains("whether it is fair is not known"))
        let result = try tool("report", "run", "--predictions", "scores.csv", "-o", "page.html", "--json", "page.json", "--bootstrap", "500", "--min-accuracy", "1")
        #expect(result.status == 3 && result.error.contains("gate failed"))
        let document = try JSONDecoder.report.decode(ReportDocument.self, from: Data(contentsOf: temporary.file("page.json")))
        #expect(document.audit?.main.before == nil, "a run without layer is reported as it is")
        let html = try text("page.html")
        #expect(html.contains("No fairness layer is known") && html.contains("Gate FAILED"))
    }

    @Test func anAuditAndATable() throws {
        try temporary.write(AuditCommandTests.csv, to: "p.csv")
        #expect(try tool("audit", "p.csv", "--epsilon", "0.1", "--bootstrap", "500", "--format", "json", "-o", "a.json").status == 0)
        #expect(try tool("report", "a.json").status == 0)
        let fromAudit = try text("a.html")
        #expect(fromAudit.contains("facefair audit p.csv --epsilon 0.1") && fromAudit.contains("facefair report a.json") && fromAudit.contains("group=c: no positive samples"))
        #expect(try tool("report", "p.csv", "--epsilon", "0.1", "--bootstrap", "500", "-o", "b.html").status == 0)
        // The figures do not depend on the way.
        func figures(_ html: String) -> Substring { html[html.range(of: "Scores and decisions by group</h2>")!.lowerBound..<html.range(of: "Where it was made, and how to make it again</h2>")!.lowerBound] }
        #expect(figures(fromAudit) == figures(try text("b.html")))
    }

    @Test func answersOfAStream() throws {
        let lines = (0..<60).map { i in
            "{\"v\":1,\"seq\":\(i),\"id\":\(i),\"status\":\"ok\",\"logit\":\(i % 3),\"logit_raw\":\(i % 5 - 2),\"score\":0.5,\"decision\":1,\"threshold\":0.5,\"group\":\"g=\(i % 2)\","
                + "\"fairness\":{\"criterion\":\"demographic-parity\",\"epsilon\":0.01,\"algorithm\":\"primal-dual\",\"regime\":\"primal_dual\",\"lambda\":\(Double(i / 6) / 10),"
                + "\"batch_n\":6,\"batch_gap\":0.5,\"average_gap\":0.4,\"bound\":0.9,\"pooled_gap\":0.3,\"updates\":\(i / 6)}}"
        }
        try temporary.write(lines.joined(separator: "\n"), to: "answers.ndjson")
        #expect(try tool("report", "answers.ndjson", "--bootstrap", "500").status == 0)
        let html = try text("answers.html")
        for part in ["λ and bound over the stream", "60 answers in 10 batches", "Gaps and their bound", "the largest λ was 0.9000", "primal-dual algorithm, which bounds the average"] {
            #expect(html.contains(part), "\(part)")
        }
    }

    @Test func refusals() throws {
        try temporary.write("group,logit\na,1\n", to: "p.csv")
        try FileManager.default.createDirectory(at: temporary.file("empty"), withIntermediateDirectories: true)
        for (arguments, status, part) in [
            (["report", "nothing"], 66, "no such file"), (["report", "empty"], 66, "no run.json"), (["report", "p.csv", "--card", "c.md"], 64, "need a run"),
            (["report", "p.csv", "--predictions", "p.csv"], 64, "--predictions"), (["report", "p.csv", "-o", "none/x.html"], 73, "folder does not exist"),
            (["report", "p.csv", "--label", "truth"], 65, "truth"),
        ] as [([String], Int32, String)] {
            let result = try runTool(arguments, in: temporary.url)
            #expect(result.status == status && result.error.contains(part), "\(arguments) \(result.status) \(result.error)")
        }
    }

    @Test(.enabled(if: Browser.path != nil, "needs chromium-headless-shell, chromium or google-chrome on the path, none is there"))
    func aBrowserRendersIt() throws {
        try temporary.write(AuditCommandTests.csv, to: "p.csv")
        #expect(try tool("report", "p.csv", "--epsilon", "0.1", "--bootstrap", "500", "-o", "page.html").status == 0)
        for width in [1280, 800, 360] {
            let layout = try Browser.layout(try text("page.html"), width: width, in: temporary)
            #expect(layout.scrollWidth <= width, "the page is \(layout.scrollWidth) wide on a screen of \(width)")
            #expect(layout.charts >= 8 && layout.narrowestChart >= 280 && layout.smallestText >= 8.5, "\(layout)")
            #expect(layout.clipped == 0, "\(layout.clipped) texts of charts reach beyond them")
        }
    }
}

extension JSONDecoder {
    fileprivate static var report: JSONDecoder {
        let decoder = JSONDecoder()
        decoder.keyDecodingStrategy = .convertFromSnakeCase
        return decoder
    }
}

/// A headless Chromium, if there is one.
private enum Browser {
    static let path: String? = {
        let folders = (ProcessInfo.processInfo.environment["PATH"] ?? "").split(separator: ":")
        return ["chromium-headless-shell", "chromium", "chromium-browser", "google-chrome"].lazy
            .flatMap { name in folders.map { "\($0)/\(name)" } }
            .first { FileManager.default.isExecutableFile(atPath: $0) }
    }()

    struct Layout: Decodable {
        let scrollWidth: Int, charts: Int
        /// Units: CSS pixels.
        let narrowestChart: Double, smallestText: Double
        let clipped: Int
    }

    /// How a page lies on a screen of a given width, by a script that this adds to it.
    static func layout(_ html: String, width: Int, in folder: TemporaryFolder) throws -> Layout {
        let script = """
            <script>
            const charts=[...document.querySelectorAll('figure svg')], boxes=charts.map(c=>c.getBoundingClientRect());
            let clipped=0, small=99;
            charts.forEach((c,i)=>c.querySelectorAll('text').forEach(t=>{const b=t.getBoundingClientRect();
              if(b.left<boxes[i].left-1.5||b.right>boxes[i].right+1.5)clipped++;
              small=Math.min(small,parseFloat(getComputedStyle(t).fontSize)*boxes[i].width/c.viewBox.baseVal.width);}));
            document.title='LAYOUT'+JSON.stringify({scrollWidth:document.documentElement.scrollWidth,charts:charts.length,
              narrowestChart:Math.min(...boxes.map(b=>b.width)),smallestText:small,clipped})+'END';
            </script></body>
            """
        let page = try folder.write(html.replacingOccurrences(of: "</body>", with: script), to: "measured-\(width).html")
        let process = Process(), output = Pipe()
        process.executableURL = URL(fileURLWithPath: path!)
        process.arguments = [
            "--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", "--user-data-dir=\(folder.file("browser-\(width)").path)",
            "--window-size=\(width),900", "--dump-dom", page.absoluteString,
        ]
        process.standardOutput = output
        process.standardError = FileHandle.nullDevice
        try process.run()
        let dom = String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
        process.waitUntilExit()
        let start = try #require(dom.range(of: "<title>LAYOUT")), end = try #require(dom.range(of: "END</title>"))
        return try JSONDecoder().decode(Layout.self, from: Data(dom[start.upperBound..<end.lowerBound].utf8))
    }
}
