// An audit as a whole: states before and after, features alone, gates, flips, mistakes, and the JSON that reads back.
import FaceData
import Fairness
import Foundation
import Inference
import TestSupport
import Testing

private func audit(_ text: String, _ settings: Audit = Audit(), groupBy: [String]? = nil) throws -> AuditDocument {
    var settings = settings
    settings.intervals = IntervalSettings(confidence: 0.95, draws: 500, seed: 1)
    let table = try PredictionTable.read(Array(text.utf8), source: "t.csv", columns: PredictionColumns(groupBy: groupBy))
    return settings.run(table, source: "t.csv", bytes: Array(text.utf8), command: ShellCommand(["/x/facefair", "audit", "it's.csv"]))
}

/// 2 × 2 groups of 40, the layer has moved some decisions; one row of unknown group.
private let layered: String = {
    var text = "id,Male,Young,logit_raw,logit,label\n"
    for row in 0..<160 {
        let male = row % 2, young = row / 2 % 2, label = row / 4 % 2
        let raw = (label == 1 ? 1.0 : -1.0) + (male == 1 ? 0.9 : -0.3) + Double(row % 7) / 10
        text += "r\(row),\(male),\(young),\(raw),\(raw - (male == 1 ? 0.8 : 0)),\(label)\n"
    }
    return text + "u,,1,5,5,0\n"
}()

struct AuditTests {
    @Test func groupingsAndStates() throws {
        let document = try audit(layered, groupBy: ["Male", "Young"])
        #expect(document.groupings.map(\.title) == ["Male × Young", "Male", "Young"])
        #expect(document.main.groups == ["Male=0,Young=0", "Male=0,Young=1", "Male=1,Young=0", "Male=1,Young=1"])
        let after = document.main.after, before = try #require(document.main.before)
        #expect(after[.count].byGroup == Array(repeating: .defined(40), count: 4))
        #expect(after[.count].unknown == .defined(1) && after[.count].overall == .defined(161))
        expectClose(before[.meanLogitGap].value.value! - after[.meanLogitGap].value.value!, 0.8, atol: 0.05)
        #expect(document.source.rows == 161 && document.source.labelled == 161 && document.source.bytes == layered.utf8.count)
        #expect(document.settings.decisions == "threshold" && document.command.text == "facefair audit 'it'\\''s.csv'")
        // The row of the unknown group counts overall and takes no part in gaps.
        #expect(after.confusionOfUnknown?.falsePositives == 1 && after.confusionByGroup.reduce(0) { $0 + $1.count } == 160)
        #expect(document.groupings[1].after[.count].byGroup == [.defined(80), .defined(80)])
        #expect(document.groupings[2].after[.count].byGroup == [.defined(80), .defined(81)], "alone, Young is known")
    }

    @Test func flipsAndMistakes() throws {
        let document = try audit(layered, groupBy: ["Male", "Young"])
        let flips = try #require(document.flips)
        #expect(flips.rows == 161 && flips.count > 0 && flips.count == flips.corrected + flips.spoilt)
        #expect(flips.byGroup[0] == 0 && flips.byGroup[1] == 0 && flips.byGroup[2] + flips.byGroup[3] == flips.count)
        for record in flips.records { #expect(record.rawLogit! >= 0 && record.logit! < 0 && record.decision == 0) }
        let mistakes = document.mistakes
        #expect(mistakes.labelled == 161 && mistakes.count == document.main.after.confusion.falsePositives + document.main.after.confusion.falseNegatives)
        #expect(mistakes.records.first?.id == "u" && mistakes.records.first?.group == nil, "5.0 against label 0 is the surest mistake")
        let certainty = mistakes.records.map { abs($0.logit!) }
        #expect(certainty == certainty.sorted(by: >) && mistakes.records.count <= 20)
    }

    @Test func gates() throws {
        var settings = Audit()
        settings.maxGaps = [.meanLogitGap: 0.01, .demographicParityDifference: 0.99, .equalOpportunityDifference: 0.99]
        settings.minAccuracy = 0.99
        let noPositives = "group,logit,label\na,1,1\na,0,0\nb,-1,0\nb,1,0\n"
        let document = try audit(noPositives, settings)
        #expect(document.gates.map(\.name) == ["mean_logit_gap", "demographic_parity_difference", "equal_opportunity_difference", "accuracy"])
        #expect(document.gates.map(\.passed) == [false, true, false, false])
        #expect(document.gates[2].text.contains("undefined (group=b: no positive samples) is not known to be within"))
        // 0.7 − 0.6 is 0.09999999999999998 and 0.4 − 0.3 is 0.10000000000000003: both are a gap of 0.1.
        settings = Audit()
        settings.maxGaps = [.demographicParityDifference: 0.1]
        func shares(_ a: Int, _ b: Int) -> String {
            "group,decision\n" + (0..<10).map { "a,\($0 < a ? 1 : 0)\nb,\($0 < b ? 1 : 0)\n" }.joined()
        }
        for (a, b) in [(7, 6), (4, 3), (3, 2)] { #expect(try audit(shares(a, b), settings).gates[0].passed) }
        #expect(try !audit(shares(8, 6), settings).gates[0].passed)
        // Ten rows a group prove nothing, and a gate on the verdict says so.
        settings.gateRule = .verdict
        let careful = try audit(shares(4, 4), settings)
        #expect(!careful.gates[0].passed && careful.gates[0].text.contains("insufficient_data"))
    }

    @Test func decisionsAloneHaveNoScores() throws {
        let document = try audit("group,decision\na,1\nb,0\nb,1\n")
        #expect(document.main.after[.meanLogit].overall.value == nil && document.main.after.pairs == nil && document.flips == nil)
        #expect(document.mistakes.count == 0 && document.mistakes.labelled == 0 && document.mistakes.records.isEmpty)
        #expect(document.main.after[.meanLogitGap].value.reason != nil && document.main.after[.selectionRate].byGroup == [.defined(1), .defined(0.5)])
    }

    @Test func readsBackWhatItWrote() throws {
        var settings = Audit()
        settings.epsilon = 0.001
        settings.maxGaps = [.demographicParityDifference: 0.1]
        let document = try audit(layered, settings, groupBy: ["Male", "Young"])
        let encoder = JSONEncoder()
        encoder.keyEncodingStrategy = .convertToSnakeCase
        let bytes = [UInt8](try encoder.encode(document))
        #expect(try AuditDocument.read(bytes, source: "a.json") == document)
        for broken in ["", "{}", "{\"kind\":\"facefair-audit\",\"version\":1}", "{\"kind\":\"facefair-audit\",\"version\":99}", "id,group\n"] {
            #expect(throws: ScoreTableError.self) { try AuditDocument.read(Array(broken.utf8), source: "a.json") }
        }
    }

    @Test func fingerprints() {
        // FIPS 180-4's example.
        #expect(Fingerprint.sha256(Array("abc".utf8)) == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad")
        #expect(ShellCommand(["x", "a b", "", "--x=1", "$HOME"]).text == "facefair 'a b' '' --x=1 '$HOME'")
    }

    @Test func theSameInputGivesTheSameFigures() throws {
        #expect(try audit(layered, groupBy: ["Male", "Young"]) == audit(layered, groupBy: ["Male", "Young"]))
    }
}
