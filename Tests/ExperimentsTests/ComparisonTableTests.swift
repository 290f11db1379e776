import Experiments
import Foundation
import Testing

struct ComparisonTableTests {
    private func result(_ row: String, _ seed: Int, _ accuracy: String) throws -> MethodResult {
        let json = """
            {"row":"\(row)","seed":\(seed),"accuracy":\(accuracy),"bce":0.5,"meanLogitGap":0.0001,"demographicParityDifference":0.2,
             "groups":[{"group":"Male=0","count":7,"accuracy":0.5,"meanLogit":-1,"selectionRate":0.25}]}
            """
        return try JSONDecoder().decode(MethodResult.self, from: Data(json.utf8))
    }

    @Test func meanAndStandardDeviationOverSeeds() throws {
        let table = ComparisonTable.overall(
            [try result("a", 1, "0.8"), try result("b", 1, "0.7"), try result("a", 2, "0.9")], title: "t")
        #expect(table.rows.map { $0[0] } == ["a", "b"])
        #expect(table.rows[0][1] == "0.8500 ± 0.0707" && table.rows[0][5] == "2")
        #expect(table.rows[1][1] == "0.7000" && table.rows[1][3] == "1.0e-04")
    }

    @Test func aMissingValueIsADash() throws {
        let table = ComparisonTable.overall([try result("a", 1, "0.8"), try result("a", 2, "null")], title: "t")
        #expect(table.rows[0][1] == "-")
    }

    @Test func groupsHaveTheirRows() throws {
        let table = ComparisonTable.byGroup([try result("a", 1, "0.8")], title: "t")
        #expect(table.rows == [["a", "Male=0", "7", "0.5000", "-1.0000", "0.2500"]])
    }
}
