// audit PREDICTIONS: evidence about anybody's predictions
import ArgumentParser
import Fairness
import Foundation
import Inference
import Reporting

enum AuditFormat: String, ExpressibleByArgument, CaseIterable { case human, json, csv }
extension Audit.GateRule: ExpressibleByArgument {}

/// `MEASURE=X` or `X`.
struct GapLimit: ExpressibleByArgument {
    /// nil: the measure that the table allows, scores before decisions.
    let measure: Measure?
    let limit: Double

    init?(argument: String) {
        let parts = argument.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
        guard let limit = Double(parts.last!), limit >= 0, limit.isFinite else { return nil }
        if parts.count == 2 {
            guard let measure = Measure(flag: parts[0]) else { return nil }
            self.measure = measure
        } else {
            measure = nil
        }
        self.limit = limit
    }
}

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
            docs/audit.md describes the intervals and the JSON. Exit: 0; 3 a gate failed; 64, 65, 66, 73, 74 as elsewhere.
            """)

    @Argument(help: ArgumentHelp("Table to read; - or nothing reads standard input.", valueName: "file"))
    var file: String?
    @Option(help: "Sensitive features, separated by commas: columns, or features of the group column (default: the group column).")
    var groupBy: String?
    @Option(help: ArgumentHelp("Column of true labels, 0 or 1, empty where unknown.", valueName: "column")) var label: String?
    @Option(help: ArgumentHelp("Column of log-odds.", valueName: "column")) var logit: String?
    @Option(help: ArgumentHelp("Column of log-odds before a fairness layer.", valueName: "column")) var rawLogit: String?
    @Option(help: ArgumentHelp("Column of probabilities.", valueName: "column")) var score: String?
    @Option(help: ArgumentHelp("Column of decisions, 0 or 1.", valueName: "column")) var decision: String?
    @Option(help: ArgumentHelp("Column that names the record.", valueName: "column")) var id: String?
    @Option(help: ArgumentHelp("Take labels by id from this table (CSV or NDJSON with id and label).", valueName: "file"))
    var labelsFrom: String?
    @Option(help: "A score of at least this is decision 1 (0.5). Given, it overrides a column of decisions.")
    var threshold: Double?

    @Option(help: "Tolerance of the mean-logit gap for its verdict, in logits.")
    var epsilon: Double?
    @Option(help: ArgumentHelp(
        "Exit 3 if a gap is larger; may be repeated. Without a measure: of mean logits, or of selection rates where there are none.",
        valueName: "[measure=]x"))
    var maxGap: [GapLimit] = []
    @Option(help: "Whether --max-gap looks at the gap in the table, or asks for the verdict 'pass'.")
    var gateOn = Audit.GateRule.gap
    @Option(help: "Exit 3 if the accuracy is lower.") var minAccuracy: Double?

    @Option(help: "Confidence of the intervals.") var confidence = 0.95
    @Option(help: "Resamples for intervals, and shuffles of the permutation test.") var bootstrap = 10_000
    @Option(help: "Seed of the resamples.") var seed: UInt64 = 0
    @Option(help: "Form of the input; without it decided by content and file name.") var inputFormat: ScoreFormat?
    @Option(help: "Tables, one JSON object, or one CSV row per figure.") var format = AuditFormat.human
    @Option(name: [.short, .long], help: ArgumentHelp("Write here instead of standard output, in one step.", valueName: "file"))
    var output: String?
    @Flag(help: "No notes on stderr.") var quiet = false

    func validate() throws {
        if let threshold, !(threshold > 0 && threshold < 1) { throw ValidationError("--threshold \(threshold) must lie between 0 and 1.") }
        if let epsilon, !(epsilon >= 0 && epsilon.isFinite) { throw ValidationError("--epsilon \(epsilon) must be a finite number >= 0.") }
        guard confidence >= 0.5, confidence < 1 else { throw ValidationError("--confidence \(confidence) must lie between 0.5 and 1, such as 0.95.") }
        guard (100...1_000_000).contains(bootstrap) else { throw ValidationError("--bootstrap \(bootstrap) must lie between 100 and 1000000.") }
        if let minAccuracy, !(0...1).contains(minAccuracy) { throw ValidationError("--min-accuracy \(minAccuracy) must lie between 0 and 1.") }
        if threshold != nil && decision != nil { throw ValidationError("--threshold and --decision exclude each other.") }
        if label != nil && labelsFrom != nil { throw ValidationError("--label and --labels-from exclude each other.") }
    }

    func run() throws {
        signal(SIGPIPE, SIG_IGN)
        let source = file == nil || file == "-" ? "standard input" : file!
        let bytes = source == file ? try ByteFiles.read(source) : try ByteFiles.readAll(STDIN_FILENO, name: source)
        let features = groupBy.map { $0.split(separator: ",").map { $0.trimmingCharacters(in: .whitespaces) } }
        if features?.isEmpty == true || features.map({ Set($0).count < $0.count }) == true {
            throw ValidationError("--group-by \(groupBy!): name each feature once, separated by commas.")
        }
        var table = try PredictionTable.read(
            bytes, format: inputFormat, source: source,
            columns: PredictionColumns(
                id: id, groupBy: features, logit: logit, rawLogit: rawLogit, score: score, decision: decision, label: label))
        var unmatched: Int?
        if let labelsFrom {
            let labels = try PredictionTable.read(try ByteFiles.read(labelsFrom), source: labelsFrom, needsGroups: false)
            guard table.columns.id != nil else {
                throw Failure(.badData, "\(source): --labels-from needs ids here too; name their column with --id")
            }
            unmatched = try table.takeLabels(from: labels, source: labelsFrom)
        }
        if threshold != nil { table.dropDecisions() }

        var audit = Audit()
        audit.threshold = threshold ?? table.threshold ?? 0.5
        audit.epsilon = epsilon
        audit.gateRule = gateOn
        audit.minAccuracy = minAccuracy
        audit.intervals = IntervalSettings(confidence: confidence, draws: bootstrap, seed: seed)
        let hasScores = table.logits != nil || table.probabilities != nil
        for gap in maxGap {
            let measure = gap.measure ?? (hasScores ? .meanLogitGap : .demographicParityDifference)
            guard audit.maxGaps.updateValue(gap.limit, forKey: measure) == nil else {
                throw ValidationError("--max-gap names \(measure.flag) twice.")
            }
        }
        let document = audit.run(
            table, source: source, command: CommandLine.arguments, labelFile: labelsFrom, unmatched: unmatched)
        if !quiet { for note in notes(document) { Console.note("facefair: note: \(note)") } }

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
        let failed = document.gates.filter { !$0.passed }
        guard failed.isEmpty else { throw Failure(.gateFailed, "gate failed: " + failed.map(\.text).joined(separator: "; ")) }
    }

    /// What was assumed and what is missing.
    private func notes(_ document: AuditDocument) -> [String] {
        let columns = document.source.columns
        let read = [
            columns.groupBy.map { "groups from \($0.joined(separator: ", "))" }, columns.logit.map { "log-odds from \($0)" },
            columns.rawLogit.map { "log-odds before the layer from \($0)" }, columns.score.map { "probabilities from \($0)" },
            document.settings.decisions == "column"
                ? columns.decision.map { "decisions from \($0)" } : "decision 1 where the score is at least \(document.settings.threshold)",
            columns.label.map { "labels from \(document.source.labelFile.map { "\($0), " } ?? "")\($0)" },
        ].compactMap(\.self)
        var notes = [read.joined(separator: "; ")]
        if document.source.labelled == 0 { notes.append("no labels: accuracy, error rates and equalized odds are undefined; see --label and --labels-from") }
        if document.source.failedRecords > 0 {
            notes.append("\(document.source.failedRecords) records of the stream failed and have no prediction; they take no part")
        }
        if let unmatched = document.source.unmatched, unmatched > 0 { notes.append("\(unmatched) rows found no label by their id") }
        return notes
    }
}
