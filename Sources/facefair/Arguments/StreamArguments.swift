// The flags of `infer --stream`: ready logits, the durable state, and how replays are told apart.
import ArgumentParser
import Fairness
import Foundation
import Inference

enum ReplayBy: String, ExpressibleByArgument, CaseIterable { case none, position, offset, id }

struct StreamArguments: ParsableArguments {
    @Flag(help: "The records bring their logits; there is no network. Groups come from the model, if one is named, or from --group-by and --groups.")
    var scores = false

    @Option(help: ArgumentHelp("With --scores and no model: the sensitive features, each 0 or 1 unless --groups declares its values.", valueName: "name,…"))
    var groupBy: String?

    @Option(help: ArgumentHelp("With --scores and no model: a sensitive feature and its values; once per feature.", valueName: "name=value,…"))
    var groups: [String] = []

    @Option(help: ArgumentHelp("Keep the stream's state in this file: a later run goes on where this one was, however it ended.", valueName: "file"))
    var state: String?

    @Flag(help: "Go on with the state of another model file, with the same groups and settings.")
    var adoptState = false

    @Option(help: "With --state: how a record that was counted before is known: by its number in the input, its key offset, or its key id.")
    var replayBy = ReplayBy.none

    @Option(help: ArgumentHelp("With --replay-by offset or id: the record keys that together name its source, such as topic,partition.", valueName: "key,…"))
    var sourceKey: String?

    @Option(help: ArgumentHelp("With --replay-by position: the input's name.", valueName: "name"))
    var source = "stdin"

    @Option(help: ArgumentHelp("With --replay-by position: the number of the first record that is sent, counted from 0.", valueName: "n"))
    var sourceStart = 0

    @Option(help: ArgumentHelp("With --replay-by: how many records' answers are kept to be given again.", valueName: "records"))
    var replayWindow = 100_000

    func validate() throws {
        guard sourceStart >= 0 else { throw ValidationError("--source-start \(sourceStart) must be at least 0.") }
        guard (0...1_000_000_000).contains(replayWindow) else {
            throw ValidationError("--replay-window \(replayWindow) must lie between 0 and 1000000000.")
        }
        guard state != nil || (replayBy == .none && !adoptState) else {
            throw ValidationError("--replay-by and --adopt-state need --state: what was counted before stands in that file.")
        }
        if sourceKey != nil && replayBy != .offset && replayBy != .id {
            throw ValidationError("--source-key names the source of a record with --replay-by offset or id.")
        }
        if (source != "stdin" || sourceStart != 0) && replayBy != .position {
            throw ValidationError("--source and --source-start describe the input with --replay-by position.")
        }
        if !scores && (groupBy != nil || !groups.isEmpty) {
            throw ValidationError("--group-by and --groups declare groups for --scores; without it the model's count.")
        }
        if scores { _ = try declaredGroups() }
    }

    var identity: ReplayIdentity {
        let keys = sourceKey.map { $0.split(separator: ",").map(String.init) } ?? []
        return switch replayBy {
        case .none: .none
        case .position: .position(source: source, first: sourceStart)
        case .offset: .offset(sourceKeys: keys)
        case .id: .id(sourceKeys: keys)
        }
    }

    /// The groups of `--group-by` and `--groups`, nil without either.
    func declaredGroups() throws -> SensitiveFeatures? {
        var values: [String: [String]] = [:]
        var order = groupBy.map { $0.split(separator: ",").map { $0.trimmingCharacters(in: .whitespaces) } } ?? []
        for declaration in groups {
            let pair = declaration.split(separator: "=", maxSplits: 1).map { $0.trimmingCharacters(in: .whitespaces) }
            guard pair.count == 2 else { throw ValidationError("--groups \(declaration): write a feature and its values, such as race=White,Black.") }
            let list = pair[1].split(separator: ",", omittingEmptySubsequences: false).map { $0.trimmingCharacters(in: .whitespaces) }
            guard Set(list).count == list.count, !list.contains("") else {
                throw ValidationError("--groups \(declaration): each value stands once, and none is empty.")
            }
            guard values.updateValue(list, forKey: pair[0]) == nil else { throw ValidationError("--groups \(pair[0]) is given twice.") }
            if groupBy == nil { order.append(pair[0]) }
        }
        for name in values.keys where !order.contains(name) { throw ValidationError("--groups \(name): --group-by does not name it.") }
        guard Set(order).count == order.count else { throw ValidationError("--group-by names a feature twice.") }
        let features = order.map { SensitiveFeatures.Feature(name: $0, values: values[$0] ?? ["0", "1"]) }
        guard features.reduce(1.0, { $0 * Double($1.values.count) }) <= 65_536 else {
            throw ValidationError("--groups: more than 65536 groups.")
        }
        return features.isEmpty ? nil : SensitiveFeatures(features)
    }
}
