// data verify: what is wrong is found and named file by file, and nothing else is.
import FaceData
import Foundation
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
