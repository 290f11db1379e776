// train celeba | fairface | folder
import ArgumentParser
import FaceData
import Foundation
import TensorCore
import Training

struct TrainCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "train",
        abstract: "Train a classifier on face images.",
        discussion: """
            A run folder gets config.yaml (all flags, for --config), best.safetensors and last.safetensors (models), resume.safetensors, history.csv, run.json, and \
            bad_images.jsonl where images were refused. With --format json, stdout gets one object: status, run, epochs, \
            best_epoch, best_valid_loss, bad_images, model.
            """,
        subcommands: [Celeba.self, Fairface.self, Folder.self])

    struct Celeba: ParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Train on CelebA (default: Smiling, groups Male x Young).")
        @OptionGroup var options: TrainOptions
        func run() throws { try options.train(.celeba) }
    }

    struct Fairface: ParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Train on FairFace (default: 30 or older, 14 groups gender x race).")
        @OptionGroup var options: TrainOptions
        func run() throws { try options.train(.fairface) }
    }

    struct Folder: ParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Train on a folder of images with metadata.csv or metadata.jsonl.")
        @OptionGroup var options: TrainOptions
        func run() throws { try options.train(.folder) }
    }
}

struct TrainOptions: ParsableArguments {
    @OptionGroup(title: "Data") var data: DataArguments
    @Option(help: "How the model is made fair.")
    var method = MethodName.fairnessLayer
    @OptionGroup(title: "Training") var training: TrainingArguments
    @Option(help: "Seed of weights, batches and dropout.")
    var seed: UInt64 = 0

    @Option(name: [.short, .long], help: "Run folder (default: runs/<data set>-<method>-seed<seed>, numbered if taken).")
    var output: String?
    @Flag(help: "Start anew in a folder that holds a run, replacing it.")
    var existOk = false
    @Option(help: "Go on with the run in this folder, or 'auto' for the output folder if it holds one.")
    var resume: String?
    @Option(help: "Memory for decoded images, in MiB; 0 decodes anew in each epoch.")
    var cache = 2048
    @Option(help: "Keep a numbered model file every so many epochs; 0 = only best and last.")
    var savePeriod = 0
    @Option(help: "Numbered model files that are kept.")
    var checkpointHist = 10
    @OptionGroup var threads: ThreadArguments
    @OptionGroup var printing: OutputArguments
    @Flag(help: "No progress bar.")
    var noProgress = false
    @Option(help: "Batches between rows of metrics.csv, and between progress lines where stderr is not a terminal.")
    var logInterval = 50
    @Flag(help: "Print every setting as YAML for --config, and stop.")
    var printConfig = false
    @Flag(help: "Print data, groups, sizes and a time estimate measured here, and stop.")
    var dryRun = false

    func validate() throws {
        guard cache >= 0 else { throw ValidationError("--cache \(cache): must be at least 0") }
        guard savePeriod >= 0 else { throw ValidationError("--save-period \(savePeriod): must be at least 0") }
        guard checkpointHist >= 1 else { throw ValidationError("--checkpoint-hist \(checkpointHist): must be at least 1") }
        guard logInterval >= 1 else { throw ValidationError("--log-interval \(logInterval): must be at least 1") }
    }

    func train(_ name: DatasetName) throws {
        var configuration = try training.configuration(dataset: name.rawValue)
        configuration.method = method
        configuration.seed = seed
        try configuration.validate()
        let dataset = try data.load(name, imageSize: configuration.imageSize)
        configuration = configuration.describing(dataset)

        let flags = YAMLFlags.write(flags(configuration))
        if printConfig { return print(flags, terminator: "") }
        Threads.configure(threads.count)
        let (folder, resuming) = runFolder(configuration)
        if dryRun {
            let plan = try TrainingPlan(configuration, dataset: dataset, cacheBytes: cache << 20, output: folder.url.path)
            return printing.format == .json ? try Console.json(plan) : Console.output(plan.text)
        }
        var resources = Trainer.Resources()
        resources.workers = data.workers
        resources.cacheBytes = cache << 20
        resources.maxErrors = data.maxErrors
        resources.savePeriod = savePeriod
        resources.checkpointHistory = checkpointHist
        resources.logInterval = logInterval
        let trainer = try Trainer(
            configuration, dataset: dataset, folder: folder, resources: resources, command: CommandLine.arguments,
            flags: flags)

        printing.note(description(dataset, configuration, folder))
        Interruption.install()
        var progress = TrainingProgress(isQuiet: printing.quiet, showsBar: !noProgress, logInterval: logInterval)
        let result = try trainer.run(
            resuming: resuming, replacing: existOk, shouldStop: { Interruption.isRequested }, report: { progress.show($0) })
        try report(result, folder)
        if result.status == .interrupted { throw ExitCode(Interruption.exitCode) }
        if result.badImages > 0 { throw ExitCode(ExitStatus.someInputsFailed.rawValue) }
    }

    private func flags(_ configuration: TrainingConfiguration) -> [(key: String, value: String)] {
        var flags = TrainingArguments.flags(configuration)
        if let data = data.data { flags.insert(("data", data), at: 0) }
        flags += [("method", method.rawValue), ("seed", "\(seed)"), ("workers", "\(data.workers)"), ("cache", "\(cache)")]
        return flags
    }

    private func runFolder(_ configuration: TrainingConfiguration) -> (RunFolder, resuming: Bool) {
        if let resume, resume != "auto" { return (RunFolder(URL(fileURLWithPath: resume)), true) }
        let base = output ?? "\(ModelLocator.runsFolder)/\(configuration.dataset)-\(configuration.method.rawValue)-seed\(configuration.seed)"
        func folder(_ path: String) -> RunFolder { RunFolder(URL(fileURLWithPath: path)) }
        func exists(_ path: String) -> Bool { FileManager.default.fileExists(atPath: folder(path).record.path) }
        if resume == "auto" { return (folder(base), exists(base)) }
        guard output == nil, !existOk else { return (folder(base), false) }
        var path = base, number = 1
        while exists(path) {
            number += 1
            path = "\(base)-\(number)"
        }
        return (folder(path), false)
    }

    private func description(_ dataset: FaceDataset, _ configuration: TrainingConfiguration, _ folder: RunFolder) -> String {
        let kind = dataset.isSynthetic ? "SYNTHETIC \(dataset.name)" : dataset.name
        let groups = dataset.features.map(\.name).joined(separator: " x ")
        return """
            \(kind) at \(dataset.root.path): \(dataset.samples(.train).count) train, \(dataset.samples(.valid).count) valid, \
            \(dataset.samples(.test).count) test; \(dataset.target) by \(groups) (\(dataset.groupCount) groups)
            \(configuration.model.rawValue) at \(configuration.imageSize) px, method \(configuration.method.rawValue), \
            epsilon \(configuration.epsilon), \(Threads.count) threads -> \(folder.url.path)
            """
    }

    private func report(_ result: TrainingResult, _ folder: RunFolder) throws {
        if result.badImages > 0 {
            printing.note("\(result.badImages) images could not be decoded and took no part; see \(folder.badImages.path)")
        }
        switch printing.format {
        case .json:
            try Console.json(
                TrainSummary(
                    status: result.status.rawValue, run: folder.url.path, epochs: result.epochs, bestEpoch: result.bestEpoch,
                    bestValidLoss: result.bestValidLoss, badImages: result.badImages, model: folder.best.path))
        case .human:
            Console.output(
                "\(result.status.rawValue) after \(result.epochs) epochs, best epoch \(result.bestEpoch): \(folder.best.path)")
        }
    }
}

private struct TrainSummary: Encodable {
    let status: String, run: String
    let epochs: Int, bestEpoch: Int
    let bestValidLoss: Double?
    let badImages: Int
    let model: String
}
