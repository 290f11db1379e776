// experiment celeba | fairface | folder: several methods and seeds, one table
import ArgumentParser
import Experiments
import FaceData
import Foundation
import Inference
import TensorCore
import Training

struct ExperimentCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "experiment",
        abstract: "Train several methods and seeds on one data set, evaluate on the test split, and print one table.",
        discussion: """
            Each run has its folder <output>/<method>-seed<seed>; finished runs are reused, an interrupted one goes on. The row \
            'projection' is the unconstrained model (method none) with its scores projected over the whole test split. With \
            --format json, stdout gets one object: dataset, synthetic, output, results [{row, seed, accuracy, bce, \
            mean_logit_gap, demographic_parity_difference, groups [{group, count, accuracy, mean_logit, selection_rate}]}].
            """)

    @Argument(help: "celeba, fairface or folder.")
    var dataset: DatasetName
    @OptionGroup(title: "Data") var data: DataArguments
    @Option(help: "Methods, separated by commas.")
    var methods = "none,fairness-layer"
    @Option(help: "Seeds, separated by commas.")
    var seeds = "1"
    @OptionGroup(title: "Training") var training: TrainingArguments
    @Option(help: "Batch size of the streamed row.")
    var streamBatch = 32
    @Option(name: [.short, .long], help: "Folder of the runs (default: runs/experiment-<data set>).")
    var output: String?
    @Option(help: "Memory for decoded images, in MiB.")
    var cache = 2048
    @OptionGroup var threads: ThreadArguments
    @OptionGroup var printing: OutputArguments
    @Flag(help: "No progress bar.")
    var noProgress = false

    func validate() throws {
        _ = try parsedMethods()
        _ = try parsedSeeds()
        guard streamBatch >= 1 else { throw ValidationError("--stream-batch \(streamBatch): must be at least 1") }
        guard cache >= 0 else { throw ValidationError("--cache \(cache): must be at least 0") }
    }

    func run() throws {
        let configuration = training.configuration(dataset: dataset.rawValue)
        try configuration.validate()
        let faces = try data.load(dataset)
        Threads.configure(threads.count)
        var resources = Trainer.Resources()
        resources.workers = data.workers
        resources.cacheBytes = cache << 20
        resources.maxErrors = data.maxErrors
        let folder = URL(fileURLWithPath: output ?? "\(ModelLocator.runsFolder)/experiment-\(dataset.rawValue)")
        let comparison = Comparison(
            configuration: configuration, methods: try parsedMethods(), seeds: try parsedSeeds(), streamBatch: streamBatch,
            folder: folder, resources: resources)

        Interruption.install()
        var progress = TrainingProgress(isQuiet: printing.quiet, showsBar: !noProgress, logInterval: 50)
        guard let results = try comparison.run(
            dataset: faces, shouldStop: { Interruption.isRequested }, report: { progress.show($0) })
        else { throw ExitCode(Interruption.exitCode) }

        let kind = faces.isSynthetic ? "SYNTHETIC \(faces.name) (drawn faces, not the paper's data)" : faces.name
        let title = "\(kind): \(faces.target), test split of \(faces.samples(.test).count), epsilon \(configuration.epsilon)"
        let overall = ComparisonTable.overall(results, title: title)
        let groups = ComparisonTable.byGroup(results, title: "By group, \(kind)")
        try ByteFiles.replace(folder.appendingPathComponent("results.csv").path, with: Array(overall.csv.utf8))
        try ByteFiles.replace(
            folder.appendingPathComponent("results.md").path,
            with: Array((overall.markdown + "\n\n" + groups.markdown + "\n").utf8))
        switch printing.format {
        case .json:
            try Console.json(
                ExperimentSummary(dataset: faces.name, synthetic: faces.isSynthetic, output: folder.path, results: results))
        case .human: Console.output(overall.text + "\n\n" + groups.text)
        }
    }

    private func parsedMethods() throws -> [MethodName] {
        try methods.split(separator: ",").map { name in
            guard let method = MethodName(rawValue: String(name)) else {
                throw ValidationError("--methods \(name): choose from \(MethodName.allCases.map(\.rawValue).joined(separator: ", "))")
            }
            return method
        }
    }

    private func parsedSeeds() throws -> [UInt64] {
        let parsed = seeds.split(separator: ",").map { UInt64($0) }
        guard !parsed.isEmpty, !parsed.contains(nil) else {
            throw ValidationError("--seeds \(seeds): must be whole numbers separated by commas, such as 1,2,3")
        }
        return parsed.compactMap(\.self)
    }
}

private struct ExperimentSummary: Encodable {
    let dataset: String
    let synthetic: Bool
    let output: String
    let results: [MethodResult]
}
