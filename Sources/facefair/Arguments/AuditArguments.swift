// What `audit` and `report` ask about a table of predictions: its columns, tolerances, gates and intervals.
import ArgumentParser
import Fairness
import Foundation
import Inference

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

struct AuditArguments: ParsableArguments {
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
    @Option(help: ArgumentHelp(
        "Apply the fairness layer to the logits first, all rows at once; what was given counts as before.", valueName: "epsilon"))
    var project: Double?

    @Option(help: "Tolerance of the mean-logit gap for its verdict, in logits (default: that of --project).")
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

    func validate() throws {
        if let threshold, !(threshold > 0 && threshold < 1) { throw ValidationError("--threshold \(threshold) must lie between 0 and 1.") }
        for (flag, value) in [("--epsilon", epsilon), ("--project", project)] {
            if let value, !(value >= 0 && value.isFinite) { throw ValidationError("\(flag) \(value) must be a finite number >= 0.") }
        }
        guard confidence >= 0.5, confidence < 1 else { throw ValidationError("--confidence \(confidence) must lie between 0.5 and 1, such as 0.95.") }
        guard (100...1_000_000).contains(bootstrap) else { throw ValidationError("--bootstrap \(bootstrap) must lie between 100 and 1000000.") }
        if let minAccuracy, !(0...1).contains(minAccuracy) { throw ValidationError("--min-accuracy \(minAccuracy) must lie between 0 and 1.") }
        if threshold != nil && decision != nil { throw ValidationError("--threshold and --decision exclude each other.") }
        if project != nil && (decision != nil || score != nil) {
            throw ValidationError("--project changes logits and so excludes --score and --decision.")
        }
        if label != nil && labelsFrom != nil { throw ValidationError("--label and --labels-from exclude each other.") }
    }

    /// Reads a table and measures it.
    ///
    /// - Parameters:
    ///   - file: nil or `-` for standard input.
    ///   - layerTolerance: ε of a layer that belongs to these predictions and is applied where the table holds only raw logits.
    ///   - synthetic: whether the predictions are of drawn faces; nil where nobody said.
    func audit(_ file: String?, layerTolerance: Double? = nil, synthetic: Bool? = nil) throws -> AuditDocument {
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
        let belongs = table.logits != nil && table.rawLogits == nil ? layerTolerance : nil
        if let tolerance = project ?? belongs { try table.project(tolerance: tolerance, source: source) }

        var audit = Audit()
        audit.threshold = threshold ?? table.threshold ?? 0.5
        audit.epsilon = epsilon ?? project ?? layerTolerance ?? table.stream?.epsilon
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
        return audit.run(
            table, source: source, bytes: bytes, command: ShellCommand(CommandLine.arguments), labelFile: labelsFrom, unmatched: unmatched,
            synthetic: synthetic)
    }
}

extension AuditDocument {
    /// What was assumed and what is missing, one sentence each.
    var notes: [String] {
        let columns = source.columns
        let read = [
            columns.groupBy.map { "groups from \($0.joined(separator: ", "))" }, columns.logit.map { "log-odds from \($0)" },
            settings.projected.map { "the fairness layer applied with epsilon \($0)" }
                ?? columns.rawLogit.map { "log-odds before the layer from \($0)" },
            columns.score.map { "probabilities from \($0)" },
            settings.decisions == "column"
                ? columns.decision.map { "decisions from \($0)" } : "decision 1 where the score is at least \(settings.threshold)",
            columns.label.map { "labels from \(source.labelFile.map { "\($0), " } ?? "")\($0)" },
        ].compactMap(\.self)
        var notes = [read.joined(separator: "; ")]
        if source.labelled == 0 { notes.append("no labels: accuracy, error rates and equalized odds are undefined; see --label and --labels-from") }
        if source.failedRecords > 0 {
            notes.append("\(source.failedRecords) records of the stream failed and have no prediction; they take no part")
        }
        if let unmatched = source.unmatched, unmatched > 0 { notes.append("\(unmatched) rows found no label by their id") }
        return notes
    }

    /// Errors: `Failure` with exit code 3 naming the gates that failed.
    func checkGates() throws {
        let failed = gates.filter { !$0.passed }
        guard failed.isEmpty else { throw Failure(.gateFailed, "gate failed: " + failed.map(\.text).joined(separator: "; ")) }
    }
}
