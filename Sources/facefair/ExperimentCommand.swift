// experiment celeba | fairface | folder | streaming
import ArgumentParser
import Experiments
import FaceData
import Fairness
import Foundation
import Inference
import NeuralNetwork
import Reporting
import TensorCore
import Training

extension ExperimentScale: ExpressibleByArgument {}

enum ExperimentName: String, ExpressibleByArgument, CaseIterable {
    case celeba, fairface, folder, streaming

    /// The streaming ablation is on FairFace.
    var dataset: DatasetName { DatasetName(rawValue: rawValue) ?? .fairface }
}

struct ExperimentCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "experiment",
        abstract: "Reproduce the paper's image experiments: methods x seeds on one data set, or its streams, beside the published numbers.",
        discussion: """
            Each run has its folder <output>/<method>-seed<seed>; finished runs are reused, an interrupted one goes on. The rows \
            'projection' and 'unconstrained' are one model trained without fairness; the penalty's λ is searched from 1e4 downwards \
            until the validation split violates ε. Tables go to results.csv and results.md in the output folder (streaming: \
            streams.csv, streams.md, and streams.svg: accuracy and gap over the algorithms' settings). With --scale smoke and no --data, drawn faces stand in. With --format json, stdout gets one \
            object: dataset, synthetic, scale, output, choices [text], results [{row, backbone, seed, accuracy, bce, mean_logit_gap, \
            pairs_violated, pairs, demographic_parity_difference, penalty_weight, epoch_seconds, groups [{group, count, accuracy, \
            mean_logit, selection_rate}]}], streams [{backbone, seed, batch, algorithm (null: whole split), accuracy, pooled_gap, \
            mean_pairwise_gap, pairs_violated, pairs, seconds}], tradeoff [{algorithm, setting (η₀ or C), accuracy, pooled_gap}].
            """)

    @Argument(help: "celeba, fairface, folder or streaming (FairFace).")
    var name: ExperimentName
    @Option(help: "smoke: 4000 images at 64 px, drawn faces without --data; small: 24000; paper: all, the paper's settings. Other flags change single settings.")
    var scale = ExperimentScale.paper
    @OptionGroup(title: "Data") var data: DataArguments
    @Option(help: "Networks, separated by commas (simple_cnn).")
    var models: String?
    @Option(help: "Methods, separated by commas (default: fairness-layer, the unconstrained model, penalty, strict-penalty).")
    var methods: String?
    @Option(help: "Seeds, separated by commas (smoke and paper 1, small 1,2,3).")
    var seeds: String?
    @OptionGroup(title: "Training") var training: TrainingArguments
    @Option(help: "Rows per projection of the test split, in stratified batches (the paper's code: 128 or 256); 0 = the whole split at once.")
    var projectionBatch = 0
    @Option(help: "Batch size of an additional streamed row; 0 = none.")
    var streamBatch = 0
    @Option(help: "Batch sizes of the streaming experiment, separated by commas.")
    var streamBatches = "1,14,16,32"
    @Option(name: [.customShort("o"), .long], help: "Folder of the runs (default: runs/experiment-<data set>-<scale>).")
    var output: String?
    @Option(help: "Memory for decoded images, in MiB.")
    var cache = 2048
    @OptionGroup var threads: ThreadArguments
    @OptionGroup var printing: OutputArguments
    @Flag(help: "No progress bar.")
    var noProgress = false

    func validate() throws {
        _ = try grid()
        _ = try whole(streamBatches, "--stream-batches")
        guard projectionBatch >= 0 else { throw ValidationError("--projection-batch \(projectionBatch): must be at least 0") }
        guard streamBatch >= 0 else { throw ValidationError("--stream-batch \(streamBatch): must be at least 0") }
        guard cache >= 0 else { throw ValidationError("--cache \(cache): must be at least 0") }
    }

    func run() throws {
        let experiment = try grid()
        try experiment.configuration.validate()
        let faces = try dataset()
        Threads.configure(threads.count)
        var resources = Trainer.Resources()
        resources.workers = data.workers
        resources.cacheBytes = cache << 20
        resources.maxErrors = data.maxErrors
        let folder = URL(
            fileURLWithPath: output ?? "\(ModelLocator.runsFolder)/experiment-\(name.dataset.rawValue)-\(scale.rawValue)")

        Interruption.install()
        var progress = TrainingProgress(isQuiet: printing.quiet, showsBar: !noProgress, logInterval: 50)
        let runner = ExperimentRunner(
            experiment, dataset: faces, folder: folder, resources: resources, shouldStop: { Interruption.isRequested },
            report: { progress.show($0) })
        let title = ExperimentTitle(dataset: faces, scale: scale, configuration: experiment.configuration)
        var summary = ExperimentSummary(
            dataset: faces.name, synthetic: faces.isSynthetic, scale: scale, output: folder.path,
            choices: PaperChoices.lines(experiment, dataset: faces))
        let page = ExperimentPage(title: title, choices: summary.choices, command: ShellCommand(CommandLine.arguments).text)
        let tables: [Table], html: String
        do {
            if name == .streaming {
                let batches = try whole(streamBatches, "--stream-batches")
                summary.streams = try runner.streams(batches: batches)
                let batch = batches.contains(14) ? 14 : batches.max()!
                summary.tradeoff = try runner.tradeoff(experiment.backbones[0], batch: batch)
                let chart = ExperimentTables.tradeoffChart(summary.tradeoff, batch: batch, title: title)
                try ByteFiles.replace(folder.appendingPathComponent("streams.svg").path, with: Array(chart.svg(id: "streams").utf8))
                tables = [ExperimentTables.streams(summary.streams, title: title)]
                html = page.html(summary.streams, tradeoff: chart, tables: tables)
            } else {
                summary.results = try runner.run()
                tables = [
                    ExperimentTables.overall(summary.results, title: title, dataset: faces.name),
                    ExperimentTables.byGroup(summary.results, title: title),
                ]
                html = page.html(summary.results, tables: tables)
            }
        } catch is ExperimentInterrupted { throw ExitCode(Interruption.exitCode) }
        try write(tables, summary.choices, html, to: folder)
        switch printing.format {
        case .json: try Console.json(summary)
        case .human: Console.output((tables.map(\.text) + [notes(summary.choices)]).joined(separator: "\n\n"))
        }
    }

    private func write(_ tables: [Table], _ choices: [String], _ html: String, to folder: URL) throws {
        let name = name == .streaming ? "streams" : "results"
        try ByteFiles.replace(folder.appendingPathComponent("\(name).csv").path, with: Array(tables[0].csv.utf8))
        let markdown = (tables.map(\.markdown) + [notes(choices)]).joined(separator: "\n\n") + "\n"
        try ByteFiles.replace(folder.appendingPathComponent("\(name).md").path, with: Array(markdown.utf8))
        try ByteFiles.replace(folder.appendingPathComponent("\(name).html").path, with: Array(html.utf8))
    }

    private func notes(_ choices: [String]) -> String {
        (["Where the paper and its code disagree:"] + choices.map { "- \($0)" }).joined(separator: "\n")
    }

    // MARK: The grid

    private func grid() throws -> Experiment {
        let dataset = name.dataset
        let methods: [MethodName] = try list(methods, "--methods", default: [.fairnessLayer, baseline, .penalty, .strictPenalty])
        let configuration = try training.configuration(scale.configuration(dataset: dataset.rawValue))
        guard configuration.criterion == .demographicParity, configuration.criterionDetails == nil else {
            throw ValidationError("The paper's image experiments are about demographic-parity without bounds; see 'facefair train --criterion'.")
        }
        return Experiment(
            configuration: configuration, backbones: try list(models, "--models", default: [configuration.model]), methods: methods,
            seeds: try seeds.map { try whole($0, "--seeds").map(UInt64.init) } ?? scale.defaultSeeds,
            projectionBatch: projectionBatch == 0 ? nil : projectionBatch, streamBatch: streamBatch == 0 ? nil : streamBatch)
    }

    /// Which unconstrained model the released code of the data set compares with: see ``PaperChoices``.
    private var baseline: MethodName { name.dataset == .celeba ? .projection : .none }

    private func list<T: RawRepresentable & CaseIterable>(_ text: String?, _ flag: String, default: [T]) throws -> [T]
    where T.RawValue == String {
        guard let text else { return `default` }
        return try text.split(separator: ",").map { word in
            guard let value = T(rawValue: word.trimmingCharacters(in: .whitespaces)) else {
                throw ValidationError("\(flag) \(word): choose from \(T.allCases.map(\.rawValue).joined(separator: ", "))")
            }
            return value
        }
    }

    private func whole(_ text: String, _ flag: String) throws -> [Int] {
        let parsed = text.split(separator: ",").map { Int($0.trimmingCharacters(in: .whitespaces)) }
        guard !parsed.isEmpty, parsed.allSatisfy({ $0.map { $0 >= 0 } ?? false }) else {
            throw ValidationError("\(flag) \(text): must be whole numbers separated by commas, such as 1,2,3")
        }
        return parsed.compactMap(\.self)
    }

    /// The folder asked for; drawn faces where the scale has them and none is given.
    private func dataset() throws -> FaceDataset {
        let name = name.dataset
        guard data.data == nil, let count = scale.syntheticCount, name != .folder else {
            let dataset = try data.load(name)
            return scale.sampleLimit.map { dataset.reduced(to: $0) } ?? dataset
        }
        let layout: SyntheticFaces.Layout = name == .celeba ? .celeba : .fairface
        var data = data
        data.data = "datasets/synthetic-\(name.rawValue)"
        printing.note("no --data: \(count) drawn faces in \(data.data!) stand in")
        try SyntheticFaces.write(
            to: URL(fileURLWithPath: data.data!), layout: layout, count: count, seed: 1, workers: data.workers)
        return try data.load(name)
    }
}

private struct ExperimentSummary: Encodable {
    let dataset: String
    let synthetic: Bool
    let scale: ExperimentScale
    let output: String
    let choices: [String]
    var results: [MethodResult] = []
    var streams: [StreamResult] = []
    var tradeoff: [TradeoffPoint] = []
}
