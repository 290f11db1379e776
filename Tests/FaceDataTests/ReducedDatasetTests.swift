// A part of a data set with the whole set's shares, for experiments that are to take minutes.
import FaceData
import Foundation
import TestSupport
import Testing

@Suite struct ReducedDatasetTests {
    /// 1200 rows of 14 groups with unequal shares; the pictures are never read.
    private func dataset() throws -> (FaceDataset, TemporaryFolder) {
        let folder = try TemporaryFolder()
        let races = ["Black", "East Asian", "Indian", "Latino_Hispanic", "Middle_Eastern", "Southeast Asian", "White"]
        func rows(_ split: String, _ count: Int) -> String {
            var text = "file,age,gender,race,service_test\n"
            for i in 0..<count {
                let age = i * i % 5 < 2 ? "20-29" : "40-49"
                text += "\(split)/\(i + 1).jpg,\(age),\(i % 3 == 0 ? "Female" : "Male"),\(races[i * i % 11 % 7]),False\n"
            }
            return text
        }
        for (split, count) in [("train", 1000), ("val", 200)] {
            try folder.write(rows(split, count), to: "fairface_label_\(split).csv")
            try FileManager.default.createDirectory(at: folder.file(split), withIntermediateDirectories: true)
        }
        return (try FairFace.load(root: folder.url), folder)
    }

    @Test func keepsSharesOfSplitsGroupsAndLabels() throws {
        let (whole, folder) = try dataset()
        let part = whole.reduced(to: 300)
        #expect(folder.url.isFileURL && whole.count == 1200 && part.reducedFrom == 1200)
        #expect((298...300).contains(part.count))
        for split in [Split.train, .valid, .test] {
            let all = whole.samples(split), kept = part.samples(split)
            #expect(kept.count == all.count / 4)
            for group in 0..<whole.groupCount {
                for label in 0...1 {
                    let expected = Double(all.count { $0.group == group && $0.label == label }) / 4
                    let found = Double(kept.count { $0.group == group && $0.label == label })
                    #expect(abs(found - expected) <= 1, "\(split) group \(group) label \(label): \(found), expected about \(expected)")
                }
            }
            // In the order of the files, each at most once.
            let places = kept.map { sample in all.firstIndex { $0.name == sample.name }! }
            #expect(places == places.sorted() && Set(places).count == places.count)
        }
        #expect(whole.reduced(to: 300).samples(.train).map(\.name) == part.samples(.train).map(\.name))
    }

    @Test func aSmallSetStaysWhole() throws {
        let (whole, folder) = try dataset()
        let same = whole.reduced(to: 1200)
        #expect(folder.url.isFileURL && same.reducedFrom == nil && same.count == 1200)
    }
}
