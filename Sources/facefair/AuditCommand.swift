// audit PREDICTIONS: evidence about anybody's predictions
import ArgumentParser
import Fairness
import Foundation
import Inference
import Reporting

enum AuditFormat: String, ExpressibleByArgument, CaseIterable { case human, json, csv }

struct AuditCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "audit",
        abstract: "Measure how fair predictions are, of any model, with intervals and verdicts.",
        discussion: """
            Reads CSV with a header or NDJSON: what `facefair project`, `facefair infer --stream` and `facefair evaluate --output` \
            write, or any table with a score or a decision per row. Columns are found by their usual names (id; group; logit; \
            score, probability; decision, prediction, y_pred; label, y_true) or named by flags. Several features make \
            intersections, and each is also reported alone.

            Every metric is given overall, by group, with smallest, largest, difference and ratio; what is undefined is null with \
            a reason. A verdict is 'pass' if the interval of every pair of groups lies within the tolerance, 'fail' if one lies \
            beyond it, else 'insufficient_data'. Gaps of mean logits (scores) and of rates (decisions) say nothing about each other.

            Measures of --max-gap: mean-logit, demographic-parity, equal-opportunity, equalized-odds, accuracy.
            docs/audit.md describes the intervals and the JSON; `facefair report` makes a page of it. Exit: 0; 3 a gate failed; \
            64, 65, 66, 73, 74 as elsewhere.
            """)

    @Argument(help: ArgumentHelp("Table to read; - or nothing reads standard input.", valueName: "file"))
    var file: String?
    @OptionGroup var audit: AuditArguments
    @Option(help: "Tables, one JSON object, or one CSV row per figure.") var format = AuditFormat.human
    @Option(name: [.short, .long], help: ArgumentHelp("Write here instead of standard output, in one step.", valueName: "file"))
    var output: String?
    @OptionGroup var configuration: ConfigurationArguments
    @Flag(help: "No notes on stderr.") var quiet = false

    func run() throws {
        signal(SIGPIPE, SIG_IGN)
        let document = try audit.audit(file)
        if !quiet { for note in document.notes { Console.note("facefair: note: \(note)") } }
        let text =
            switch format {
            case .human: Array((AuditText(document).text + "\n").utf8)
            case .csv: Array(AuditText(document).csv.utf8)
            case .json: try Console.encoded(document) + [0x0A]
            }
        if let output, output != "-" {
            try ByteFiles.replace(output, with: text)
        } else {
            try ByteFiles.write(text, to: STDOUT_FILENO, name: "standard output")
        }
        try document.checkGates()
    }
}
