// data verify: what is wrong is found and named file by file, and nothing else is.
import FaceData
import Foundation
import TensorCore
import TestSupport
import Testing

@Suite struct DatasetCheckTests {
    private let folder: TemporaryFolder
    private var root: URL { folder.file("faces") }

    init() throws {
        folder = try TemporaryFolder()
        try SyntheticFaces.write(to: root, layout: .celeba, count: 40, seed: 5)
    }

    private func check(
        _ layout: DatasetLayout = .celeba, _ url: URL? = nil, _ change: (inout DatasetVerifier) -> Void = { _ in }
    ) throws -> DatasetCheck {
        var verifier = DatasetVerifier()
        change(&verifier)
        return try verifier.check(layout, at: url ?? root)
    }

    /// Short names of the files with their codes.
    private func codes(_ findings: [Finding]) -> [String] { findings.map { "\(($0.file as NSString).lastPathComponent): \($0.code)" } }

    private func edit(_ name: String, _ change: (String) -> String) throws {
        let url = root.appendingPathComponent(name)
        try Data(change(String(contentsOf: url, encoding: .utf8)).utf8).write(to: url)
    }

    @Test(arguments: [false, true])
    func aGoodSetPasses(decodes: Bool) throws {
        var seen: [(Int, Int)] = []
        var verifier = DatasetVerifier()
        verifier.decodes = decodes
        let check = try verifier.check(.celeba, at: root) { seen.append(($0, $1)) }
        #expect(check.ok && check.problems.isEmpty && check.warnings.isEmpty && check.synthetic && check.decoded == decodes)
        #expect(check.listed == 40 && check.usable == 40 && check.splits.values.reduce(0, +) == 40 && check.splits["train"] != nil)
        #expect(seen.last! == (40, 40))
        let fairface = folder.file("fairface")
        try SyntheticFaces.write(to: fairface, layout: .fairface, count: 30, seed: 5)
        #expect(try self.check(.fairface, fairface).ok)
    }

    @Test func whatLiesInPlaceOfAnImageIsNamed() throws {
        let images = root.appendingPathComponent("img_align_celeba")
        func image(_ number: Int) -> URL { images.appendingPathComponent(String(format: "%06d.jpg", number)) }
        try FileManager.default.removeItem(at: image(1))
        for (number, content) in [
            (2, "<!DOCTYPE html><title>Google Drive - Quota exceeded</title>"),
            (3, "\n <html><head><title>Google Drive - Virus scan warning</title>"), (4, "<HTML>404 not found"), (5, ""),
            (6, "version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 12345\n"), (7, "PK\u{3}\u{4} and so on"),
            (8, String(repeating: "\0", count: 9000)), (9, "plain text"),
        ] { try Data(content.utf8).write(to: image(number)) }
        let half = try Data(contentsOf: image(10))
        try half.prefix(half.count / 2).write(to: image(10))
        try Data(contentsOf: image(11)).write(to: images.appendingPathComponent("extra.jpg"))

        let headers = try check()
        #expect(!headers.ok && headers.listed == 40 && headers.usable == 31)
        #expect(
            codes(headers.problems) == [
                "000001.jpg: image_missing", "000002.jpg: web_page", "000003.jpg: web_page", "000004.jpg: web_page", "000005.jpg: empty",
                "000006.jpg: git_lfs_pointer", "000007.jpg: archive", "000008.jpg: zeros", "000009.jpg: image_unsupported",
            ])
        #expect(headers.problems[1].message.contains("Quota exceeded") && headers.problems[2].message.contains("Virus scan"))
        #expect(codes(headers.warnings) == ["extra.jpg: not_listed"])
        // Half a file has a whole header.
        let whole = try check { $0.decodes = true; $0.workers = 3 }
        #expect(codes(whole.problems) == codes(headers.problems) + ["000010.jpg: image_truncated"] && whole.usable == 30)
    }

    @Test func badLabelFilesAreNamed() throws {
        try edit("list_attr_celeba.txt") { $0.replacingOccurrences(of: "000002.jpg", with: "000001.jpg") }
        try edit("list_eval_partition.txt") { $0.replacingOccurrences(of: "000002.jpg", with: "000001.jpg") }
        let twice = try check()
        #expect(codes(twice.problems) == ["000001.jpg: listed_twice"] && codes(twice.warnings) == ["000002.jpg: not_listed"])
        try edit("list_attr_celeba.txt") { $0.replacingOccurrences(of: "000003.jpg  1", with: "000003.jpg  7").replacingOccurrences(of: "000003.jpg -1", with: "000003.jpg  7") }
        let value = try check()
        #expect(codes(value.problems) == ["list_attr_celeba.txt: label_malformed"] && value.problems[0].message.hasPrefix("line 5: 000003.jpg"))
        try edit("list_attr_celeba.txt") { _ in "<!doctype html>\n<title>Too many users have viewed or downloaded this file recently</title>" }
        let page = try check()
        #expect(codes(page.problems) == ["list_attr_celeba.txt: web_page"] && page.problems[0].message.contains("Quota exceeded"))
    }

    /// All malformed lines of both files, and nothing else; every other command stops at the first.
    @Test(arguments: [false, true]) func everyMalformedLineOfCelebaIsListed(asCSV: Bool) throws {
        var (attributes, partition, first) = ("list_attr_celeba.txt", "list_eval_partition.txt", 3)
        if asCSV {
            for (name, header) in [(attributes, "image_id"), (partition, "image_id,partition")] {
                var rows = try String(contentsOf: root.appendingPathComponent(name), encoding: .utf8).split(separator: "\n").map {
                    $0.split(separator: " ").joined(separator: ",")
                }
                if name == attributes { rows.removeFirst() }
                let text = name == attributes ? "\(header),\(rows[0])\n" + rows.dropFirst().joined(separator: "\n") : "\(header)\n" + rows.joined(separator: "\n")
                try folder.write(text, to: "faces/" + (name as NSString).deletingPathExtension + ".csv")
                try FileManager.default.removeItem(at: root.appendingPathComponent(name))
            }
            (attributes, partition, first) = ("list_attr_celeba.csv", "list_eval_partition.csv", 2)
        }
        #expect(try check().ok)
        func change(_ name: String, _ changes: [Int: (String) -> String]) throws {
            try edit(name) { text in
                var lines = text.components(separatedBy: "\n")
                for (number, change) in changes { lines[number - 1] = change(lines[number - 1]) }
                return lines.joined(separator: "\n")
            }
        }
        let separator: Character = asCSV ? "," : " "
        func cut(_ line: String) -> String { String(line[..<line.lastIndex(of: separator)!]) }
        try change(attributes, [
            first: { cut($0) + "\(separator)7" }, first + 4: { $0 + "\(separator)1" }, first + 9: cut, first + 10: { cut($0) + "\(separator)x" },
        ])
        try change(partition, [2: { cut($0) + "\(separator)3" }, 8: cut])
        let found = try check()
        #expect(!found.ok && found.listed == 0 && found.usable == 0 && found.splits.isEmpty && found.warnings.isEmpty)
        #expect(
            codes(found.problems)
                == Array(repeating: "\(attributes): label_malformed", count: 4) + Array(repeating: "\(partition): label_malformed", count: 2))
        let lines = [first, first + 4, first + 9, first + 10, 2, 8]
        for (problem, line) in zip(found.problems, lines) { #expect(problem.message.hasPrefix("line \(line): "), "\(problem.message)") }
        let stopped = #expect(throws: DatasetError.self) { try CelebA.load(root: root, target: "Young", groupBy: ["Male"]) }
        #expect(stopped?.description.contains("\(attributes), line \(first): ") == true, "\(String(describing: stopped))")
    }

    private func loadingError(_ layout: DatasetLayout, _ root: URL) -> String? {
        do {
            switch layout {
            case .celeba: _ = try CelebA.load(root: root)
            default: _ = try FairFace.load(root: root, target: "age", groupBy: ["gender", "race", "service_test"])
            }
            return nil
        } catch { return "\(error)" }
    }

    /// Damaged at random, a set has the line at which loading stops among the problems, and none where loading does not stop.
    @Test(arguments: ["list_attr_celeba.txt", "list_eval_partition.txt", "fairface_label_train.csv", "fairface_label_val.csv"])
    func theLineAtWhichLoadingStopsIsAmongThem(_ name: String) throws {
        let layout = name.hasPrefix("list") ? DatasetLayout.celeba : .fairface
        let root = folder.file("damaged")
        try SyntheticFaces.write(to: root, layout: layout == .celeba ? .celeba : .fairface, count: 12, seed: 7)
        let file = root.appendingPathComponent(name)
        let whole = [UInt8](try Data(contentsOf: file))
        // The names of attributes stay, or what is asked for is not there at all.
        let first = name == "list_attr_celeba.txt" ? whole.indices.filter { whole[$0] == 0x0A }[1] : 0
        let bytes: [UInt8] = [0x20, 0x0A, 0x0D, 0x22, 0x2C, 0x2D, 0x30, 0x31, 0x33, 0x80, 0xFF]
        var random = RandomSource(seed: 11)
        var stopped = 0, several = 0
        for _ in 0..<60 {
            var text = whole
            for _ in 0..<Int.random(in: 1...4, using: &random) {
                let at = Int.random(in: first..<text.count, using: &random)
                switch Int.random(in: 0..<3, using: &random) {
                case 0: text[at] = bytes.randomElement(using: &random)!
                case 1: text.insert(bytes.randomElement(using: &random)!, at: at)
                default: text.removeSubrange(at..<min(text.count, at + 3))
                }
            }
            try Data(text).write(to: file)
            let found = try check(layout, root).problems.filter { $0.code == "label_malformed" }
            guard let error = loadingError(layout, root) else {
                #expect(found.isEmpty, "\(found)")
                continue
            }
            let known = found.contains { finding in
                let start = error.hasPrefix("\(finding.file), ") ? "\(finding.file), " : "\(finding.file): "
                return "\(error)\n".hasPrefix("\(start)\(finding.message)\n")
            }
            #expect(known, "\(error) is not among \(found)")
            stopped += 1
            several += found.count > 1 ? 1 : 0
        }
        #expect(stopped > 20 && several > 5, "\(stopped) stopped, \(several) with more than one line")
    }

    @Test func aHeadThatCannotBeReadLeavesTheOtherFileItsLines() throws {
        try edit("list_attr_celeba.txt") { "many\n" + $0 }
        try edit("list_eval_partition.txt") { $0.replacingOccurrences(of: "000003.jpg ", with: "000003.jpg 9") }
        let found = try check()
        #expect(found.problems.map { String($0.message.prefix(7)) } == ["line 1:", "line 3:"])
        // A pointer file is one thing that is wrong, not one per line of it.
        try edit("list_eval_partition.txt") { _ in "version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 12345\n" }
        #expect(codes(try check().problems) == ["list_attr_celeba.txt: label_malformed", "list_eval_partition.txt: git_lfs_pointer"])
        // Lines that are well formed, but miss some of the images.
        try edit("list_attr_celeba.txt") { String($0.dropFirst(5)) }
        try edit("list_eval_partition.txt") { _ in (1...37).map { String(format: "%06d.jpg 0\n", $0) }.joined() }
        let missing = try check().problems
        #expect(missing.map { $0.message.prefix(10) } == ["000038.jpg", "000039.jpg", "000040.jpg"])
    }

    @Test func longListsAreCut() throws {
        try edit("list_attr_celeba.txt") { text in
            let head = text.split(separator: "\n")[1]
            return "230\n\(head)\n" + (1...230).map { "\($0).jpg 5\n" }.joined()
        }
        let found = try check()
        #expect(found.problems.count == 101 && found.problems[99].message.hasPrefix("line 102: 100.jpg"))
        #expect(found.problems[100].message == "130 more malformed lines, not listed" && found.problems[100].code == "label_malformed")
    }

    @Test func everyMalformedLineOfFairFaceIsListed() throws {
        let fairface = folder.file("fairface")
        try SyntheticFaces.write(to: fairface, layout: .fairface, count: 60, seed: 5)
        func change(_ name: String, _ line: Int, _ change: (String) -> String) throws {
            let url = fairface.appendingPathComponent(name)
            var lines = try String(contentsOf: url, encoding: .utf8).components(separatedBy: "\n")
            lines[line - 1] = change(lines[line - 1])
            try Data(lines.joined(separator: "\n").utf8).write(to: url)
        }
        let train = "fairface_label_train.csv", val = "fairface_label_val.csv"
        try change(train, 2) { _ in "train/1.jpg,9-Mar,Male,Black,True" }
        try change(train, 5) { $0 + ",more" }
        try change(train, 7) { _ in "train/6.jpg,20-29,Man,Black,True" }
        try change(train, 8) { _ in "train/7.jpg,20-29,\"Male,Black,True" }  // no line can be told after it
        try change(val, 3) { _ in "val/2.jpg,20-29,Male,3,True" }
        let found = try check(.fairface, fairface)
        #expect(!found.ok && found.listed == 0)
        #expect(
            found.problems.map { "\(($0.file as NSString).lastPathComponent) \($0.message.prefix { $0 != ":" })" }
                == ["\(train) line 2", "\(train) line 5", "\(train) line 7", "\(train) line 8", "\(val) line 3"])
        #expect(found.problems[0].message.contains("spreadsheet") && found.problems[3].message.contains("never closed"))
        let stopped = #expect(throws: DatasetError.self) { try FairFace.load(root: fairface) }
        #expect(stopped?.description.contains("\(train), line 2: ") == true)
        // A header that misses a column is one problem of its file.
        try change(train, 1) { $0.replacingOccurrences(of: "age", with: "years") }
        #expect(codes(try check(.fairface, fairface).problems) == ["\(train): label_malformed", "\(val): label_malformed"])
    }

    @Test(arguments: [false, true]) func everyMalformedLineOfAFolderIsListed(asJSON: Bool) throws {
        let csv = ["file_name,smiling,split", "a.png,1,train", "b.png,1", "../c.png,0,test", "a.png,0,test", ",1,test", "d.png,0,later", "e.png,1,test"]
        let json = [
            #"{"file_name":"z.png","smiling":1,"split":"train"}"#, #"{"file_name":"a.png","smiling":1,"split":"train"}"#, "[1]",
            #"{"file_name":"../c.png","smiling":0,"split":"test"}"#, #"{"file_name":"a.png","smiling":0,"split":"test"}"#,
            #"{"smiling":1,"split":"test"}"#, #"{"file_name":"d.png","smiling":0,"split":"later"}"#, #"{"file_name":"e.png","smiling":1,"split":"test"}"#,
        ]
        try folder.write((asJSON ? json : csv).joined(separator: "\n"), to: asJSON ? "own/metadata.jsonl" : "own/metadata.csv")
        let found = try check(.folder, folder.file("own"))
        #expect(found.problems.map { $0.message.prefix(6) } == ["line 3", "line 6", "line 4", "line 5", "line 7"], "\(found.problems)")
        #expect(found.problems.allSatisfy { $0.code == "label_malformed" } && found.listed == 0)
        let stopped = #expect(throws: DatasetError.self) { try FolderDataset.load(root: folder.file("own"), target: "smiling", groupBy: ["split"]) }
        #expect(stopped?.description.contains(", line 3: ") == true)
    }

    /// The classic: a browser or gdown saved the quota page as the archive, and there are no images.
    @Test func aBadArchiveIsNamedAlsoWithoutImages() throws {
        let images = root.appendingPathComponent("img_align_celeba")
        let archive = root.appendingPathComponent("img_align_celeba.zip")
        try Data("<html><body>Google Drive: Quota exceeded".utf8).write(to: archive)
        #expect(codes(try check().problems) == ["img_align_celeba.zip: web_page"])
        try FileManager.default.removeItem(at: images)
        let found = try check()
        #expect(codes(found.problems) == ["img_align_celeba.zip: web_page", "img_align_celeba: missing"] && found.listed == 0)
        try Data("PK\u{3}\u{4}rest".utf8).write(to: archive)
        // Not the published archive either.
        #expect(codes(try check().problems) == ["img_align_celeba.zip: checksum", "img_align_celeba: missing"])
        try FileManager.default.removeItem(at: archive)
        let missing = #expect(throws: DatasetError.self) { try check() }
        #expect(missing?.exitCode == 66)
    }

    @Test func aPartOfCelebaIsAWarningAndItsChecksumsAreShown() throws {
        for marker in ["synthetic.json", "SYNTHETIC.md"] { try FileManager.default.removeItem(at: root.appendingPathComponent(marker)) }
        let part = try check()
        #expect(part.ok && !part.synthetic)
        #expect(
            codes(part.warnings) == ["list_attr_celeba.txt: count", "list_attr_celeba.txt: checksum", "list_eval_partition.txt: checksum"])
        #expect(part.checksums.map(\.isPublished) == [false, false])
        #expect(part.checksums[0].published == "75e246fa4810816ffd6ee81facbd244c")
    }

    @Test func lenientReadingIsReported() throws {
        let source = try PackSource(count: 70)
        let strict = try check(.folder, source.root) { $0.decodes = true }
        #expect(strict.ok && codes(strict.warnings) == ["metadata.csv: label_malformed"])  // the column of notes
        let noisy = source.root.appendingPathComponent("images/noisy.jpg")
        try PackSource.noisyJPEG().write(to: noisy)
        var text = try String(contentsOf: source.root.appendingPathComponent("metadata.csv"), encoding: .utf8)
        text += "images/noisy.jpg,1,f,dark,train,n\n"
        try source.folder.write(text, to: "data/metadata.csv")
        #expect(codes(try check(.folder, source.root) { $0.decodes = true }.problems) == ["noisy.jpg: image_corrupt"])
        let lenient = try check(.folder, source.root) { $0.decodes = true; $0.limits.lenient = true }
        #expect(lenient.ok && codes(lenient.warnings).contains("noisy.jpg: accepted"))
    }

    @Test func packedFilesAreHeldToTheirDigestAndTheirFolder() throws {
        let file = folder.file("faces.safetensors")
        _ = try PackJob(.celeba, root: root, output: file, settings: PackSettings(imageSize: 16)).run()
        let good = try check(.celeba, file)
        #expect(good.ok && good.listed == 40 && good.usable == 40 && good.synthetic && good.splits.values.reduce(0, +) == 40)
        #expect(codes(try check(.fairface, file).problems) == ["faces.safetensors: pack_malformed"])
        #expect(try check(.celeba) { $0.packed = file }.ok)

        var bytes = try Data(contentsOf: file)
        let middle = bytes.count - 20 * 16 * 16 * 3
        bytes[middle] ^= 1
        let damaged = folder.file("damaged.safetensors")
        try bytes.write(to: damaged)
        #expect(codes(try check(.celeba, damaged).problems) == ["damaged.safetensors: checksum"])
        try bytes.prefix(bytes.count - 1).write(to: damaged)
        #expect(codes(try check(.celeba, damaged).problems) == ["damaged.safetensors: pack_malformed"])

        try edit("list_attr_celeba.txt") { $0 + "\n" }
        #expect(codes(try check(.celeba) { $0.packed = file }.problems) == ["faces.safetensors: pack_outdated"])
    }

    /// A set whose splits are not CelebA's although its size is, and that no image is there for.
    @Test func splitsAreHeldToThePublishedOnes() throws {
        let count = 202_599
        let names = (1...count).map { String(format: "%06d.jpg", $0) }
        let big = folder.file("big")
        try FileManager.default.createDirectory(at: big.appendingPathComponent("img_align_celeba"), withIntermediateDirectories: true)
        try folder.write("\(count)\nSmiling Male Young\n" + names.map { "\($0)  1 -1  1\n" }.joined(), to: "big/list_attr_celeba.txt")
        func partition(_ train: Int) throws {
            try folder.write(
                names.enumerated().map { "\($1) \($0 < train ? 0 : $0 < 182_637 ? 1 : 2)\r\n" }.joined(), to: "big/list_eval_partition.txt")
        }
        try partition(162_770)
        let right = try check(.celeba, big)
        #expect(right.splits == ["train": 162_770, "valid": 19_867, "test": 19_962] && right.usable == 0)
        let rightCodes = codes(right.problems)
        #expect(!rightCodes.contains("list_eval_partition.txt: count") && rightCodes.contains("list_attr_celeba.txt: checksum"))
        // The published partition is nothing but these numbers with CRLF, so these are its very bytes.
        #expect(right.checksums.last?.isPublished == true)
        try partition(162_771)
        let wrong = codes(try check(.celeba, big).problems)
        #expect(wrong.contains("list_eval_partition.txt: count") && wrong.contains("list_eval_partition.txt: checksum"))
    }
}
