// Group numbers from feature values, and back.
import Fairness
import Foundation
import Testing

struct SensitiveFeaturesTests {
    private let features = SensitiveFeatures([
        .init(name: "Male", values: ["0", "1"]), .init(name: "Race", values: ["White", "Black", "Latino Hispanic"]),
    ])

    @Test func numberingRoundTrips() throws {
        #expect(features.groupCount == 6)
        for group in 0..<6 {
            #expect(try features.group(parsing: features.label(group)) == group)
            #expect(features.groupID([group / 3, group % 3]) == group)
        }
        #expect(features.label(5) == "Male=1,Race=Latino Hispanic" && features.label(unknownGroup) == "unknown")
    }

    @Test func orderAndSpacesDoNotMatter() throws {
        #expect(try features.group(parsing: " Race = Black , Male = 1 ") == 4)
        #expect(try features.group(from: ["Race": "Black", "Male": "1"]) == 4)
    }

    @Test func missingOrEmptyIsUnknown() throws {
        for text in ["", "Male=1", "Male=1,Race=", "Race=Black"] { #expect(try features.group(parsing: text) == unknownGroup) }
        #expect(try features.group(from: ["Male": "", "Race": "Black"]) == unknownGroup)
        #expect(features.groupID([nil, 2]) == unknownGroup)
    }

    @Test func errors() {
        #expect(throws: GroupError.undeclaredValue("2", feature: "Male", declared: ["0", "1"])) {
            try features.group(parsing: "Male=2,Race=Black")
        }
        #expect(throws: GroupError.undeclaredFeature("Age", declared: ["Male", "Race"])) { try features.group(parsing: "Age=3,Male=1") }
        for text in ["Male", "Male=1,Race", "Male=1,Male=1", " "] {
            #expect(throws: GroupError.malformed(text)) { try features.group(parsing: text) }
        }
        // An undeclared value is an error even where another feature is missing: it is a typing slip, not an unknown.
        #expect(throws: GroupError.undeclaredValue("black", feature: "Race", declared: ["White", "Black", "Latino Hispanic"])) {
            try features.group(parsing: "Race=black")
        }
        #expect(GroupError.undeclaredFeature("Age", declared: ["Male", "Race"]).description.contains("it knows Male, Race"))
        #expect(GroupError.undeclaredValue("2", feature: "Male", declared: ["0", "1"]).description.contains("allowed are 0, 1"))
        #expect(GroupError.malformed("x").description.contains("Male=0,Young=1"))
    }

    @Test func codable() throws {
        let copy = try JSONDecoder().decode(SensitiveFeatures.self, from: JSONEncoder().encode(features))
        #expect(copy == features)
        #expect(Criterion(rawValue: "demographic-parity") == .demographicParity && Criterion(rawValue: "parity") == nil)
    }
}
