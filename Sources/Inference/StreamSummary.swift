// What a stream did: counts and sums, for a run's last words and for the saved state.
import Fairness

/// Additive figures of the records a stream answered; replays are not among them.
public struct StreamSummary: Codable, Equatable, Sendable {
    public internal(set) var answered = 0
    /// By the name of the ``RecordErrorCode``.
    public internal(set) var failures: [String: Int] = [:]
    public internal(set) var batches = 0
    /// Batches with at least one score, by the name of the `Regime`.
    public internal(set) var regimes: [String: Int] = [:]
    public internal(set) var unknownGroups = 0
    /// nil until there is one: states saved before it was counted have no such key.
    private var lenientImages: Int?
    /// Sums of the network's logits and of the fair ones.
    public internal(set) var raw: GroupSums
    public internal(set) var fair: GroupSums
    public internal(set) var labelled = 0
    public internal(set) var rightBefore = 0
    public internal(set) var rightAfter = 0

    package init(groupCount: Int) {
        raw = GroupSums(groupCount: groupCount)
        fair = GroupSums(groupCount: groupCount)
    }

    /// Answered records whose image was read in spite of decoder warnings (--lenient-images).
    public var imagesWithWarnings: Int { lenientImages ?? 0 }
    public var failed: Int { failures.values.reduce(0, +) }
    public var records: Int { answered + failed }
    public var accuracyBefore: Double? { labelled > 0 ? Double(rightBefore) / Double(labelled) : nil }
    public var accuracyAfter: Double? { labelled > 0 ? Double(rightAfter) / Double(labelled) : nil }

    mutating func add(_ step: OnlineStep, raw scores: [Double], groups: [Int]) {
        regimes[step.regime.rawValue, default: 0] += 1
        // Neither can throw: the step has accepted these scores and groups.
        if let sums = try? GroupSums(scores, groups: groups, groupCount: raw.groupCount) { raw.merge(sums) }
        if let sums = try? GroupSums(step.scores, groups: groups, groupCount: fair.groupCount) { fair.merge(sums) }
    }

    mutating func count(_ score: RecordAnswer.Score, label: Int?, threshold: Double) {
        answered += 1
        unknownGroups += score.group == unknownGroup ? 1 : 0
        if score.imageWarnings > 0 { lenientImages = imagesWithWarnings + 1 }
        guard let label else { return }
        labelled += 1
        rightBefore += (sigmoid(score.rawLogit) >= threshold) == (label == 1) ? 1 : 0
        rightAfter += (sigmoid(score.logit) >= threshold) == (label == 1) ? 1 : 0
    }

    /// The fields of a summary object.
    public func write(to object: inout JSONWriter) {
        object.field("records", records)
        object.field("ok", answered)
        object.field("failed", failed)
        object.object("failures") { codes in
            for code in RecordErrorCode.allCases { if let count = failures[code.rawValue] { codes.field(code.rawValue, count) } }
        }
        object.field("unknown_group", unknownGroups)
        object.field("images_with_warnings", imagesWithWarnings)
        object.field("batches", batches)
        object.object("regimes") { names in for name in regimes.keys.sorted() { names.field(name, regimes[name]) } }
        object.field("labelled", labelled)
        object.field("accuracy_raw", accuracyBefore)
        object.field("accuracy", accuracyAfter)
        object.field("pooled_gap_raw", raw.gap)
        object.field("pooled_gap", fair.gap)
    }
}
