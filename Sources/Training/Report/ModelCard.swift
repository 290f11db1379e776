// A run's model card: Markdown with the front matter that Hugging Face reads, and the JSON of model-card-toolkit (schema 0.0.2,
// whose metric values are strings). Only what was measured is stated; what the authors must add is left out, not invented.
import Fairness
import Foundation
import Inference
import Reporting

public struct ModelCard: Sendable {
    public let document: ReportDocument
    private let run: RunEvidence
    public let name: String
    /// An identifier as `apache-2.0`; nil: nobody has named one.
    public let license: String?

    /// nil for a report without a run: there is no model to speak of.
    ///
    /// - Parameters:
    ///   - document: what the card draws on.
    ///   - name: default: data set, target and method, such as `celeba-smiling-fairness-layer`.
    ///   - license: of the model.
    public init?(_ document: ReportDocument, name: String? = nil, license: String? = nil) {
        guard let run = document.run else { return nil }
        let configuration = run.record.configuration
        self.document = document
        self.run = run
        self.license = license
        self.name = name ?? "\(configuration.dataset)-\(configuration.target)-\(configuration.method.rawValue)".lowercased()
            .map { $0.isLetter || $0.isNumber || $0 == "-" ? String($0) : "-" }.joined()
    }

    private var configuration: TrainingConfiguration { run.record.configuration }
    private var dataName: String { run.record.data.synthetic ? "SYNTHETIC \(configuration.dataset) (drawn faces, no real people)" : configuration.dataset }
    private var groups: String { configuration.groupBy.joined(separator: " × ") }

    // MARK: Shared texts

    private var overview: String {
        "\(configuration.model.rawValue) that scores \(configuration.target) on face images of \(configuration.imageSize) px, trained on \(dataName) with the method \(configuration.method.rawValue); groups \(groups)."
    }

    private var architecture: String {
        "\(configuration.model.rawValue), \(run.record.parameters) parameters, one logit; dropout \(configuration.dropout); then the fairness layer where the method has one."
    }

    private var inputFormat: String {
        let numbers = { (values: [Float]) in values.map { "\($0)" }.joined(separator: ", ") }
        return "RGB image, resized to \(configuration.imageSize) × \(configuration.imageSize) (bilinear, antialiased), scaled to 0…1, minus \(numbers(configuration.mean)), divided by \(numbers(configuration.std)); and the group of the face, where it is known."
    }

    private var dataDescription: String {
        "\(run.record.data.train) samples for training, \(run.record.data.valid) for validation, \(run.record.data.test) for testing; \(Figure.percent(run.record.data.baseRate)) of the training samples are 1."
    }

    private var uses: [String] {
        ["Research on group fairness of attribute classifiers, and checking such classifiers: reproducing results, comparing methods, teaching."]
    }

    private var limitations: [String] {
        var items = [
            "The attribute and the groups are what annotators saw in photographs, not what people say of themselves; mistakes of the labels are learnt and measured as truth.",
            ReportWords.noImplication,
        ]
        if run.record.data.synthetic { items.insert("Trained on drawn faces: on photographs of people it means nothing.", at: 0) }
        if document.audit == nil { items.append("No predictions were measured for this card.") }
        return items
    }

    private var risks: [(name: String, mitigation: String)] {
        [
            ("Deciding about people by their faces", "Do not use it to decide about anybody: it was not made or tested for that."),
            ("Group attributes are sensitive data", "Give them only where the law and the people concerned allow it; records of unknown group pass through unchanged and are counted."),
        ]
    }

    private var infer: String { "facefair infer --stream \(ShellCommand.quoted(run.folder)) < records.ndjson" }

    // MARK: Markdown

    public var markdown: String {
        var parts = [frontMatter, "# \(name)", overview]
        if run.record.data.synthetic { parts.append("> The faces are drawn by a program. No figure here says anything about real people.") }
        parts += ["## What is guaranteed, and what is not", ReportWords.guarantee(document), ReportWords.noImplication]
        parts += ["## Use", "```sh\n\(infer)\n```", "Input: \(inputFormat)", "Meant for: " + uses.joined(separator: " ")]
        parts += ["Risks:", risks.map { "- \($0.name). \($0.mitigation)" }.joined(separator: "\n")]
        parts += ["## Training", "\(dataName): \(dataDescription) Architecture: \(architecture)"]
        parts.append("```sh\n\(run.trainingCommand)\n```")
        parts.append("## Evaluation")
        if let audit = document.audit {
            parts += [ReportWords.certainty(audit), ReportWords.cost(audit), audit.main.gapTable(audit.settings).markdown]
            parts += [ReportWords.gapColumns(audit), audit.main.groupTable.markdown]
        } else {
            parts.append("No predictions were measured for this card: `\(run.evaluationCommand)` makes them.")
        }
        parts += ["## Limits", limitations.map { "- \($0)" }.joined(separator: "\n")]
        parts.append("Made by facefair \(document.environment.facefairVersion) at \(document.createdAt): `\(document.command.text(in: document.environment))`")
        return parts.joined(separator: "\n\n") + "\n"
    }

    private var frontMatter: String {
        var lines = [
            "---", "license: \(Self.quoted(license ?? "unknown"))", "library_name: facefair", "pipeline_tag: image-classification", "tags:", "- fairness", "- face-attributes",
            "- \(Self.quoted(configuration.criterion.rawValue))",
        ]
        if run.record.data.synthetic { lines.append("- synthetic-data") }
        if !run.record.data.synthetic, configuration.dataset != "folder" { lines += ["datasets:", "- \(Self.quoted(configuration.dataset))"] }
        let measured = performance.filter { $0.slice == nil }
        if !measured.isEmpty {
            lines += ["metrics:"] + measured.filter { $0.isStandard }.map { "- \($0.type)" }
            lines += [
                "model-index:", "- name: \(Self.quoted(name))", "  results:", "  - task:", "      type: image-classification", "    dataset:",
                "      name: \(Self.quoted(dataName))", "      type: \(Self.quoted(configuration.dataset))", "    metrics:",
            ]
            for figure in measured { lines += ["    - type: \(figure.type)", "      name: \(Self.quoted(figure.title))", "      value: \(figure.value)"] }
        }
        return (lines + ["---"]).joined(separator: "\n")
    }

    /// A YAML scalar in double quotes.
    static func quoted(_ text: String) -> String {
        var result = "\""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"": result += "\\\""
            case "\\": result += "\\\\"
            case "\n": result += "\\n"
            case _ where scalar.value < 0x20 || scalar.value == 0x7F: result += String(format: "\\x%02X", scalar.value)
            default: result.unicodeScalars.append(scalar)
            }
        }
        return result + "\""
    }

    // MARK: Figures

    private struct Performance {
        var type: String, title: String, value: Double
        var slice: String?
        var lower: Double?, upper: Double?
        /// One of the Hub's own metrics.
        var isStandard = false
    }

    private var performance: [Performance] {
        guard let audit = document.audit else { return [] }
        let frame = audit.main.after
        var figures: [Performance] = []
        for metric in [Metric.accuracy, .f1, .auc, .balancedAccuracy, .selectionRate, .truePositiveRate, .falsePositiveRate, .meanLogit] {
            let report = frame[metric]
            if let value = report.overall.value {
                figures.append(
                    Performance(
                        type: metric.rawValue, title: metric.title, value: value, lower: metric == .accuracy ? audit.main.after.accuracyLower : nil,
                        upper: metric == .accuracy ? audit.main.after.accuracyUpper : nil, isStandard: [.accuracy, .f1, .auc].contains(metric)))
            }
            for (name, value) in zip(audit.main.groups, report.byGroup) {
                if let value = value.value { figures.append(Performance(type: metric.rawValue, title: metric.title, value: value, slice: name)) }
            }
        }
        for gap in frame.gaps {
            guard let value = gap.value.value else { continue }
            figures.append(
                Performance(type: gap.measure.rawValue, title: "largest gap of \(gap.measure.title)", value: value, lower: gap.lower.value, upper: gap.upper.value))
        }
        return figures
    }

    // MARK: JSON

    /// The card in the schema of model-card-toolkit.
    public var json: [UInt8] {
        get throws {
            let encoder = JSONEncoder()
            encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
            return [UInt8](try encoder.encode(toolkitCard)) + [0x0A]
        }
    }

    private var toolkitCard: ToolkitCard {
        typealias Text = ToolkitCard.Described
        let sensitive = configuration.groupBy + [configuration.target]
        return ToolkitCard(
            model_details: .init(
                name: name, overview: overview, documentation: ReportWords.guarantee(document) + " " + ReportWords.noImplication,
                version: .init(name: "facefair \(run.record.facefairVersion), seed \(configuration.seed)", date: String((run.record.finishedAt ?? run.record.startedAt).prefix(10))),
                licenses: [license.map { .init(identifier: $0, custom_text: nil) } ?? .init(identifier: nil, custom_text: "No licence was named.")]),
            model_parameters: .init(
                model_architecture: architecture,
                data: [.init(name: dataName, description: dataDescription, sensitive: .init(sensitive_data: sensitive))],
                input_format: inputFormat, output_format: "One logit per face, before and after the fairness layer; its sigmoid is the score."),
            quantitative_analysis: .init(
                performance_metrics: performance.map { figure in
                    .init(
                        type: figure.type, value: "\(figure.value)", slice: figure.slice,
                        confidence_interval: figure.lower.flatMap { low in figure.upper.map { .init(lower_bound: "\(low)", upper_bound: "\($0)") } })
                }),
            considerations: .init(
                users: [Text("Researchers and auditors of face-attribute classifiers.")], use_cases: uses.map(Text.init),
                limitations: limitations.map(Text.init), tradeoffs: document.audit.map { [Text(ReportWords.cost($0))] } ?? [],
                ethical_considerations: risks.map { .init(name: $0.name, mitigation_strategy: $0.mitigation) }))
    }
}

/// The part of the schema that a run can fill. Source: model-card-toolkit, schema/v0.0.2/model_card.schema.json.
private struct ToolkitCard: Encodable {
    struct Described: Encodable {
        var description: String
        init(_ text: String) { description = text }
    }
    struct Details: Encodable {
        struct Version: Encodable { var name: String, date: String }
        struct License: Encodable { var identifier: String?, custom_text: String? }
        var name: String, overview: String, documentation: String
        var version: Version
        var licenses: [License]
    }
    struct Parameters: Encodable {
        struct Sensitive: Encodable { var sensitive_data: [String] }
        struct Data: Encodable { var name: String, description: String, sensitive: Sensitive }
        var model_architecture: String
        var data: [Data]
        var input_format: String, output_format: String
    }
    struct Analysis: Encodable {
        struct Interval: Encodable { var lower_bound: String, upper_bound: String }
        struct Metric: Encodable { var type: String, value: String, slice: String?, confidence_interval: Interval? }
        var performance_metrics: [Metric]
    }
    struct Considerations: Encodable {
        struct Risk: Encodable { var name: String, mitigation_strategy: String }
        var users: [Described], use_cases: [Described], limitations: [Described], tradeoffs: [Described]
        var ethical_considerations: [Risk]
    }
    var schema_version = "0.0.2"
    var model_details: Details
    var model_parameters: Parameters
    var quantitative_analysis: Analysis
    var considerations: Considerations
}
