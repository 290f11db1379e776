// evaluate MODEL DATASET
import ArgumentParser
import FaceData
import Fairness
import Foundation
import Inference
import NeuralNetwork
import Reporting
import TensorCore

struct EvaluateCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "evaluate",
        abstract: "Measure a model on a split: every sample exactly once, scores and decisions, before and after the projection.",
        discussion: """
            With --format json, stdout gets one object: model, method, dataset, data, split, synthetic, target, samples, \
            bad_images, criterion, epsilon, threshold, projection_batch (null: the whole split at once), raw and projected \
            {accuracy, balanced_accuracy, bce, selection_rate, worst_group_accuracy, mean_logit_gap, mean_pairwise_logit_gap, \
            pairs_violated, pairs, criterion_gap (the smallest epsilon that the criterion would find met), demographic_parity_difference, demographic_parity_ratio, equalized_odds_difference, \
            equal_opportunity_difference, undefined {metric: reason}}, and groups [{group, raw, projected \
            {count, accuracy, selection_rate, true_positive_rate, false_positive_rate, mean_logit, mean_prediction, bce}}]. \
            Mean-logit gaps are about scores, demographic parity about decisions; neither implies the other.
            """)

    @Argument(help: "A .safetensors file or a run folder.")
    var model: String
    @Argument(help: "celeba, fairface or folder.")
    var dataset: DatasetName
    @OptionGroup(title: "Data") var data: DataArguments
    @Option(help: "train, valid or test.")
    var split = Split.test
    @Option(help: "Parity notion of the projection (default: the model's, with its bounds, strata and rows).")
    var criterion: Criterion?
    @OptionGroup var criterionDetails: CriterionArguments
    @Option(help: "Tolerance of the projection, in logits (default: the model's).")
    var epsilon: Double?
    @Option(help: "Rows per projection (default: the whole split at once; the paper's code uses 128 or 256).")
    var projectionBatch: Int?
    @Option(help: "Probability from which a decision is 1.")
    var threshold = 0.5
    @Option(name: [.short, .long], help: "Images per batch of the network.")
    var batchSize = 128
    @Option(help: "Write one row per sample to this CSV file: id,group,logit,label.")
    var output: String?
    @Option(help: "Exit 3 if the projected scores' gap by the criterion is larger; for demographic-parity the mean-logit gap.")
    var maxGap: Double?
    @Option(help: "Exit 3 if the projected scores' accuracy is lower.")
    var minAccuracy: Double?
    @OptionGroup(title: "Images") var images: ImageArguments
    @OptionGroup var threads: ThreadArguments
    @OptionGroup var printing: OutputArguments

    func validate() throws {
        if let epsilon, !(epsilon >= 0 && epsilon.isFinite) { throw ValidationError("--epsilon \(epsilon): must be at least 0") }
        if let projectionBatch, projectionBatch < 1 { throw ValidationError("--projection-batch \(projectionBatch): must be at least 1") }
        guard batchSize >= 1 else { throw ValidationError("--batch-size \(batchSize): must be at least 1") }
        guard (0...1).contains(threshold) else { throw ValidationError("--threshold \(threshold): must lie between 0 and 1") }
    }

    func run() throws {
        let predictor = try Predictor(modelFile: ModelLocator.require(model))
        let metadata = predictor.metadata
        let dataset = try data.load(dataset, target: metadata.target, groupBy: metadata.features.map(\.name), imageSize: metadata.imageSize)
        let features = SensitiveFeatures(dataset.features.map { .init(name: $0.name, values: $0.values) })
        let layer = try layer(metadata, features, file: ModelLocator.require(model).path)
        Threads.configure(threads.count)

        let samples = dataset.samples(split)
        guard !samples.isEmpty else { throw Failure(.badData, "\(dataset.root.path): the \(split.rawValue) split is empty") }
        let loader = DataLoader(
            samples: samples, transform: predictor.transform, workers: data.workers, limits: images.limits(of: metadata.fastDecode),
            maxErrors: data.maxErrors)
        let predictions = try Evaluator.predict(loader, batchSize: batchSize) { predictor.logits($0) }
        guard !predictions.scores.isEmpty else { throw Failure(.badData, "no image of the \(split.rawValue) split could be decoded") }
        let report = try EvaluationReport(
            predictions, features: features, layer: layer, threshold: threshold, projectionBatch: projectionBatch)

        if let output { try writePredictions(predictions, samples, loader, features, to: output) }
        for entry in loader.badImages.entries {
            printing.note("\(entry.warnings == nil ? "refused" : "accepted with warnings"): \(entry.file): \(entry.message) (\(entry.code.rawValue))")
        }
        let summary = EvaluationSummary(
            model: predictor.modelName, method: metadata.method, dataset: dataset.name, data: dataset.root.path,
            split: split.rawValue, synthetic: dataset.isSynthetic, target: dataset.target, badImages: loader.badImages.count,
            report: report)
        switch printing.format {
        case .json: try Console.json(summary)
        case .human: Console.output(summary.text)
        }
        try checkGates(report.projected, report.criterion)
        if loader.badImages.count > 0 { throw ExitCode(ExitStatus.someInputsFailed.rawValue) }
    }

    /// The model's constraint, or the flags'; another criterion leaves the model's details behind.
    private func layer(_ metadata: ModelMetadata, _ features: SensitiveFeatures, file: String) throws -> FairnessLayer {
        let trained = try metadata.knownCriterion(file: file)
        let chosen = criterion ?? trained
        let given = try criterionDetails.details()
        let details = given ?? (chosen == trained ? metadata.criterionDetails?.details : nil)
        do {
            return try FairnessLayer(chosen, features: features, tolerance: epsilon ?? metadata.epsilon, details: details)
        } catch FairnessError.unsupported(let reason) { throw Failure(.usage, "--criterion \(chosen.rawValue): \(reason)") }
    }

    private func checkGates(_ metrics: ScoreMetrics, _ criterion: Criterion) throws {
        var failures: [String] = []
        let (name, gap) =
            criterion == .demographicParity ? ("mean-logit gap", metrics.meanLogitGap) : ("\(criterion.rawValue) gap", metrics.criterionGap)
        if let maxGap, !(gap.map { $0 <= maxGap + Audit.slack } ?? false) {
            failures.append("\(name) \(gap.map { "\($0)" } ?? "undefined") is above --max-gap \(maxGap)")
        }
        if let minAccuracy, !(metrics.accuracy.map { $0 >= minAccuracy } ?? false) {
            failures.append("accuracy \(metrics.accuracy.map { "\($0)" } ?? "undefined") is below --min-accuracy \(minAccuracy)")
        }
        guard failures.isEmpty else { throw Failure(.gateFailed, "gate failed: " + failures.joined(separator: "; ")) }
    }

    /// Rows that `facefair project` reads; refused images have none.
    private func writePredictions(
        _ predictions: Predictions, _ samples: [FaceSample], _ loader: DataLoader, _ features: SensitiveFeatures, to path: String
    ) throws {
        let refused = Set(loader.badImages.entries.filter { $0.warnings == nil }.map(\.file))
        var table = Table(["id", "group", "logit", "label"].map { .init($0) })
        for (row, sample) in samples.filter({ !refused.contains($0.file) }).enumerated() {
            let group = predictions.groups[row] == unknownGroup ? "" : features.label(predictions.groups[row])
            table.append([sample.name, group, "\(predictions.scores[row])", predictions.labels[row].map(String.init) ?? ""])
        }
        try ByteFiles.replace(path, with: Array(table.csv.utf8))
    }
}

extension Split: ExpressibleByArgument {}

struct EvaluationSummary: Encodable {
    let model: String, method: String, dataset: String, data: String, split: String
    let synthetic: Bool
    let target: String
    let badImages: Int
    let report: EvaluationReport

    private enum CodingKeys: String, CodingKey { case model, method, dataset, data, split, synthetic, target, badImages }

    func encode(to encoder: any Encoder) throws {
        try report.encode(to: encoder)  // its keys stand beside ours in one object
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(model, forKey: .model)
        try container.encode(method, forKey: .method)
        try container.encode(dataset, forKey: .dataset)
        try container.encode(data, forKey: .data)
        try container.encode(split, forKey: .split)
        try container.encode(synthetic, forKey: .synthetic)
        try container.encode(target, forKey: .target)
        try container.encode(badImages, forKey: .badImages)
    }

    /// Overall and by group, raw beside projected.
    var text: String {
        let kind = synthetic ? "SYNTHETIC \(dataset) (drawn faces, no real people)" : dataset
        var overall = Table(
            title: "\(model), method \(method), on the \(split) split of \(kind): \(report.samples) samples, target \(target)",
            [.init("overall", .left), .init("raw"), .init("projected")])
        let rows: [(String, KeyPath<ScoreMetrics, Double?>)] = [
            ("accuracy", \.accuracy), ("balanced accuracy", \.balancedAccuracy), ("worst-group accuracy", \.worstGroupAccuracy),
            ("BCE", \.bce), ("mean-logit gap (scores)", \.meanLogitGap),
            ("demographic parity difference (decisions)", \.demographicParityDifference),
            ("equalized odds difference (decisions)", \.equalizedOddsDifference),
        ]
        for (title, path) in rows {
            overall.append([title, number(report.raw[keyPath: path]), number(report.projected[keyPath: path])])
        }
        if report.criterion != .demographicParity {
            overall.append(["\(report.criterion.rawValue) gap (scores)", number(report.raw.criterionGap), number(report.projected.criterionGap)])
        }
        overall.append([
            "pairs of groups beyond epsilon \(report.epsilon)", "\(report.raw.pairsViolated) of \(report.raw.pairs)",
            "\(report.projected.pairsViolated) of \(report.projected.pairs)",
        ])
        var groups = Table(
            title: "By group, raw -> projected",
            [
                .init("group", .left), .init("n"), .init("accuracy"), .init("selection rate"), .init("TPR"), .init("FPR"),
                .init("mean logit"),
            ])
        for group in report.groups {
            func pair(_ path: KeyPath<GroupMetrics, Double?>) -> String {
                "\(number(group.raw[keyPath: path])) -> \(number(group.projected[keyPath: path]))"
            }
            groups.append([
                group.group, "\(group.raw.count)", pair(\.accuracy), pair(\.selectionRate), pair(\.truePositiveRate),
                pair(\.falsePositiveRate), pair(\.meanLogit),
            ])
        }
        return overall.text + "\n\n" + groups.text
    }
}

/// Four digits; small values in scientific notation; a dash for what is undefined.
func number(_ value: Double?) -> String {
    guard let value else { return "-" }
    return abs(value) < 0.001 && value != 0 ? String(format: "%.2e", value) : String(format: "%.4f", value)
}
