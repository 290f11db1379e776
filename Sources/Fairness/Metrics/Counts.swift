// The counts and sums that every metric is a quotient of; one per group and one overall.
import Foundation

/// Labelled or unlabelled predictions with their groups. Scores are logits; unless decisions are given, a decision is
/// `sigmoid(score) ≥ threshold`.
public struct Predictions: Sendable {
    public var scores: [Double]
    /// 0, 1, or nil where the truth is unknown.
    public var labels: [Int?]
    public var groups: [Int]
    /// Probabilities where they are known better than as the sigmoid of a logit (which has no 0 and no 1).
    public var probabilities: [Double]?
    /// 0 or 1 where somebody else has decided.
    public var decisions: [Int]?

    public init(scores: [Double] = [], labels: [Int?] = [], groups: [Int] = []) {
        precondition(scores.count == labels.count && scores.count == groups.count, "predictions of unequal lengths")
        self.scores = scores
        self.labels = labels
        self.groups = groups
    }

    public mutating func append(score: Double, label: Int?, group: Int) {
        precondition(probabilities == nil && decisions == nil, "appending a bare score to decided predictions")
        scores.append(score)
        labels.append(label)
        groups.append(group)
    }

    /// The decision of a row; nil where nothing decides it.
    public func decision(_ row: Int, threshold: Double) -> Bool? {
        if let decisions { return decisions[row] == 1 }
        if let probability = probabilities?[row], !probability.isNaN { return probability >= threshold }
        return scores[row].isFinite ? sigmoid(scores[row]) >= threshold : nil
    }
}

/// 1 / (1 + e^−x), without overflow at either end.
public func sigmoid(_ logit: Double) -> Double {
    if logit >= 0 { return 1 / (1 + exp(-logit)) }
    let e = exp(logit)
    return e / (1 + e)
}

/// How decisions meet labels in one group.
public struct ConfusionMatrix: Codable, Equatable, Sendable {
    public var truePositives = 0, falsePositives = 0, trueNegatives = 0, falseNegatives = 0
    /// Rows without a label.
    public var unlabelledSelected = 0, unlabelledRejected = 0

    public var positives: Int { truePositives + falseNegatives }
    public var negatives: Int { falsePositives + trueNegatives }
    public var labelled: Int { positives + negatives }
    public var selected: Int { truePositives + falsePositives + unlabelledSelected }
    public var count: Int { labelled + unlabelledSelected + unlabelledRejected }
    public var right: Int { truePositives + trueNegatives }

    public init() {}
}

/// Additive tallies of a set of predictions.
struct Counts {
    var count = 0
    var confusion = ConfusionMatrix()
    /// Rows that lack what a metric needs: they leave it undefined.
    var undecided = 0, withoutLogit = 0, withoutProbability = 0, labelledWithoutLogit = 0
    var logitSum = 0.0, probabilitySum = 0.0, lossSum = 0.0
    /// Of the ranking of positives over negatives; nil when scores are missing.
    var concordance: Double?

    var labelled: Int { confusion.labelled }

    mutating func add(_ p: Predictions, _ row: Int, threshold: Double) {
        let score = p.scores[row], label = p.labels[row]
        precondition(label == nil || label == 0 || label == 1, "label \(label!) is neither 0 nor 1")
        count += 1
        if score.isFinite {
            logitSum += score
        } else {
            withoutLogit += 1
            labelledWithoutLogit += label == nil ? 0 : 1
        }
        let probability = p.probabilities?[row] ?? (score.isFinite ? sigmoid(score) : .nan)
        if probability.isNaN { withoutProbability += 1 } else { probabilitySum += probability }
        if let label, score.isFinite {
            // log(1 + e^−|z|) + max(z, 0) − z·y, the stable form of torch.nn.BCEWithLogitsLoss
            lossSum += max(score, 0) - score * Double(label) + log1p(exp(-abs(score)))
        }
        guard let decision = p.decision(row, threshold: threshold) else {
            undecided += 1
            return
        }
        switch (label, decision) {
        case (1, true): confusion.truePositives += 1
        case (1, false): confusion.falseNegatives += 1
        case (0, true): confusion.falsePositives += 1
        case (0, false): confusion.trueNegatives += 1
        case (_, true): confusion.unlabelledSelected += 1
        case (_, false): confusion.unlabelledRejected += 1
        }
    }
}

/// Counts overall, per group and of the unknown group, with the ranking that the area under the ROC curve needs.
struct Tally {
    var overall = Counts(), unknown = Counts()
    var groups: [Counts]
    /// Σ (logit − group mean)² per group. Units: squared logits.
    var squaredDeviations: [Double]

    init(_ p: Predictions, groupCount: Int, threshold: Double) {
        groups = Array(repeating: Counts(), count: groupCount)
        for (row, group) in p.groups.enumerated() {
            overall.add(p, row, threshold: threshold)
            if group == unknownGroup {
                unknown.add(p, row, threshold: threshold)
            } else {
                precondition(groups.indices.contains(group), "group \(group) is outside 0..<\(groupCount)")
                groups[group].add(p, row, threshold: threshold)
            }
        }
        // Two passes: the difference of large sums of squares would lose the variance of well separated scores.
        let means = groups.map { $0.logitSum / Double(max($0.count, 1)) }
        squaredDeviations = Array(repeating: 0, count: groupCount)
        for (score, group) in zip(p.scores, p.groups) where group != unknownGroup {
            squaredDeviations[group] += (score - means[group]) * (score - means[group])
        }
        rank(p)
    }

    /// For each part, the number of pairs (positive, negative) in which the positive scores higher, ties counting half.
    private mutating func rank(_ p: Predictions) {
        let groupCount = groups.count, parts = groupCount + 2
        var isRankable = Array(repeating: true, count: parts)
        var rows: [(score: Double, label: Int, group: Int)] = []
        for (row, label) in p.labels.enumerated() {
            guard let label else { continue }
            let group = p.groups[row] == unknownGroup ? groupCount : p.groups[row]
            if p.scores[row].isNaN {
                isRankable[group] = false
                isRankable[groupCount + 1] = false
            } else {
                rows.append((p.scores[row], label, group))
            }
        }
        rows.sort { $0.score < $1.score }
        var negatives = Array(repeating: 0, count: parts), concordant = Array(repeating: 0.0, count: parts)
        var tiedPositives = Array(repeating: 0, count: parts), tiedNegatives = Array(repeating: 0, count: parts)
        var start = 0
        while start < rows.count {
            var end = start
            while end < rows.count && rows[end].score == rows[start].score {
                for part in [rows[end].group, groupCount + 1] {
                    if rows[end].label == 1 { tiedPositives[part] += 1 } else { tiedNegatives[part] += 1 }
                }
                end += 1
            }
            for row in start..<end {
                for part in [rows[row].group, groupCount + 1] where tiedPositives[part] + tiedNegatives[part] > 0 {
                    concordant[part] += Double(tiedPositives[part]) * (Double(negatives[part]) + Double(tiedNegatives[part]) / 2)
                    negatives[part] += tiedNegatives[part]
                    (tiedPositives[part], tiedNegatives[part]) = (0, 0)
                }
            }
            start = end
        }
        func value(_ part: Int) -> Double? { isRankable[part] ? concordant[part] : nil }
        for k in groups.indices { groups[k].concordance = value(k) }
        unknown.concordance = value(groupCount)
        overall.concordance = value(groupCount + 1)
    }
}
