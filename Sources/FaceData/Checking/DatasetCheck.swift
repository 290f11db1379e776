// data verify: holds a data folder to its label files, its published figures, and every image's own header.
import Foundation
import Synchronization

/// What a check found. `problems` make the data set unfit as it is, `warnings` are only worth knowing.
public struct DatasetCheck: Encodable, Sendable {
    public struct Checksum: Encodable, Equatable, Sendable {
        public let file: String
        public let md5: String
        public let published: String
        public var isPublished: Bool { md5 == published }

        private enum CodingKeys: String, CodingKey { case file, md5, published, isPublished }

        public func encode(to encoder: any Encoder) throws {
            var container = encoder.container(keyedBy: CodingKeys.self)
            try container.encode(file, forKey: .file)
            try container.encode(md5, forKey: .md5)
            try container.encode(published, forKey: .published)
            try container.encode(isPublished, forKey: .isPublished)
        }
    }

    public let layout: String
    public let path: String
    public internal(set) var synthetic = false
    public var ok: Bool { problems.isEmpty }
    /// Images that the label files list, and those among them that can be used.
    public internal(set) var listed = 0
    public internal(set) var usable = 0
    /// Whole images were decoded, not only headers read.
    public let decoded: Bool
    /// Rows per split as the source gives them; `none` where it gives none.
    public internal(set) var splits: [String: Int] = [:]
    public internal(set) var checksums: [Checksum] = []
    public internal(set) var problems: [Finding] = []
    public internal(set) var warnings: [Finding] = []

    private enum CodingKeys: String, CodingKey {
        case layout, path, synthetic, ok, listed, usable, decoded, splits, checksums, problems, warnings
    }

    public func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(layout, forKey: .layout)
        try container.encode(path, forKey: .path)
        try container.encode(synthetic, forKey: .synthetic)
        try container.encode(ok, forKey: .ok)
        try container.encode(listed, forKey: .listed)
        try container.encode(usable, forKey: .usable)
        try container.encode(decoded, forKey: .decoded)
        try container.encode(splits, forKey: .splits)
        try container.encode(checksums, forKey: .checksums)
        try container.encode(problems, forKey: .problems)
        try container.encode(warnings, forKey: .warnings)
    }
}

public struct DatasetVerifier: Sendable {
    public var decodes = false
    public var workers = 2
    public var limits = ImageLimits()
    /// A packed file to compare with the folder.
    public var packed: URL?

    public init() {}

    /// Checks a data folder, or a packed file.
    ///
    /// Errors: ``DatasetError/missing(path:help:)`` when the folder, a label file or the image folder is not there. Everything else
    /// stands in the result.
    public func check(_ layout: DatasetLayout, at root: URL, progress: (Int, Int) -> Void = { _, _ in }) throws -> DatasetCheck {
        var isFolder: ObjCBool = false
        if FileManager.default.fileExists(atPath: root.path, isDirectory: &isFolder), !isFolder.boolValue {
            return try checkPacked(layout, root)
        }
        var check = DatasetCheck(layout: layout.rawValue, path: root.path, decoded: decodes)
        check.synthetic = FileManager.default.fileExists(atPath: root.appendingPathComponent(FaceDataset.marker).path)
        PublishedData.checkArchives(layout, root, &check)
        var leftOut: [String] = []
        let malformed = MalformedLines()
        let table: LabelTable
        do throws(DatasetError) { table = try LabelTable.readAll(layout, root: root, leftOut: &leftOut, malformed: malformed) } catch {
            check.problems += findings(malformed, error)
            switch error {
            case .malformed: break  // one of those
            case .missing(let path, _) where !check.problems.isEmpty:  // the archive that should have held it is bad
                check.problems.append(Finding(file: path, code: "missing", message: "not found"))
            case .missing(let path, let help):
                let archive = path + ".zip"
                guard FileKind.isZip(archive) else { throw error }
                throw DatasetError.missing(path: path, help: "\(archive) is there, but not unpacked.\n\(help)")
            case .usage: throw error
            }
            return check
        }
        check.listed = table.names.count
        for split in table.given { check.splits[split?.rawValue ?? "none", default: 0] += 1 }
        PublishedData.checkLabels(table, &check)
        for name in leftOut {
            check.warnings.append(
                Finding(file: table.labelFiles[0].path, code: "label_malformed", message: "column '\(name)' can be neither target nor feature"))
        }
        checkNames(table, &check)
        try checkImages(table, &check, progress)
        checkUnlisted(table, &check)
        if let packed { try checkAgainst(packed, table, &check) }
        return check
    }

    /// The malformed lines of label files, `thrown` among them; of a file that is plainly something else, only what it is.
    private func findings(_ malformed: MalformedLines, _ thrown: DatasetError) -> [Finding] {
        var findings: [Finding] = []
        var explained: Set<String> = []
        for error in malformed.listed + (malformed.listed.contains(thrown) ? [] : [thrown]) {
            guard case .malformed(let file, let row, let reason, _) = error, !explained.contains(file) else { continue }
            if let kind = FileKind.explain(file) {
                explained.insert(file)
                findings.append(Finding(file: file, code: kind.code, message: kind.message))
            } else {
                findings.append(Finding(file: file, code: "label_malformed", message: (row.map { "line \($0): " } ?? "") + reason))
            }
        }
        for (file, count) in malformed.unlisted where !explained.contains(file) {
            findings.append(
                Finding(file: file, code: "label_malformed", message: "\(count) more malformed line\(count == 1 ? "" : "s"), not listed"))
        }
        return findings
    }

    private func checkNames(_ table: LabelTable, _ check: inout DatasetCheck) {
        var seen: Set<String> = []
        for name in table.names where !seen.insert(name).inserted {
            check.problems.append(Finding(file: name, code: "listed_twice", message: "the label files list it twice"))
        }
    }

    private func checkImages(_ table: LabelTable, _ check: inout DatasetCheck, _ progress: (Int, Int) -> Void) throws {
        let bad = Mutex<[Int: Finding]>([:]), forgiven = Mutex<[Int: Finding]>([:])
        let total = table.names.count
        let (decodes, limits) = (decodes, limits)
        try Workers.run(count: total, workers: workers, progress: { progress($0, total) }) {
            let decoder = ImageDecoder(limits: limits)
            return { row in
                let path = "\(table.folder)/\(table.names[row])"
                do throws(ImageError) {
                    if decodes { _ = try decoder.decode(path: path) } else { _ = try decoder.header(path: path) }
                    if let warning = decoder.lastWarning {
                        let finding = Finding(
                            file: path, code: "accepted", message: "\(warning.first); accepted because of --lenient-images")
                        forgiven.withLock { $0[row] = finding }
                    }
                } catch {
                    let kind = error.code == .missing ? nil : FileKind.explainImage(path)
                    let finding = Finding(file: path, code: kind?.code ?? error.code.rawValue, message: kind?.message ?? error.detail)
                    bad.withLock { $0[row] = finding }
                }
            }
        }
        let found = bad.withLock { $0 }
        check.usable = total - found.count
        check.problems += found.sorted { $0.key < $1.key }.map(\.value)
        check.warnings += forgiven.withLock { $0 }.sorted { $0.key < $1.key }.map(\.value)
    }

    /// Images beside those that are listed: an incomplete label file, or another release.
    private func checkUnlisted(_ table: LabelTable, _ check: inout DatasetCheck) {
        let listed = Set(table.names)
        let folders = table.layout == .fairface ? ["train/", "val/"] : [""]
        for folder in folders {
            let start = URL(fileURLWithPath: table.folder).appendingPathComponent(folder)
            guard let walk = FileManager.default.enumerator(atPath: start.path) else { continue }
            var extra: [String] = []
            for case let path as String in walk where ["jpg", "jpeg", "png"].contains((path as NSString).pathExtension.lowercased()) {
                if !path.hasPrefix("."), !listed.contains(folder + path) { extra.append(folder + path) }
            }
            check.warnings += extra.sorted().map {
                Finding(file: "\(table.folder)/\($0)", code: "not_listed", message: "the label files do not list this image")
            }
        }
    }

    // MARK: Packed files

    private func checkPacked(_ layout: DatasetLayout, _ url: URL) throws -> DatasetCheck {
        var check = DatasetCheck(layout: layout.rawValue, path: url.path, decoded: true)
        do throws(DatasetError) {
            let packed = try PackedImages(url)
            check.synthetic = packed.description.synthetic
            check.listed = packed.count + packed.refusedCount
            check.usable = packed.count
            for split in try packed.labelTable().given { check.splits[split?.rawValue ?? "none", default: 0] += 1 }
            if packed.layout != layout {
                check.problems.append(
                    Finding(file: url.path, code: "pack_malformed", message: "this is a packed \(packed.layout.rawValue) data set, not \(layout.rawValue)"))
            }
            if packed.imagesDigest() != packed.description.imagesSHA256 {
                check.problems.append(
                    Finding(file: url.path, code: "checksum", message: "the pixels are not those that were packed: SHA-256 differs from images_sha256"))
            }
            check.warnings += packed.refusals.map { Finding(file: $0.file, code: $0.code.rawValue, message: "not in the file: \($0.message)") }
        } catch {
            guard case .malformed(_, _, let reason, _) = error else { throw error }
            check.problems.append(Finding(file: url.path, code: "pack_malformed", message: reason))
        }
        return check
    }

    private func checkAgainst(_ url: URL, _ table: LabelTable, _ check: inout DatasetCheck) throws {
        let inFile = try checkPacked(table.layout, url)
        check.problems += inFile.problems
        guard inFile.ok else { return }
        if try PackedImages(url).description.sourceSHA256 != table.sourceDigest() {
            check.problems.append(
                Finding(
                    file: url.path, code: "pack_outdated",
                    message: "labels or images of \(table.root.path) are not those it was packed from; pack again with --exist-ok"))
        }
    }
}
