// Sentences that the page and the model card share. What is promised, what is not, and how sure it is: said once.
import Fairness
import Foundation
import Inference
import Reporting

extension Measure {
    /// For headings: what is compared, with fairlearn's word for it.
    public var title: String {
        switch self {
        case .meanLogitGap: "mean logits (scores)"
        case .demographicParityDifference: "selection rate (demographic parity)"
        case .equalOpportunityDifference: "TPR (equal opportunity)"
        case .equalizedOddsDifference: "TPR, FPR (equalized odds)"
        case .accuracyDifference: "accuracy"
        }
    }

    var unit: String { self == .meanLogitGap ? "logits" : "share of one" }
}

extension Metric {
    var title: String {
        switch self {
        case .truePositiveRate: "TPR"
        case .falsePositiveRate: "FPR"
        default:
            rawValue.split(separator: "_").joined(separator: " ")
        }
    }
}

extension Verdict {
    var tone: HTMLPage.Tone {
        switch self {
        case .pass: .good
        case .fail: .bad
        case .insufficientData: .unsure
        }
    }
}

enum ReportWords {
    /// What the layer promises for these scores.
    static func guarantee(_ document: ReportDocument) -> String {
        let configuration = document.run?.record.configuration
        let threshold = configuration.map { "b_τ = \($0.batchThreshold)" } ?? "b_τ"
        switch document.layer {
        case .projection(let tolerance):
            let epsilon = tolerance.map { "ε = \($0)" } ?? "its ε"
            return """
                In every batch that the fairness layer projects, the mean logits of any two groups differ by at most \(epsilon) logits, exactly up to \
                rounding; no smaller change of the scores, in the sense of least squares, would do that. Here the layer was given \
                \(document.audit?.settings.projected != nil ? "all rows of the table as one batch" : "batches that this table does not record"). \
                In a stream, batches below the threshold \(threshold) are bound on average only.
                """
        case .primalDual:
            return """
                Batches of at least \(threshold) records of known groups are projected: their group means differ by at most ε. Smaller batches take \
                one step of the online primal-dual algorithm, which bounds the average over records of their batches' gaps by the bound drawn below, \
                for any stream. It does not bound the gap of everything answered so far; that is measured and drawn beside it.
                """
        case .anytime:
            return """
                At every moment of the stream, for any order and any batch sizes, the mean logits of everything answered so far differ between two \
                groups i and j by at most ε + C/N_i + C/N_j, where N is a group's number of answers and C the cap of the stream. The bound drawn \
                below is this one.
                """
        case .none:
            guard document.audit != nil else {
                return "Training alone guarantees nothing: the layer acts where scores are made, in `facefair infer`, `evaluate` and `project`."
            }
            return "No fairness layer is known to have acted on these scores, so nothing is guaranteed: all figures are measurements of this table."
        }
    }

    static let noImplication = """
        Equal mean logits do not imply equal selection rates, equal error rates or equal accuracy, which is why decisions are measured apart from scores. \
        Nothing here speaks of individuals, of differences within a group, of groups that were not declared, or of people whose group is unknown or \
        wrongly recorded: unknown rows pass through unchanged. A tolerance that holds in this table need not hold for other people; the intervals say how \
        far it may be off if they are like these.
        """

    /// How to read the columns of `GroupingReport.gapTable`.
    static func gapColumns(_ audit: AuditDocument) -> String {
        """
        "At least" and "at most" are the ends of the intervals: with \(Figure.percent(audit.settings.intervals.confidence)) confidence the largest gap \
        among people like these lies between them. p is the share of shuffles of group names that show as large a scatter: small means that \
        there is a gap at all.
        """
    }

    /// Of one measure, in sentences: this table, before and after; people like these, and how sure; the verdict.
    static func sentence(_ gap: GapMeasure, before: GapMeasure?, confidence: Double) -> String {
        guard let value = gap.value.value else { return "undefined, \(gap.value.reason ?? "no value")." }
        var text = "\(Figure.text(value)) in this table"
        if let old = before?.value.value { text += " (\(Figure.text(old)) before the layer)" }
        if let tolerance = gap.tolerance { text += ", \(value <= tolerance + Audit.slack ? "within" : "beyond") the tolerance \(tolerance)" }
        text += ". Among people like these "
        if let lower = gap.lower.value, let upper = gap.upper.value {
            text += "it lies between \(Figure.text(lower)) and \(Figure.text(upper)) with \(Figure.percent(confidence)) confidence"
        } else {
            text += "it has no upper limit (\(gap.upper.reason ?? "too few rows"))"
        }
        switch gap.verdict {
        case .pass: text += ": within the tolerance, too. Verdict: pass."
        case .fail: text += ": beyond the tolerance. Verdict: fail."
        case .insufficientData: text += "; these data cannot tell whether it is within the tolerance. Verdict: insufficient data."
        case nil: text += ". No tolerance was set, so there is no verdict."
        }
        return text
    }

    static let measures = """
        Scores: the mean-logit gap, the largest difference of mean logits between two groups. Decisions: demographic parity (selection rates), equal \
        opportunity (true positive rates), equalized odds (true and false positive rates), and accuracy; 0 is parity in each. The kinds imply \
        nothing about each other.
        """

    static func certainty(_ audit: AuditDocument) -> String {
        let counts = audit.main.after[.count].byGroup.enumerated().compactMap { k, value in value.value.map { (audit.main.groups[k], Int($0)) } }
        let present = counts.filter { $0.1 > 0 }
        let settings = audit.settings.intervals
        var text = "\(audit.source.rows) rows, \(audit.source.labelled) with labels, in \(present.count) groups"
        if let smallest = present.min(by: { $0.1 < $1.1 }) { text += "; the smallest is \(smallest.0) with \(smallest.1)" }
        let absent = counts.count - present.count
        if absent > 0 { text += "; \(absent) more \(absent == 1 ? "group has" : "groups have") no rows" }
        return text + """
            . The intervals of all pairs of groups hold together with \(Figure.percent(settings.confidence)) confidence (\(settings.draws) resamples of the \
            counts, seed \(settings.seed)), if the rows are independent draws and scores keep being made as these were.
            """
    }

    static func cost(_ audit: AuditDocument) -> String {
        let after = audit.main.after[.accuracy].overall
        guard let accuracy = after.value else { return "Accuracy is undefined: \(after.reason ?? "no value")." }
        var interval = ""
        if let low = audit.main.after.accuracyLower, let high = audit.main.after.accuracyUpper {
            interval = " (\(Figure.text(low)) to \(Figure.text(high)) at \(Figure.percent(audit.settings.intervals.confidence)))"
        }
        guard let before = audit.main.before?[.accuracy].overall.value else {
            return "Accuracy is \(Figure.text(accuracy))\(interval). The table holds no scores from before a fairness layer, so its cost cannot be told from it."
        }
        var text = "Accuracy \(Figure.text(before)) before the layer, \(Figure.text(accuracy))\(interval) after it"
        if let flips = audit.flips {
            text += ". \(flips.count) of \(flips.rows) decisions change: \(flips.corrected) from wrong to right, \(flips.spoilt) from right to wrong"
        }
        return text + "."
    }
}
