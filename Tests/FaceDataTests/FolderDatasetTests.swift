// Image folders with metadata: CSV and JSON lines, splits, missing cells, refusals.
import FaceData
import Foundation
import TestSupport
import Testing

@Suite struct FolderDatasetTests {
    private func load(_ files: [String: String], target: String? = "smiling", groupBy: [String]? = ["gender"]) throws -> FaceDataset {
        let folder = try TemporaryFolder()
        for (name, text) in files { try folder.write(text, to: name) }
        return try FolderDataset.load(root: folder.url, target: target, groupBy: groupBy)
    }

    private func failure(_ files: [String: String], target: String? = "smiling", groupBy: [String]? = ["gender"]) throws -> DatasetError {
        let thrown = #expect(throws: DatasetError.self) { try load(files, target: target, groupBy: groupBy) }
        return try #require(thrown)
    }

    static let csv = """
        file_name,smiling,gender,split
        a.jpg,1,f,train
        sub/b.png,0,m,validation
        c.jpg,,m,test
        d.jpg,,f,train
        e.jpg,1,,test
        """
    static let json = """
        {"file_name":"a.jpg","smiling":true,"gender":"f","split":"train"}
        {"file_name":"sub/b.png","smiling":false,"gender":"m","split":"validation"}
        {"file_name":"c.jpg","smiling":null,"gender":"m","split":"test"}

        {"file_name":"d.jpg","gender":"f","split":"train"}
        {"file_name":"e.jpg","smiling":true,"gender":"","split":"test"}
        """

    @Test(arguments: [["metadata.csv": csv], ["metadata.jsonl": json]])
    func splitColumnAndMissingCells(files: [String: String]) throws {
        let dataset = try load(files)
        #expect(dataset.features == [.init(name: "gender", values: ["f", "m"])])
        #expect(dataset.samples(.train).map(\.name) == ["a.jpg"] && dataset.unlabelled == [.train: 1])
        #expect(dataset.samples(.valid).map(\.name) == ["sub/b.png"] && dataset.samples(.valid).map(\.label) == [0])
        #expect(dataset.samples(.test).map(\.label) == [nil, 1] && dataset.samples(.test).map(\.group) == [1, -1])
    }

    @Test func splitsByFolder() throws {
        let rows = (0..<20).map { "train/\($0).jpg,\($0 % 2),\($0 % 4 < 2 ? "f" : "m")" }.joined(separator: "\n")
        let root = try load(["metadata.csv": "file_name,smiling,gender\n\(rows)\ntest/x.jpg,1,m\nval/y.jpg,0,f\n"])
        #expect(root.samples(.train).count == 20 && root.samples(.valid).map(\.name) == ["val/y.jpg"] && root.samples(.test).count == 1)
        // One metadata file per split folder; without a validation split a tenth of training becomes it.
        let inner = rows.replacingOccurrences(of: "train/", with: "")
        let folders = try load(["train/metadata.csv": "file_name,smiling,gender\n\(inner)", "test/metadata.csv": "file_name,smiling,gender\nx.jpg,1,m\n"])
        #expect(folders.samples(.train).count == 16 && folders.samples(.valid).count == 4)
        #expect(folders.samples(.test).map(\.name) == ["test/x.jpg"])
    }

    @Test func otherwiseEightyTenTenPerStratum() throws {
        let rows = (0..<400).map { "\($0).jpg,\($0 % 2),\($0 % 4 < 2 ? "f" : "m")" }.joined(separator: "\n")
        let text = ["metadata.csv": "file_name,smiling,gender\n\(rows)"]
        let dataset = try load(text)
        for (split, count) in [(Split.train, 80), (.valid, 10), (.test, 10)] {
            for label in 0...1 {
                for group in 0...1 {
                    #expect(dataset.samples(split).filter { $0.label == label && $0.group == group }.count == count)
                }
            }
        }
        #expect(try load(text).samples(.test) .map(\.name) == dataset.samples(.test).map(\.name))
    }

    @Test func categoriesAndNumbers() throws {
        let text = ["metadata.csv": "file_name,smiling,gender,hair,level,id\n" + (0..<100).map { "\($0).jpg,\($0 % 2 * 2 - 1),f,\(["fair", "dark"][$0 % 2]),\($0 % 12),x\($0)" }.joined(separator: "\n")]
        #expect(try load(text, target: "hair=dark", groupBy: ["level"]).features[0].values == (0..<12).map { "\($0)" })
        #expect(try load(text, groupBy: ["hair"]).baseRate(.train) == 0.5)
        #expect(try failure(text, target: "hair").description.contains("--target 'hair=dark'"))
        #expect(try failure(text, groupBy: ["id"]).description.contains("more than 64 different values"))
        #expect(try failure(text, groupBy: ["hairs"]).description.contains("did you mean 'hair'?"))
    }

    @Test func refusals() throws {
        #expect(try failure([:]).exitCode == 66)
        #expect(try failure(["metadata.csv": Self.csv], target: nil).description.contains("smiling, gender"))
        #expect(try failure(["metadata.csv": Self.csv], groupBy: nil).exitCode == 64)
        #expect(try failure(["metadata.csv": "name,smiling\na,1\n"]).description.contains("no column 'file_name'"))
        #expect(try failure(["metadata.csv": "file_name,smiling,gender\na.jpg,1\n"]).description.contains("line 2: 2 fields"))
        #expect(try failure(["metadata.csv": "file_name,smiling,gender\n../a.jpg,1,f\n"]).description.contains("leaves the data folder"))
        #expect(try failure(["metadata.csv": "file_name,smiling,gender\na.jpg,1,f\na.jpg,1,f\n"]).description.contains("line 3: 'a.jpg' is listed twice"))
        #expect(try failure(["metadata.csv": "file_name,smiling,gender,split\na.jpg,1,f,other\n"]).description.contains("split is 'other'"))
        #expect(try failure(["metadata.jsonl": "{\"file_name\":\"a.jpg\",\"smiling\":[1]}"]).description.contains("line 1: this is not a JSON object"))
        let numbers = try failure(["metadata.csv": "file_name,smiling,race\na.jpg,1,3\nb.jpg,0,4\n"], groupBy: ["race"])
        #expect(numbers.exitCode == 65 && numbers.description.contains("race is the number '3'"))
    }
}
