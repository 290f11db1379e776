// What the authors published: how many images a data set has, and what its files' checksums are.
import Foundation

enum PublishedData {
    /// Source: torchvision's datasets/celeba.py for the checksums; the data sets' own pages for the counts.
    private static let celebaMD5 = [
        "list_attr_celeba.txt": "75e246fa4810816ffd6ee81facbd244c",
        "list_eval_partition.txt": "d32c9cbf5e040fd4025c592c306e6668",
        "img_align_celeba.zip": "00d2c5bc6d35e252742224ab0c1e8fcb",
    ]
    private static let counts: [DatasetLayout: [String: Int]] = [
        .celeba: ["train": 162_770, "valid": 19_867, "test": 19_962],
        .fairface: ["train": 86_744, "test": 10_954],
    ]

    /// Archives that lie in the folder: an archive that is none, and CelebA's checksum.
    static func checkArchives(_ layout: DatasetLayout, _ root: URL, _ check: inout DatasetCheck) {
        for folder in [root, root.appendingPathComponent("Img")] {
            let names = ((try? FileManager.default.contentsOfDirectory(atPath: folder.path)) ?? []).sorted()
            for name in names where name.lowercased().hasSuffix(".zip") {
                let path = folder.appendingPathComponent(name).path
                if let kind = FileKind.explain(path) {
                    check.problems.append(Finding(file: path, code: kind.code, message: kind.message))
                } else if !FileKind.isZip(path) {
                    check.problems.append(Finding(file: path, code: "archive", message: "this is no zip archive"))
                } else if layout == .celeba, let published = celebaMD5[name], let md5 = md5(path) {
                    check.checksums.append(.init(file: path, md5: md5, published: published))
                    if md5 != published {
                        check.problems.append(
                            Finding(file: path, code: "checksum", message: "MD5 is \(md5), published is \(published): damaged or another release"))
                    }
                }
            }
        }
    }

    /// Counts and the checksums of label files. A smaller or synthetic set is not the published one and need not be.
    static func checkLabels(_ table: LabelTable, _ check: inout DatasetCheck) {
        guard let expected = counts[table.layout], !table.isSynthetic else { return }
        let isWhole = check.listed == expected.values.reduce(0, +)
        if !isWhole {
            check.warnings.append(
                Finding(
                    file: table.labelFiles[0].path, code: "count",
                    message: "\(check.listed) images are listed, \(table.layout.title) has \(expected.values.reduce(0, +)): a part of it, or not it"))
        } else if check.splits != expected {
            let found = check.splits.sorted { $0.key < $1.key }.map { "\($0.key) \($0.value)" }.joined(separator: ", ")
            check.problems.append(
                Finding(file: table.labelFiles.last!.path, code: "count", message: "the splits are \(found), not those of \(table.layout.title)"))
        }
        guard table.layout == .celeba else { return }
        for url in table.labelFiles {
            guard let published = celebaMD5[url.lastPathComponent], let md5 = md5(url.path) else { continue }
            check.checksums.append(.init(file: url.path, md5: md5, published: published))
            guard md5 != published else { continue }
            let finding = Finding(file: url.path, code: "checksum", message: "MD5 is \(md5), published is \(published)")
            if isWhole { check.problems.append(finding) } else { check.warnings.append(finding) }
        }
    }

    /// nil where the file cannot be read.
    static func md5(_ path: String) -> String? {
        guard let handle = FileHandle(forReadingAtPath: path) else { return nil }
        defer { try? handle.close() }
        var digest = MD5()
        do {
            while let chunk = try handle.read(upToCount: 1 << 20), !chunk.isEmpty { chunk.withUnsafeBytes { digest.update($0) } }
        } catch { return nil }
        return digest.finish()
    }
}
