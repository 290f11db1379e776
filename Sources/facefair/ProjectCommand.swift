// facefair project: any model's scores and groups in, fair scores out.
import ArgumentParser
import Fairness
import Foundation
import Inference

struct ProjectCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "project",
        abstract: "Make the scores of any model fair.",
        discussion: """
            Reads rows of id, group, logit and perhaps label, and writes them in the same order as id, group, logit_raw, logit, \
            score, decision: logit is the fair logit, score its sigmoid, decision is 1 where score >= threshold.

            CSV needs a header; columns go by name, in any order, and other columns are ignored and named on stderr. NDJSON is one \
            object per line with the same keys; group may be an object such as {"Male":0,"Young":1}. An empty group is unknown: the \
            row passes through unchanged and takes part in nothing. A table is written when all of it was read and made fair, so an \
            error never leaves half an output. The summary goes to stderr.

            Criteria: demographic-parity (group means within epsilon of each other), conditional-parity (inside each value of \
            --condition-on, a column of the table or a feature of groups such as Male=0,Young=1), equalized-odds and equal-opportunity \
            (inside labels 0 and 1, inside label 1), equalized-residuals (each group's mean score within epsilon of its mean label; labels \
            may be any numbers), marginal-parity (for each feature of the groups by itself), custom (--rows; coefficients by group, and \
            under "scores" by id). Rows whose label or stratum is unknown pass through.

            --format json prints one object: criterion, epsilon, algorithm (projection, primal-dual or anytime), batch_size, threshold, \
            row_count, unknown_rows, batches, gap_before and gap_after (between group means over the whole table, in logits), \
            criterion_gap_before and criterion_gap_after (the smallest epsilon that the criterion would find met by the whole table; for \
            custom the largest violation), largest_batch_gap, groups [{group, count, mean_before, mean_after}], labelled_rows, \
            accuracy_before, accuracy_after, lambda, average_gap, bound (with --online, else null), projection_ms, \
            rows [{id, group, logit_raw, logit, score, decision}].

            Exit: 0; 64 bad flags; 65 bad table (file, line, column and value are named); 66 no such file; 73 and 74 output cannot be written.
            """)

    @Argument(help: ArgumentHelp("Table to read; - or nothing reads standard input.", valueName: "file"))
    var file: String?

    @Option(help: "Parity notion.")
    var criterion: Criterion = .demographicParity

    @OptionGroup var criterionDetails: CriterionArguments

    @Option(help: "Largest gap that may remain, in logits.")
    var epsilon = 1e-3

    @Option(name: [.short, .long], help: "Rows per batch; without it the whole table is one batch.")
    var batchSize: Int?

    @Option(
        help: ArgumentHelp(
            "Treat the batches as a stream, made fair by this algorithm: primal-dual (the paper's; bounds the average gap of batches) or anytime (bounds the gap of everything so far).",
            valueName: "algorithm"))
    var online: OnlineName?

    @Option(help: "With --online primal-dual: batches of at least this many rows of known groups are projected.")
    var batchThreshold = 100

    @Option(help: "With --online primal-dual: first step size of the multiplier.")
    var eta0 = 0.1

    @Option(help: "With --online primal-dual: what is penalised in small batches.")
    var pairPenalty: PairPenalty = .max

    @Option(help: "With --online anytime: C, how far a group's sum may stray from the common level, in logits times rows.")
    var anytimeCap = 30.0

    @Option(help: "With --online anytime: the rows over which a group's debt is paid back.")
    var anytimeHorizon = 50.0

    @Option(help: "A score of at least this is decision 1.")
    var threshold = 0.5

    @Option(help: "Form of the input; without it decided by content and file name.")
    var inputFormat: ScoreFormat?

    @Option(help: ArgumentHelp("Form of the output: csv, ndjson, or json (one object with summary and rows). Default: as the input.", valueName: "csv|ndjson|json"))
    var format: ProjectFormat?

    @Option(name: [.short, .long], help: ArgumentHelp("Write here instead of standard output, in one step.", valueName: "file"))
    var output: String?

    @Flag(name: [.short, .long], help: "No summary on stderr.")
    var quiet = false

    func validate() throws {
        guard epsilon >= 0, epsilon.isFinite else { throw ValidationError("--epsilon \(epsilon) must be a finite number >= 0.") }
        guard threshold > 0, threshold < 1 else { throw ValidationError("--threshold \(threshold) must lie between 0 and 1.") }
        if let batchSize, batchSize < 1 { throw ValidationError("--batch-size \(batchSize) must be at least 1.") }
        guard batchThreshold >= 1 else { throw ValidationError("--batch-threshold \(batchThreshold) must be at least 1.") }
        guard eta0 > 0, eta0.isFinite else { throw ValidationError("--eta0 \(eta0) must be a finite number > 0.") }
        guard anytimeCap > 0, anytimeCap.isFinite else { throw ValidationError("--anytime-cap \(anytimeCap) must be a finite number > 0.") }
        guard anytimeHorizon >= 1, anytimeHorizon.isFinite else {
            throw ValidationError("--anytime-horizon \(anytimeHorizon) must be a finite number >= 1.")
        }
        try validateCriterion()
    }

    private func validateCriterion() throws {
        if online != nil {
            if criterion != .demographicParity {
                throw ValidationError(
                    "--online keeps the means of groups together, which is demographic-parity; \(criterion.rawValue) is held by whole batches: leave --online out.")
            }
            if criterionDetails.bounds != nil { throw ValidationError("--bounds are held by whole batches; leave --online or --bounds out.") }
        }
        if criterion == .conditionalParity, criterionDetails.conditionOn == nil {
            throw ValidationError("--criterion conditional-parity needs --condition-on: a column of the table or a feature of its groups.")
        }
        if let name = stratumColumn, ["id", "group", "logit", "label"].contains(name) {
            throw ValidationError("--condition-on \(name): that column has a meaning of its own; name another column, or a feature of the groups.")
        }
    }

    /// A single name may be a column.
    private var stratumColumn: String? {
        criterionDetails.conditionOn.flatMap { $0.contains(",") ? nil : $0.trimmingCharacters(in: .whitespaces) }
    }

    func run() throws {
        signal(SIGPIPE, SIG_IGN)
        let details = try criterionDetails.details() ?? CriterionDetails()
        if let complaint = details.complaint(criterion) { throw Failure(.usage, "--criterion \(criterion.rawValue): \(complaint)") }
        let (bytes, source) = try readInput()
        let table = try ScoreTable.read(
            bytes, format: inputFormat, columns: .init(numericLabels: criterion == .equalizedResiduals, stratum: stratumColumn), source: source)
        let settings = ScoreProjection(
            criterion: criterion, tolerance: epsilon, details: details, batchSize: batchSize,
            online: online.map {
                .init(
                    $0, batchThreshold: batchThreshold, eta0: eta0, pairPenalty: pairPenalty, cap: anytimeCap, horizon: anytimeHorizon,
                    threshold: threshold)
            })
        if online != nil && batchSize == nil && !quiet {
            Console.note("facefair: note: without --batch-size the whole table is one batch of the stream")
        }
        let fair = try settings.project(table, source: source)

        let inputForm = inputFormat ?? ScoreTable.detectFormat(bytes, source: source)
        let text =
            switch format ?? (inputForm == .csv ? .csv : .ndjson) {
            case .csv: fair.csv(table, threshold: threshold)
            case .ndjson: fair.ndjson(table, threshold: threshold)
            case .json: fair.json(table, threshold: threshold)
            }
        if let output, output != "-" {
            try ByteFiles.replace(output, with: text)
        } else {
            try ByteFiles.write(text, to: STDOUT_FILENO, name: "standard output")
        }
        if !quiet { Console.note(ProjectSummary(table: table, fair: fair, threshold: threshold).text) }
    }

    private func readInput() throws -> (bytes: [UInt8], source: String) {
        if let file, file != "-" { return (try ByteFiles.read(file), file) }
        if isatty(STDIN_FILENO) != 0 && !quiet { Console.note("facefair: reading the table from the terminal; end it with Ctrl-D") }
        return (try ByteFiles.readAll(STDIN_FILENO, name: "standard input"), "standard input")
    }
}

enum ProjectFormat: String, CaseIterable, ExpressibleByArgument {
    case csv, ndjson, json
}

extension ScoreFormat: ExpressibleByArgument {}
extension Criterion: ExpressibleByArgument {}
extension PairPenalty: ExpressibleByArgument {}
