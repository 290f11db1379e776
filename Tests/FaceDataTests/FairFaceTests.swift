// FairFace's label files: names, groups, splits, and files that a spreadsheet damaged.
import FaceData
import Foundation
import TestSupport
import Testing

/// A FairFace folder with the given label rows.
private func fairFace(train: String, val: String = "val/1.jpg,70+,Female,Southeast Asian,True\n") throws -> TemporaryFolder {
    let folder = try TemporaryFolder()
    let header = "file,age,gender,race,service_test\n"
    try folder.write(header + train, to: "fairface_label_train.csv")
    try folder.write(header + val, to: "fairface_label_val.csv")
    for name in ["train", "val"] { try FileManager.default.createDirectory(at: folder.file(name), withIntermediateDirectories: true) }
    return folder
}

@Suite struct FairFaceTests {
    @Test func namesBecomeGroupsAndLabels() throws {
        let folder = try fairFace(
            train: "train/1.jpg,20-29,Male,East Asian,True\r\ntrain/2.jpg,30-39,Female,Latino_Hispanic,False\r\n",
            val: "val/1.jpg,70+,Female,Southeast Asian,True\nval/2.jpg,more than 70,Male,Middle_Eastern,False\nval/3.jpg,,Male,White,False\nval/4.jpg,0-2,,White,False\n")
        let dataset = try FairFace.load(root: folder.url)
        #expect(dataset.target == "age" && dataset.positive == "30 and over" && dataset.groupCount == 14)
        #expect(dataset.samples(.train).map(\.label) == [0, 1] && dataset.samples(.train).map(\.group) == [0, 12])
        #expect(dataset.samples(.test).map(\.label) == [1, 1, nil, 0])
        #expect(dataset.samples(.test).map(\.group) == [13, 4, 3, -1])
        #expect(dataset.groupLabel(12) == "gender=Female,race=Latino_Hispanic")
        #expect(dataset.samples(.train)[0].file == "\(folder.url.path)/train/1.jpg")
    }

    @Test func targetsAndFeatures() throws {
        let folder = try fairFace(train: "train/1.jpg,20-29,Male,Black,True\ntrain/2.jpg,30-39,Female,White,False\n")
        func load(_ target: String, _ groupBy: [String]) throws -> FaceDataset {
            try FairFace.load(root: folder.url, target: target, groupBy: groupBy)
        }
        #expect(try load("gender", ["age"]).samples(.train).map(\.label) == [0, 1])
        #expect(try load("gender", ["age"]).samples(.train).map(\.group) == [3, 4])
        #expect(try load("gender", ["age"]).groupCount == 9)
        #expect(try load("race=Black", ["gender"]).samples(.train).map(\.label) == [1, 0])
        #expect(try load("age=30-39", ["gender"]).samples(.train).map(\.label) == [0, 1])
        let race = #expect(throws: DatasetError.self) { try load("race", ["gender"]) }
        #expect(race?.description.contains("--target 'race=East Asian'") == true)
        let both = #expect(throws: DatasetError.self) { try load("age", ["age"]) }
        #expect(both?.exitCode == 64)
    }

    @Test func missingLabelsAreLeftOutOfTrainingAndCounted() throws {
        let folder = try fairFace(train: "train/1.jpg,,Male,Black,True\ntrain/2.jpg,30-39,,White,False\n")
        let dataset = try FairFace.load(root: folder.url)
        #expect(dataset.samples(.train).map(\.name) == ["train/2.jpg"] && dataset.samples(.train)[0].group == -1)
        #expect(dataset.unlabelled == [.train: 1])
    }

    @Test func numbersUnknownNamesAndDatesAreRefused() throws {
        func message(_ row: String) throws -> String {
            let folder = try fairFace(train: "train/1.jpg,20-29,Male,Black,True\n\(row)\n")
            let thrown = #expect(throws: DatasetError.self) { try FairFace.load(root: folder.url) }
        let error = try #require(thrown)
            #expect(error.exitCode == 65)
            return "\(error)"
        }
        #expect(try message("train/2.jpg,20-29,Male,3,True").contains("fairface_label_train.csv, line 3: train/2.jpg: race is the number '3'"))
        #expect(try message("train/2.jpg,4,Male,Black,True").contains("age is the number '4'"))
        #expect(try message("train/2.jpg,20-29,Male,Asian,True").contains("race is 'Asian', expected one of East Asian"))
        #expect(try message("train/2.jpg,20-29,male,Black,True").contains("did you mean 'Male'?"))
        #expect(try message("train/2.jpg,9-Mar,Male,Black,True").contains("line 3: train/2.jpg: age is '9-Mar': a spreadsheet program has turned an age range (probably 3-9) into a date"))
        #expect(try message("train/2.jpg,Oct-19,Male,Black,True").contains("(probably 10-19)"))
        #expect(try message("train/2.jpg,03.09.2025,Male,Black,True").contains("spreadsheet"))
        #expect(try message("train/2.jpg,20-29,Male,True").contains("line 3: 4 fields, the header has 5"))
    }

    @Test(.enabled(if: sharedData != nil, "\(sharedDataReason)"))
    func officialLabelFiles() throws {
        let labels = try #require(sharedData).appendingPathComponent("labels")
        let folder = try TemporaryFolder()
        for name in ["fairface_label_train.csv", "fairface_label_val.csv"] {
            try FileManager.default.copyItem(at: labels.appendingPathComponent(name), to: folder.file(name))
        }
        for name in ["train", "val"] { try FileManager.default.createDirectory(at: folder.file(name), withIntermediateDirectories: true) }
        let start = ContinuousClock.now
        let dataset = try FairFace.load(root: folder.url)
        print("FairFace: 97,698 rows in \(ContinuousClock.now - start)")
        #expect(dataset.samples(.train).count + dataset.samples(.valid).count == 86_744)
        #expect(dataset.samples(.test).count == 10_954)
        // 90/10 of each label: 46,901 under 30 and 39,843 of 30 and over.
        let valid = dataset.samples(.valid)
        #expect(valid.filter { $0.label == 0 }.count == 4690 && valid.filter { $0.label == 1 }.count == 3984)
        // The paper's share of the majority label on the official validation rows.
        expectClose(1 - (dataset.baseRate(.test) ?? 0), 0.5510, atol: 1e-3)
        #expect(Set(dataset.samples(.train).map(\.group)) == Set(0..<14))

        try FileManager.default.removeItem(at: folder.file("fairface_label_train.csv"))
        try FileManager.default.copyItem(
            at: labels.appendingPathComponent("fairface_label_train.excel_mangled_crlf.csv"), to: folder.file("fairface_label_train.csv"))
        let thrown = #expect(throws: DatasetError.self) { try FairFace.load(root: folder.url) }
        let error = try #require(thrown)
        #expect(error.exitCode == 65)
        #expect(error.description.contains("line 4: train/3.jpg: age is '9-Mar': a spreadsheet program has turned an age range (probably 3-9) into a date"))
    }
}
