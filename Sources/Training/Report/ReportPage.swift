// The report as a page: the five questions first, then training, groups, gaps, stream, records, and how to make it again.
import Fairness
import Foundation
import Inference
import Reporting

public struct ReportPage {
    let document: ReportDocument
    var page: HTMLPage

    public init(_ document: ReportDocument) {
        self.document = document
        page = HTMLPage(title: document.title)
    }

    /// The whole page.
    public var html: String {
        var copy = self
        copy.build()
        let source = document.run.map { "Run \($0.folder)" } ?? document.audit.map { "Predictions \($0.source.file)" } ?? ""
        return copy.page.html(
            subtitle: "\(source) · \(document.createdAt)",
            footer: "Made by facefair \(document.environment.facefairVersion). `--json FILE` writes every figure of this page, and more, as JSON.")
    }

    private mutating func build() {
        badges()
        if document.synthetic == true {
            page.notice("The faces are drawn by a program. No figure here says anything about real people.", tone: .unsure)
        }
        questions()
        if let run = document.run { training(run) }
        guarantee()
        if let run = document.run { curves(run) }
        if let audit = document.audit {
            groups(audit)
            gaps(audit)
            confusion(audit)
            if let stream = audit.stream { streamSection(stream) }
            disagreements(audit)
            undefined(audit)
        }
        environment()
    }

    // MARK: In short

    private mutating func badges() {
        var badges: [(text: String, tone: HTMLPage.Tone)] = []
        if let synthetic = document.synthetic { badges.append((synthetic ? "synthetic faces" : "real data", synthetic ? .unsure : .neutral)) }
        if let run = document.run {
            badges.append(("run \(run.record.status.rawValue)", run.record.status == .finished ? .good : .unsure))
        }
        for gap in document.audit?.main.after.gaps ?? [] {
            guard let verdict = gap.verdict else { continue }
            badges.append(("\(gap.measure.title): \(verdict.rawValue.split(separator: "_").joined(separator: " "))", verdict.tone))
        }
        for gate in document.audit?.gates ?? [] {
            badges.append(("gate \(gate.name.split(separator: "_").joined(separator: " ")) \(gate.name == "accuracy" ? "≥" : "≤") \(gate.limit) \(gate.passed ? "passed" : "failed")", gate.passed ? .good : .bad))
        }
        if !badges.isEmpty { page.badges(badges) }
    }

    private mutating func questions() {
        page.section("In short")
        guard let audit = document.audit else {
            page.notice("This run has no predictions yet, so whether it is fair is not known. Make them, then the report again:", tone: .unsure)
            if let run = document.run { page.code("\(run.evaluationCommand)\n\(document.command.text)") }
            return
        }
        let frame = audit.main.after, before = audit.main.before, confidence = audit.settings.intervals.confidence
        func sentence(_ measure: Measure) -> String { ReportWords.sentence(frame[measure], before: before?[measure], confidence: confidence) }
        func tone(_ measure: Measure) -> HTMLPage.Tone { frame[measure].verdict?.tone ?? .neutral }
        page.facts([
            .init("Are the scores fair?", "Largest gap of mean logits: \(sentence(.meanLogitGap))", tone: tone(.meanLogitGap)),
            .init(
                "Are the decisions fair?",
                "Largest gap of selection rates: \(sentence(.demographicParityDifference)) Of TPR or FPR: \(sentence(.equalizedOddsDifference))",
                tone: tone(.demographicParityDifference)),
            .init("By which measure?", ReportWords.measures),
            .init("How sure?", ReportWords.certainty(audit)),
            .init("At what cost in accuracy?", ReportWords.cost(audit)),
            .init("How do I make it again?", commands.joined(separator: "\n"), isCode: true),
        ])
        if !audit.gates.isEmpty { page.list(audit.gates.map { "Gate \($0.passed ? "passed" : "FAILED"): \($0.text)." }) }
    }

    /// From the data to this page.
    private var commands: [String] {
        var commands: [String] = []
        if let run = document.run {
            commands.append(run.trainingCommand)
            if let audit = document.audit, RunEvidence.predictionNames.contains(URL(fileURLWithPath: audit.source.file).lastPathComponent) {
                commands.append(run.evaluationCommand)
            }
        }
        if let audit = document.audit, audit.command != document.command { commands.append(audit.command.text(in: audit.environment)) }
        return commands + [document.command.text(in: document.environment)]
    }

    // MARK: Training

    private mutating func training(_ run: RunEvidence) {
        let record = run.record, settings = record.configuration
        page.section("What was trained on what")
        let kind = record.data.synthetic ? "SYNTHETIC \(settings.dataset), drawn faces" : settings.dataset
        let optimizer = "\(settings.optimizer.rawValue), learning rate \(settings.learningRate) (backbone \(settings.backboneLearningRate)), "
            + "\(settings.schedule.rawValue) schedule, weight decay \(settings.weightDecay), batches of \(settings.batchSize)"
        var outcome = "\(record.status.rawValue) after \(record.epochsRun) of at most \(settings.epochs) epochs"
        if let best = record.bestEpoch { outcome += "; best epoch \(best) by validation \(settings.evaluationMetric.rawValue)" }
        if let loss = record.bestValidLoss { outcome += ", loss \(Figure.text(loss))" }
        var facts: [HTMLPage.Fact] = [
            .init("Data", "\(kind), `\(record.data.root)`: \(record.data.train) train, \(record.data.valid) valid, \(record.data.test) test"),
            .init("Target", "\(settings.target), \(Figure.percent(record.data.baseRate)) of the training samples are 1"),
            .init("Groups", settings.groupBy.joined(separator: " × ")),
            .init("Model", "\(settings.model.rawValue), \(record.parameters) parameters, images of \(settings.imageSize) px"),
            .init("Method", "\(settings.method.rawValue); criterion \(settings.criterion.rawValue), ε = \(settings.epsilon) logits"),
            .init("Optimizer", optimizer),
            .init("Seed", "\(settings.seed)"),
            .init("Outcome", outcome),
            .init("Time", "\(record.startedAt) to \(record.finishedAt ?? "–"), \(record.threads) threads, \(record.workers) workers"),
        ]
        if record.badImages > 0 {
            facts.append(.init("Refused images", "\(record.badImages) could not be decoded and took no part; see bad_images.jsonl", tone: .unsure))
        }
        page.facts(facts)
        var table = Table(title: "Training samples by group", [.init("group", .left), .init("n"), .init("share")])
        for (group, count) in record.data.groups.sorted(by: { $0.key < $1.key }) {
            table.append([group.isEmpty ? "unknown" : group, "\(count)", Figure.percent(Double(count) / Double(max(record.data.train, 1)))])
        }
        page.table(table)
        if let flags = run.flags { page.details("Every setting, as facefair train \(settings.dataset) --config takes it") { $0.code(flags) } }
    }

    private mutating func guarantee() {
        page.section("What is guaranteed, and what is not")
        page.paragraph(ReportWords.guarantee(document) + " " + ReportWords.noImplication)
    }

    private mutating func curves(_ run: RunEvidence) {
        guard !run.epochs.isEmpty else { return }
        page.section("Training curves")
        func chart(
            _ title: String, _ y: String, unit: String? = nil, scale: SVGChart.Axis.Scale = .linear, _ columns: [(name: String, column: String)],
            limits: [SVGChart.Limit] = []
        ) -> SVGChart? {
            let series = columns.map { SVGChart.Series($0.name, run.points($0.column)) }.filter { !$0.points.isEmpty }
            guard !series.isEmpty else { return nil }
            let ends = series.map { line in
                "\(line.name) from \(Figure.text(line.points[0].y)) in epoch \(Int(line.points[0].x)) to \(Figure.text(line.points[line.points.count - 1].y)) in epoch \(Int(line.points[line.points.count - 1].x))"
            }
            var chart = SVGChart.lines(
                title: title, description: "\(title): \(ends.joined(separator: "; ")).", x: .init("epoch", isWhole: true),
                y: .init(y, unit: unit, scale: scale), series: series, limits: limits)
            chart.width = Self.chartWidth
            return chart
        }
        let epsilon = run.record.configuration.epsilon
        page.charts(
            [
                chart("Loss", "loss", unit: "nats per sample", [("training", "train_loss"), ("validation", "val_loss")]),
                chart(
                    "Accuracy", "accuracy",
                    [
                        ("training", "train_accuracy"), ("validation", "val_accuracy"), ("validation, balanced", "val_balanced_accuracy"),
                        ("validation, worst group", "val_worst_group_accuracy"),
                    ]),
                chart(
                    "Mean-logit gap of scores", "gap", unit: "logits", scale: .logarithmic,
                    [
                        ("training, raw", "train_gap_raw"), ("training, after the method", "train_gap"), ("validation, raw", "val_gap_raw"),
                        ("validation, after the method", "val_gap_score"),
                    ], limits: epsilon > 0 ? [.init("ε = \(epsilon)", epsilon)] : []),
                chart("Gap of decisions on the validation split", "difference of selection rates", [("selection rate", "val_gap_decision")]),
                run.points("lambda").contains { $0.y != 0 } ? chart("Multiplier λ of the layer", "λ", [("λ", "lambda")]) : nil,
            ].compactMap(\.self))
    }

    /// Of a chart: two or three fit beside each other, and one on a phone at nearly full size. Units: pixels.
    static let chartWidth = 380.0
}
