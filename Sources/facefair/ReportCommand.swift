// report RUN | AUDIT | PREDICTIONS: one page that an auditor can read, and the same figures as JSON and as a model card
import ArgumentParser
import Foundation
import Inference
import Training

struct ReportCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "report",
        abstract: "Write a page about a run or about predictions: is it fair, by which measure, how sure, at what cost, how to re-run it.",
        discussion: """
            SOURCE is a run folder of `facefair train`, the JSON of `facefair audit`, or a table of predictions as `audit` reads it \
            (then all of its flags count here). For a run, predictions come from --predictions or from predictions.csv, .ndjson or \
            .jsonl in its folder (`facefair evaluate RUN … --output RUN/predictions.csv` writes them); where they hold raw logits \
            only and the run's method has a fairness layer, the layer is applied with the run's epsilon to all rows at once.

            The page is one file without scripts; it opens anywhere and prints. Model cards need a run. Exit: 0; 3 written, but a \
            gate failed; 64, 65, 66, 73, 74 as elsewhere.
            """)

    @Argument(help: ArgumentHelp("A run folder, an audit, or a table of predictions.", valueName: "source"))
    var source: String
    @Option(name: [.short, .long], help: ArgumentHelp(
        "The page (default: report.html in the run folder, or the source's name with .html).", valueName: "file"))
    var output: String?
    @Option(help: ArgumentHelp("Every figure as JSON, too.", valueName: "file")) var json: String?
    @Option(help: ArgumentHelp("A model card in Markdown with front matter for Hugging Face.", valueName: "file")) var card: String?
    @Option(help: ArgumentHelp("A model card in the JSON of model-card-toolkit.", valueName: "file")) var cardJson: String?
    @Option(help: "Name of the model on its cards.") var name: String?
    @Option(help: "Licence of the model on its cards, such as apache-2.0.") var license: String?
    @Option(help: ArgumentHelp("A run's predictions: CSV, NDJSON, or an audit.", valueName: "file")) var predictions: String?
    @OptionGroup(title: "Audit of predictions") var audit: AuditArguments
    @OptionGroup var configuration: ConfigurationArguments
    @Flag(help: "No notes on stderr.") var quiet = false

    func run() throws {
        let folder = RunFolder(URL(fileURLWithPath: source))
        var status = stat()
        guard stat(source, &status) == 0 else { throw Failure(.inputMissing, "\(source): no such file or folder") }
        let isFolder = status.st_mode & S_IFMT == S_IFDIR
        let document: ReportDocument
        if isFolder {
            let run = try RunEvidence.read(folder)
            let candidates = RunEvidence.predictionNames.map { folder.url.appendingPathComponent($0).path }
            let file = predictions ?? candidates.first { FileManager.default.fileExists(atPath: $0) }
            document = ReportDocument(run: run, audit: try file.map { try measured($0, run: run) }, command: ShellCommand(CommandLine.arguments))
            if file == nil { note("no predictions beside the run, so the page speaks of training only; make them with: \(run.evaluationCommand)") }
        } else {
            guard predictions == nil else { throw ValidationError("--predictions belongs to a run folder; \(source) is a file.") }
            document = ReportDocument(run: nil, audit: try measured(source, run: nil), command: ShellCommand(CommandLine.arguments))
        }

        let card = ModelCard(document, name: name, license: license)
        if card == nil, self.card != nil || cardJson != nil {
            throw ValidationError("--card and --card-json need a run folder: \(source) does not say which model made it.")
        }
        let page = output ?? (isFolder ? folder.url.appendingPathComponent("report.html").path : withExtension(source, "html"))
        var files: [(path: String, bytes: [UInt8])] = [(page, Array(ReportPage(document).html.utf8))]
        if let json { files.append((json, try Console.encoded(document) + [0x0A])) }
        if let path = self.card, let card { files.append((path, Array(card.markdown.utf8))) }
        if let path = cardJson, let card { files.append((path, try card.json)) }
        for (path, bytes) in files {
            try ByteFiles.replace(path, with: bytes)
            note("wrote \(path), \(bytes.count) bytes")
        }
        try document.audit?.checkGates()
    }

    private func measured(_ file: String, run: RunEvidence?) throws -> AuditDocument {
        let bytes = try ByteFiles.read(file)
        if AuditDocument.isAudit(bytes) { return try AuditDocument.read(bytes, source: file) }
        let method = run?.record.configuration.method
        let hasLayer = method == .fairnessLayer || method == .projection
        let document = try audit.audit(
            file, layerTolerance: hasLayer ? run?.record.configuration.epsilon : nil, synthetic: run?.record.data.synthetic)
        for text in document.notes { note(text) }
        return document
    }

    private func note(_ text: String) {
        if !quiet { Console.note("facefair: note: \(text)") }
    }

    private func withExtension(_ path: String, _ name: String) -> String {
        URL(fileURLWithPath: path).deletingPathExtension().appendingPathExtension(name).path
    }
}
