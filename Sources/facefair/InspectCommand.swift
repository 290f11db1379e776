// facefair inspect: what a file of facefair holds, without changing it.
import ArgumentParser
import Fairness
import Foundation
import Inference

struct InspectCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "inspect", abstract: "Show what a file holds.", subcommands: [InspectStateCommand.self])
}

struct InspectStateCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "state",
        abstract: "Show the durable state of a stream, also while it runs.",
        discussion: """
            --format json prints one object: file, updated, binding {modelHash, modelName, features, criterion, epsilon, algorithm, \
            parameters, replayBy}, next_seq, kept_answers, sources [{name, records, last_offset}], totals {records, ok, failed, failures, \
            unknown_group, images_with_warnings, batches, regimes, labelled, accuracy_raw, accuracy, pooled_gap_raw, pooled_gap}, \
            fairness {algorithm, epsilon, lambda, updates, samples, average_gap, pooled_gap, bound}, groups [{group, count, mean_raw, \
            mean}], online (the algorithm's own state, exact).

            Exit: 0; 65 no state file or a damaged one; 66 no such file; 77 not permitted.
            """)

    @Argument(help: ArgumentHelp("State file of 'facefair infer --stream --state'.", valueName: "file"))
    var file: String

    @OptionGroup var output: OutputArguments

    func run() throws {
        let saved = try SavedStream(reading: file)
        let online = try saved.decodedOnline(file)
        switch output.format {
        case .json:
            var writer = JSONWriter()
            try write(saved, online, to: &writer)
            Console.output(writer.text)
        case .human: for line in lines(saved, online) { Console.output(line) }
        }
    }

    private func write(_ saved: SavedStream, _ online: OnlineFairness, to writer: inout JSONWriter) throws {
        let binding = try JSONEncoder.state.encode(saved.binding)
        writer.object { object in
            object.field("file", file)
            object.field("updated", saved.updated)
            object.json("binding", [UInt8](binding))
            object.field("next_seq", saved.nextSequence)
            object.field("kept_answers", saved.keptAnswers)
            object.array("sources") { list in
                for source in saved.sources {
                    list.object { object in
                        object.field("name", source.name)
                        object.field("records", source.records)
                        object.field("last_offset", source.lastOffset)
                    }
                }
            }
            object.object("totals") { saved.totals.write(to: &$0) }
            FairnessObject(online).write(to: &object)
            object.array("groups") { groups in
                for group in 0..<online.groupCount {
                    groups.object { object in
                        object.field("group", saved.binding.features.label(group))
                        object.field("count", saved.totals.fair.counts[group])
                        object.field("mean_raw", saved.totals.raw.means[group])
                        object.field("mean", saved.totals.fair.means[group])
                    }
                }
            }
            object.json("online", [UInt8](saved.online))
        }
    }

    private func lines(_ saved: SavedStream, _ online: OnlineFairness) -> [String] {
        func fixed(_ value: Double) -> String { String(format: "%.6f", value) }
        let (binding, totals) = (saved.binding, saved.totals)
        let parameters = binding.parameters.sorted { $0.key < $1.key }.map { "\($0.key) \($0.value)" }.joined(separator: " ")
        var lines = [
            "state of \(binding.modelName) (\(binding.modelHash)), last written \(saved.updated)",
            "--online \(binding.algorithm) --epsilon \(binding.epsilon) \(parameters) --replay-by \(binding.replayBy), criterion \(binding.criterion)",
            "\(totals.records) records: \(totals.answered) ok, \(totals.failed) failed, \(totals.unknownGroups) of unknown group; \(totals.batches) batches; next seq \(saved.nextSequence)",
        ]
        for code in totals.failures.keys.sorted() { lines.append("  \(code): \(totals.failures[code]!)") }
        if totals.imagesWithWarnings > 0 { lines.append(InferSummary.lenient(totals.imagesWithWarnings)) }
        for source in saved.sources {
            let place = source.lastOffset.map { ", last offset \($0)" } ?? ""
            lines.append("source \(source.name.isEmpty ? "(one)" : source.name): \(source.records) records\(place)")
        }
        if binding.replayBy != "none" { lines.append("answers kept for replays: \(saved.keptAnswers)") }
        let bounded = online.name == .anytime ? "gap of everything answered" : "average gap of batches"
        lines.append("\(bounded) \(fixed(online.name == .anytime ? online.pooledGap : online.averageGap)), bound \(fixed(online.bound)) after \(online.updates) updates, lambda \(fixed(online.multiplier))")
        lines.append("mean-logit gap over all records  raw \(fixed(totals.raw.gap))  fair \(fixed(totals.fair.gap))")
        for group in 0..<online.groupCount {
            guard let raw = totals.raw.means[group], let fair = totals.fair.means[group] else { continue }
            lines.append("  \(binding.features.label(group)): \(totals.fair.counts[group]) records, mean logit raw \(fixed(raw))  fair \(fixed(fair))")
        }
        return lines
    }
}
