import Experiments
import FaceData
import Foundation
import TestSupport
import Testing
import Training

struct ExperimentTablesTests {
    private func result(_ row: String, _ seed: Int, _ accuracy: String) throws -> MethodResult {
        let json = """
            {"row":"\(row)","backbone":"simple_cnn","seed":\(seed),"accuracy":\(accuracy),"bce":0.5,"meanLogitGap":0.0001,
             "pairsViolated":2,"pairs":6,"demographicParityDifference":0.2,"penaltyWeight":100,"epochSeconds":\(seed),
             "groups":[{"group":"Male=0","count":7,"accuracy":0.5,"meanLogit":-1,"selectionRate":0.25}]}
            """
        return try JSONDecoder().decode(MethodResult.self, from: Data(json.utf8))
    }

    private func title() throws -> ExperimentTitle {
        let temporary = try TemporaryFolder()
        try SyntheticFaces.write(to: temporary.file("faces"), layout: .celeba, count: 12, seed: 3)
        return ExperimentTitle(
            dataset: try CelebA.load(root: temporary.file("faces")), scale: .paper, configuration: TrainingConfiguration())
    }

    private func cell(_ title: String, _ row: Int, in table: some Sequence<[String]>, _ columns: [String]) -> String {
        Array(table)[row][columns.firstIndex(of: title)!]
    }

    @Test func meanAndDeviationOverSeedsInThePapersOrder() throws {
        let results = [
            try result("projection", 1, "0.7"), try result("fairness-layer", 1, "0.8"), try result("fairness-layer", 2, "0.9"),
        ]
        let table = ExperimentTables.overall(results, title: try title(), dataset: "celeba")
        let columns = table.columns.map(\.title)
        #expect(table.rows.map { $0[1] } == ["fairness-layer", "projection"])
        #expect(cell("accuracy", 0, in: table.rows, columns) == "0.8500 ± 0.0707")
        #expect(cell("mean-logit gap (scores)", 1, in: table.rows, columns) == "1.0e-04")
        #expect(cell("pairs beyond ε", 0, in: table.rows, columns) == "2 2 of 6")
        #expect(cell("Δ accuracy", 1, in: table.rows, columns) == "-17.65 %", "(.70 − .85) / .85")
        #expect(cell("seconds per epoch", 0, in: table.rows, columns) == "1.5")
        #expect(cell("paper (other data) accuracy", 0, in: table.rows, columns) == "0.8141")
    }

    @Test func aMissingValueIsADash() throws {
        let table = ExperimentTables.overall(
            [try result("penalty", 1, "0.8"), try result("penalty", 2, "null")], title: try title(), dataset: "celeba")
        #expect(table.rows[0][2] == "-")
    }

    @Test func groupsHaveTheirRows() throws {
        let table = ExperimentTables.byGroup([try result("penalty", 1, "0.8")], title: try title())
        #expect(table.rows == [["simple_cnn", "penalty", "Male=0", "7", "0.5000", "-1.0000", "0.2500"]])
    }
}
