// facefair infer: images or a stream of records through a model, fair scores out.
import ArgumentParser
import FaceData
import Fairness
import Foundation
import Inference
import NeuralNetwork
import TensorCore

struct InferCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "infer",
        abstract: "Score images, or a stream of records, with a trained model.",
        usage: """
            facefair infer [<model>] <image> ... [<options>]
            facefair infer [<model>] --stream [<options>] < records.ndjson > answers.ndjson
            facefair infer --stream --scores --group-by <name,…> [<options>] < records.ndjson > answers.ndjson
            """,
        discussion: """
            The model is a .safetensors file or a run folder; without one the newest run under runs/ is taken.

            --stream reads one JSON object per line from standard input: id, one of image (a path), image_b64 and logit, and perhaps \
            group ({"Male":0,"Young":1}, "Male=0,Young=1" or null), label (0 or 1). Each gets exactly one line on standard output, in order: \
            v, seq, id, status, and for status ok logit (fair), logit_raw, score, decision, threshold, group, group_source, \
            fairness {criterion, epsilon, algorithm, regime, lambda, batch_n, batch_gap, average_gap, bound, pooled_gap, updates}, model, \
            and image_warnings (how many decoder warnings) only where --lenient-images accepted the image in spite of them; \
            for status error the object error {code, message, retryable}. docs/records.md has the details.

            With --online primal-dual, batches with at least --batch-threshold records of known groups are projected, smaller ones take \
            the paper's step; anytime shifts every batch. Scores of unknown groups pass through. The model's training settings are the \
            defaults, and without a model epsilon 0.001, batch threshold 100, eta0 0.1, penalty max, threshold 0.5.

            --state keeps the algorithm's state, so that a later run goes on where this one was; answers leave only when what they \
            changed is on disk. With --replay-by a record that is sent again gets the answer it got before and is not counted twice. \
            'facefair inspect state' shows the file.

            --format json prints one object for images: model, model_file, synthetic, results [as above], summary {records, ok, failed, \
            failures, unknown_group, images_with_warnings, batches, regimes, labelled, accuracy_raw, accuracy, pooled_gap_raw, \
            pooled_gap, replayed, algorithm, average_gap, bound, lambda, updates, seconds}. With --stream the summary object goes to stderr, since stdout carries the answers.

            Exit: 0; 2 when some records got an error; 64 bad flags; 65 bad model or state; 66 no model; 74 reading or writing failed; \
            75 another process writes to the state; 78 the state belongs to another model or other settings; 130 and 143 after SIGINT and \
            SIGTERM, when the batch in hand is answered and saved.
            """)

    @Argument(help: ArgumentHelp("Model (a .safetensors file or a folder), then image files.", valueName: "model|image"))
    var paths: [String] = []

    @Flag(help: "Answer NDJSON records from standard input.")
    var stream = false

    @Option(help: ArgumentHelp("The group of all image files, such as Male=0,Young=1; without it the group is unknown.", valueName: "group"))
    var group: String?

    @Option(name: [.short, .long], help: "Images per fairness batch.")
    var batchSize = 32

    @Option(help: ArgumentHelp("A batch that is not full is answered after so long when no input is at hand; none: only full batches.", valueName: "ms|none"))
    var maxDelayMs = MaxDelay(milliseconds: 20)

    @OptionGroup(title: "Fairness")
    var online: OnlineArguments

    @OptionGroup(title: "Streams")
    var streaming: StreamArguments

    @Option(help: ArgumentHelp("A score of at least this is decision 1. Default: the model's.", valueName: "p"))
    var threshold: Double?

    @Option(help: ArgumentHelp("Open only regular files inside this folder; relative paths start there.", valueName: "folder"))
    var imageRoot: String?

    @Option(help: "Longest line of input, in bytes.")
    var maxLineBytes = 16 << 20

    @OptionGroup(title: "Images")
    var limits: ImageArguments

    @Option(name: [.customShort("j"), .long], help: "Threads that parse and decode.")
    var workers = 2

    @Option(help: "Threads of the network. The answers do not depend on it.")
    var threads = min(64, ProcessInfo.processInfo.activeProcessorCount)

    @OptionGroup var output: OutputArguments

    func validate() throws {
        if stream && paths.count > 1 { throw ValidationError("--stream takes the model only; the images stand in the records.") }
        if stream && group != nil { throw ValidationError("--group is for image files; in a stream each record has its own.") }
        if !stream && paths.isEmpty { throw ValidationError("Name image files, or read records with --stream.") }
        if !stream && streaming.scores { throw ValidationError("--scores is for records; add --stream.") }
        if !stream && streaming.state != nil { throw ValidationError("--state is for records; add --stream.") }
        if streaming.scores {
            let declared = streaming.groupBy != nil || !streaming.groups.isEmpty
            if declared && !paths.isEmpty { throw ValidationError("The model declares its groups; leave out --group-by and --groups, or the model.") }
            if !declared && paths.isEmpty { throw ValidationError("--scores needs groups: name them with --group-by, such as --group-by Male,Young, or name a model.") }
        }
        for (name, value) in [("batch-size", batchSize), ("workers", workers), ("max-line-bytes", maxLineBytes)] {
            guard value >= 1 else { throw ValidationError("--\(name) \(value) must be at least 1.") }
        }
        guard (1...64).contains(threads) else { throw ValidationError("--threads \(threads) must lie between 1 and 64.") }
        guard workers <= 256 else { throw ValidationError("--workers \(workers) must be at most 256.") }
        if let threshold, !(threshold > 0 && threshold < 1) { throw ValidationError("--threshold \(threshold) must lie between 0 and 1.") }
    }

    func run() throws {
        signal(SIGPIPE, SIG_IGN)
        if streaming.scores && paths.isEmpty { return try answer(try scoreStream(), JSONPrinter.Model(file: nil, isSynthetic: false), []) }
        let (model, images) = try modelAndImages()
        Threads.configure(threads)
        let predictor = try Predictor(modelFile: model)
        var settings = try StreamSettings(predictor.metadata, file: model.path)
        try apply(to: &settings)
        let state = try openState(settings, features: predictor.features, modelHash: predictor.modelHash, modelName: predictor.modelName)
        let stream = try StreamingInference(settings: settings, predictor: predictor, state: state)
        if predictor.metadata.synthetic { output.note("facefair: \(predictor.modelName) was trained on synthetic faces") }
        try answer(stream, JSONPrinter.Model(file: model.path, isSynthetic: predictor.metadata.synthetic), images)
    }

    /// A stream without a model: the records bring logits, the flags declare the groups.
    private func scoreStream() throws -> StreamingInference {
        var settings = StreamSettings(tolerance: 1e-3)
        try apply(to: &settings)
        let features = try streaming.declaredGroups()!
        let text = features.features.map { "\($0.name)=\($0.values.joined(separator: ","))" }.joined(separator: ";")
        let state = try openState(settings, features: features, modelHash: fingerprint(Data(text.utf8)), modelName: "scores")
        return try StreamingInference(settings: settings, features: features, modelName: "scores", imageSize: 0, state: state) { _ in [] }
    }

    private func openState(_ settings: StreamSettings, features: SensitiveFeatures, modelHash: String, modelName: String) throws -> StreamState? {
        guard let path = streaming.state else { return nil }
        let binding = StateBinding(settings, features: features, modelHash: modelHash, modelName: modelName)
        return try StreamState(path: path, binding: binding, settings: settings, adopt: streaming.adoptState)
    }

    private func answer(_ stream: StreamingInference, _ model: JSONPrinter.Model, _ images: [String]) throws {
        let input: StreamInput
        if self.stream {
            input = .lines(descriptor: STDIN_FILENO, name: "standard input")
            if isatty(STDIN_FILENO) != 0 { output.note("facefair: reading records from the terminal; end them with Ctrl-D") }
        } else {
            input = .requests(try requests(images, features: stream.features))
        }
        Interruption.install(stream.stop)
        let printer: any AnswerPrinter =
            if self.stream { NDJSONPrinter() } else if output.format == .json {
                JSONPrinter(stream, model)
            } else { TablePrinter(stream, images) }
        let ending: StreamingInference.Ending
        do { ending = try stream.run(input) { try printer.print($0) } } catch let error as FileError where error.kind == .closedPipe {
            // Ctrl-C reaches every process of a pipeline, the reader of the answers among them.
            throw Interruption.isRequested ? ExitCode(Interruption.exitCode) : error
        }
        try printer.finish(stream)
        if self.stream && output.format == .json {
            var writer = JSONWriter()
            writer.object { InferSummary.write(stream, to: &$0) }
            Console.error(writer.text)
        } else {
            for line in InferSummary.lines(stream) { output.note(line) }
        }
        if ending == .stopped, Interruption.isRequested { throw ExitCode(Interruption.exitCode) }
        if stream.summary.failed > 0 { throw ExitCode(ExitStatus.someInputsFailed.rawValue) }
    }

    /// The first path is the model when it is a folder or has the name of a weights file; all others are images.
    private func modelAndImages() throws -> (URL, [String]) {
        if let first = paths.first {
            var isFolder: ObjCBool = false
            let exists = FileManager.default.fileExists(atPath: first, isDirectory: &isFolder)
            let isWeights = [".safetensors", ".pt", ".pth", ".ckpt", ".bin", ".onnx"].contains { first.lowercased().hasSuffix($0) }
            if stream || isWeights || (exists && isFolder.boolValue) {
                if !stream && paths.count == 1 { throw Failure(.usage, "\(first) is the model; name image files behind it, or read records with --stream") }
                return (try ModelLocator.require(first), Array(paths.dropFirst()))
            }
        }
        let newest = try ModelLocator.newest()
        output.note("facefair: no model named; taking the newest run's best, \(newest.relativePath)")
        return (newest, paths)
    }

    private func apply(to settings: inout StreamSettings) throws {
        online.apply(to: &settings)
        settings.threshold = threshold ?? settings.threshold
        settings.batchSize = batchSize
        settings.maxDelay = maxDelayMs.duration
        settings.maxLineBytes = maxLineBytes
        settings.imageRoot = try imageRoot.map { folder throws(FileError) in try ImageRoot(folder) } ?? .anywhere
        settings.imageLimits = limits.limits(of: settings.imageLimits.fastDecode)
        settings.workers = workers
        settings.scoresOnly = streaming.scores
        settings.identity = streaming.identity
        settings.replayWindow = streaming.replayWindow
    }

    private func requests(_ images: [String], features: SensitiveFeatures) throws -> [StreamRecord] {
        var shared = unknownGroup
        if let group {
            do { shared = try features.group(parsing: group) } catch let error as GroupError {
                throw Failure(.usage, "--group: \(error)")
            }
        } else {
            output.note("facefair: no --group given, so the group is unknown and the scores pass through as the network made them")
        }
        return images.map { StreamRecord(id: .string($0), input: .unresolved($0), group: shared) }
    }
}

/// `--max-delay-ms`: a number of milliseconds, or `none`.
struct MaxDelay: ExpressibleByArgument, CustomStringConvertible {
    var milliseconds: Double?

    init(milliseconds: Double?) { self.milliseconds = milliseconds }

    init?(argument: String) {
        if argument == "none" {
            milliseconds = nil
        } else if let value = Double(argument), value >= 0, value <= 86_400_000 {
            milliseconds = value
        } else {
            return nil
        }
    }

    var duration: Duration? { milliseconds.map { .microseconds(Int64($0 * 1000)) } }
    var description: String { milliseconds.map { $0 == $0.rounded() ? "\(Int($0))" : "\($0)" } ?? "none" }
    var defaultValueDescription: String { description }
}
