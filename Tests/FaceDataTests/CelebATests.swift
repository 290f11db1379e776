// CelebA's label files in all their spellings, and what is refused.
import FaceData
import Foundation
import TestSupport
import Testing

/// A small CelebA folder.
struct CelebAFolder {
    let folder: TemporaryFolder
    var root: URL { folder.url }
    static let names = ["Smiling", "Male", "Young", "Attractive"]
    /// Values of Smiling, Male, Young, Attractive for files 000001.jpg ….
    static let rows = [[1, -1, 1, 1], [-1, 1, 1, -1], [1, 1, -1, -1], [-1, -1, -1, 1], [1, -1, 1, -1]]
    static let splits = [0, 0, 1, 2, 2]

    static func name(_ row: Int) -> String { "00000\(row + 1).jpg" }

    init(attributes: String? = nil, partition: String? = nil, images: String = "img_align_celeba", csv: Bool = false) throws {
        folder = try TemporaryFolder()
        let rows = CelebAFolder.rows.enumerated()
        let text = "\(CelebAFolder.rows.count)\n\(CelebAFolder.names.joined(separator: " ")) \n"
            + rows.map { "\(CelebAFolder.name($0))  \($1.map { "\($0)" }.joined(separator: " "))\n" }.joined()
        let table = "image_id,\(CelebAFolder.names.joined(separator: ","))\n"
            + rows.map { "\(CelebAFolder.name($0)),\($1.map { "\($0)" }.joined(separator: ","))\n" }.joined()
        try folder.write(attributes ?? (csv ? table : text), to: "list_attr_celeba.\(csv ? "csv" : "txt")")
        let separator = csv ? "," : " "
        let split = (csv ? "image_id,partition\n" : "")
            + CelebAFolder.splits.enumerated().map { "\(CelebAFolder.name($0))\(separator)\($1)\n" }.joined()
        try folder.write(partition ?? split, to: "list_eval_partition.\(csv ? "csv" : "txt")")
        try FileManager.default.createDirectory(at: folder.file(images), withIntermediateDirectories: true)
    }
}

@Suite struct CelebATests {
    @Test(arguments: [false, true], ["img_align_celeba", "img_align_celeba/img_align_celeba", "Img/img_align_celeba"])
    func readsBothSpellingsAndAllFolders(csv: Bool, images: String) throws {
        let celeba = try CelebAFolder(images: images, csv: csv)
        let dataset = try CelebA.load(root: celeba.root)
        #expect(dataset.name == "celeba" && dataset.target == "Smiling" && !dataset.isSynthetic)
        #expect(dataset.features == [.init(name: "Male", values: ["0", "1"]), .init(name: "Young", values: ["0", "1"])])
        #expect(dataset.samples(.train).map(\.name) == ["000001.jpg", "000002.jpg"])
        #expect(dataset.samples(.train).map(\.label) == [1, 0])
        #expect(dataset.samples(.train).map(\.group) == [1, 3])  // 2·Male + Young, as in the paper
        #expect(dataset.samples(.valid).map(\.group) == [2])
        #expect(dataset.samples(.test).map(\.group) == [0, 1])
        #expect(dataset.samples(.test).map(\.file) == ["\(celeba.root.path)/\(images)/000004.jpg", "\(celeba.root.path)/\(images)/000005.jpg"])
        #expect(dataset.groupCount == 4 && dataset.groupLabel(3) == "Male=1,Young=1" && dataset.groupLabel(-1) == "unknown")
        #expect(dataset.baseRate(.train) == 0.5)
    }

    @Test func anyTargetAndFeatures() throws {
        let celeba = try CelebAFolder()
        let dataset = try CelebA.load(root: celeba.root, target: "Attractive", groupBy: ["Young"])
        #expect(dataset.samples(.train).map(\.label) == [1, 0] && dataset.samples(.test).map(\.group) == [0, 1])
        #expect(try CelebA.load(root: celeba.root, target: "Attractive=0").samples(.train).map(\.label) == [0, 1])
    }

    @Test func theMarkerMakesItSynthetic() throws {
        let celeba = try CelebAFolder()
        try celeba.folder.write("{}", to: "synthetic.json")
        #expect(try CelebA.load(root: celeba.root).isSynthetic)
    }

    @Test func partitionInAnotherOrder() throws {
        let lines = CelebAFolder.splits.enumerated().map { "\(CelebAFolder.name($0)) \($1)\n" }
        let celeba = try CelebAFolder(partition: lines.reversed().joined())
        #expect(try CelebA.load(root: celeba.root).samples(.test).map(\.name) == ["000004.jpg", "000005.jpg"])
    }

    private func failure(_ attributes: String? = nil, _ partition: String? = nil, target: String? = nil, groupBy: [String]? = nil) throws -> DatasetError {
        let celeba = try CelebAFolder(attributes: attributes, partition: partition)
        let error = #expect(throws: DatasetError.self) { try CelebA.load(root: celeba.root, target: target, groupBy: groupBy) }
        return try #require(error)
    }

    @Test func malformedRowsAreNamed() throws {
        let names = "Smiling Male Young Attractive\n"
        let first = "000001.jpg 1 1 1 1\n"
        func message(_ attributes: String) throws -> String { "\(try failure(attributes))" }
        #expect(try message("3\n\(names)\(first)").contains("line 1: line 1 says 3 images, but 1 rows follow"))
        #expect(try message("1\n\(names)000001.jpg 1 2 1 1\n").contains("line 3: 000001.jpg: Male is '2', expected -1 or 1"))
        #expect(try message("2\n\(names)\(first)000002.jpg 1 1 1\n").contains("line 4: 000002.jpg: 3 values for 4 attributes"))
        #expect(try message("2\n\(names)\(first)000002.jpg 1 1 1 1 1\n").contains("line 4: 000002.jpg: 5 values for 4 attributes"))
        // A control character is part of its word; this one once held the reader for ever.
        #expect(try message("2\n\(names)\(first)000002.jpg 1 1 1 1\u{1A}\n").contains("line 4: 000002.jpg: Attractive is '1\u{1A}'"))
        #expect(try message("<html>Quota</html>").contains("web page"))
        #expect(try message("000001.jpg 1\n").contains("line 1: the first line must be the number of images"))
        #expect(try failure(nil, "000001.jpg 7\n").description.contains("line 1: '000001.jpg 7' is not a file name and 0, 1 or 2"))
        #expect(try failure(nil, "000001.jpg 1\n").description.contains("000002.jpg has attributes but no split"))
        #expect(try failure("9999999999999\n\(names)\(first)").exitCode == 65)
    }

    @Test func unknownNamesAndBadChoicesAreUsageErrors() throws {
        func message(target: String? = nil, groupBy: [String]? = nil) throws -> String {
            let error = try failure(target: target, groupBy: groupBy)
            #expect(error.exitCode == 64)
            return "\(error)"
        }
        #expect(try message(target: "smiling") == "CelebA has no target 'smiling'; did you mean 'Smiling'? It has: Smiling, Male, Young, Attractive")
        #expect(try message(groupBy: ["Beard"]) == "CelebA has no feature 'Beard'. It has: Smiling, Male, Young, Attractive")
        #expect(try message(groupBy: ["Smiling"]).contains("is the target and cannot be a group-by feature"))
        #expect(try message(target: "Male=1").contains("'Male' is the target"))
        #expect(try message(groupBy: ["Male", "Male"]).contains("names 'Male' twice"))
        #expect(try message(groupBy: []).contains("needs at least one feature"))
        #expect(try message(target: "Smiling=yes").contains("has no value 'yes'"))
    }

    @Test func whatIsMissingIsExplained() throws {
        let empty = try TemporaryFolder()
        for root in [empty.url, empty.file("nowhere")] {
            let thrown = #expect(throws: DatasetError.self) { try CelebA.load(root: root) }
            let error = try #require(thrown)
            #expect(error.exitCode == 66)
            for part in ["mmlab.ie.cuhk.edu.hk", "non-commercial", "img_align_celeba/", "facefair data synthesize DIR --layout celeba --count 4000 --seed 1"] {
                #expect(error.description.contains(part))
            }
        }
    }

    @Test func readsTheFullSizeQuickly() throws {
        // 202,599 rows of 40 attributes, made here.
        let names = (0..<40).map { "Attribute_\($0)" }
        let values = String(repeating: " -1  1", count: 20)
        var text = "202599\n\(names.joined(separator: " "))\n"
        var partition = ""
        for row in 1...202_599 {
            let number = "\(row)"
            let name = String(repeating: "0", count: 6 - number.count) + number + ".jpg"
            text += "\(name)\(values)\n"
            partition += "\(name) \(row <= 162_770 ? 0 : row <= 182_637 ? 1 : 2)\n"
        }
        let celeba = try CelebAFolder(attributes: text, partition: partition)
        let start = ContinuousClock.now
        let dataset = try CelebA.load(root: celeba.root, target: "Attribute_31", groupBy: ["Attribute_20", "Attribute_39"])
        print("CelebA: 202,599 rows in \(ContinuousClock.now - start)")
        #expect(dataset.samples(.train).count == 162_770 && dataset.samples(.valid).count == 19_867 && dataset.samples(.test).count == 19_962)
    }
}
