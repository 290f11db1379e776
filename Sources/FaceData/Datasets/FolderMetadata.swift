// The metadata files of an image folder: metadata.csv or metadata.jsonl, at the root or one per split folder.
import Foundation

/// Rows of text cells; an empty cell is a missing value.
struct FolderMetadata {
    struct Row {
        let file: String
        /// Split by folder, if the row's metadata file or its path says one.
        let folderSplit: Split?
        let source: URL
        let line: Int
        let cells: [String: String]
    }

    /// Without file_name, in the order of the first CSV header; alphabetical for JSON.
    private(set) var columns: [String] = []
    private(set) var rows: [Row] = []
    /// The metadata files.
    private(set) var sources: [URL] = []

    static let splitNames: [String: Split] = [
        "train": .train, "training": .train, "valid": .valid, "val": .valid, "validation": .valid, "dev": .valid,
        "test": .test, "testing": .test,
    ]

    init(root: URL, guide: DatasetGuide, malformed: MalformedLines? = nil) throws(DatasetError) {
        let found = FolderMetadata.files(root)
        guard !found.isEmpty else {
            let isThere = FileManager.default.fileExists(atPath: root.path)
            throw .missing(path: isThere ? root.appendingPathComponent("metadata.csv").path : root.path, help: guide.help)
        }
        var seen: Set<String> = []
        sources = found.map(\.0)
        for (url, prefix, split) in found {
            if url.pathExtension == "csv" {
                try readCSV(url, prefix, split, guide, malformed)
            } else {
                try readJSON(url, prefix, split, guide, malformed)
            }
        }
        for row in rows {
            let components = row.file.split(separator: "/", omittingEmptySubsequences: false)
            guard !row.file.hasPrefix("/") && !components.contains("..") else {
                try malformed.refuse(
                    .malformed(
                        file: row.source.path, row: row.line, reason: "file_name '\(row.file)' leaves the data folder",
                        help: "Give paths below \(root.path)."))
                continue
            }
            guard seen.insert(row.file).inserted else {
                try malformed.refuse(
                    .malformed(
                        file: row.source.path, row: row.line, reason: "'\(row.file)' is listed twice", help: "Keep one row per image."))
                continue
            }
        }
    }

    /// The root's metadata file, or else those of the split folders.
    private static func files(_ root: URL) -> [(URL, prefix: String, split: Split?)] {
        func metadata(_ folder: URL) -> URL? {
            ["metadata.csv", "metadata.jsonl"].map(folder.appendingPathComponent)
                .first { FileManager.default.fileExists(atPath: $0.path) }
        }
        if let url = metadata(root) { return [(url, "", nil)] }
        return splitNames.sorted { $0.key < $1.key }.compactMap { name, split in
            metadata(root.appendingPathComponent(name)).map { ($0, name + "/", split) }
        }
    }

    private mutating func add(_ url: URL, _ line: Int, _ prefix: String, _ split: Split?, _ cells: [String: String]) throws(DatasetError) {
        var cells = cells
        guard let name = cells.removeValue(forKey: "file_name"), !name.isEmpty else {
            throw .malformed(file: url.path, row: line, reason: "file_name is missing", help: "Every row needs the path of its image.")
        }
        let file = prefix + name
        let first = file.split(separator: "/").first.map(String.init) ?? ""
        let byPath = file.contains("/") ? FolderMetadata.splitNames[first] : nil
        rows.append(Row(file: file, folderSplit: split ?? byPath, source: url, line: line, cells: cells))
    }

    private mutating func readCSV(
        _ url: URL, _ prefix: String, _ split: Split?, _ guide: DatasetGuide, _ malformed: MalformedLines?
    ) throws(DatasetError) {
        do {
            let reader = CSVReader(try LabelText.load(url, guide: guide))
            let header = try reader.next()?.fields ?? []
            guard header.contains("file_name") else {
                throw DatasetError.malformed(
                    file: url.path, row: 1, reason: "the header has no column 'file_name': \(header.joined(separator: ","))",
                    help: guide.help)
            }
            guard Set(header).count == header.count else {
                throw DatasetError.malformed(
                    file: url.path, row: 1, reason: "a column name stands twice: \(header.joined(separator: ","))", help: "Rename one.")
            }
            columns += header.filter { $0 != "file_name" && !columns.contains($0) }
            while try reader.advance() {
                do {
                    let record = try reader.record()
                    guard record.fields.count == header.count else {
                        throw DatasetError.malformed(
                            file: url.path, row: record.line, reason: "\(record.fields.count) fields, the header has \(header.count)",
                            help: "A field that contains a comma needs quotes around it.")
                    }
                    try add(url, record.line, prefix, split, Dictionary(uniqueKeysWithValues: zip(header, record.fields)))
                } catch { try malformed.refuse(datasetError(url, error, help: "")) }
            }
        } catch { try malformed.refuse(datasetError(url, error, help: "")) }
    }

    private mutating func readJSON(
        _ url: URL, _ prefix: String, _ split: Split?, _ guide: DatasetGuide, _ malformed: MalformedLines?
    ) throws(DatasetError) {
        let data: Data
        do throws(DatasetError) { data = try LabelText.load(url, guide: guide) } catch { return try malformed.refuse(error) }
        let decoder = JSONDecoder()
        var number = 0
        var names: Set<String> = []
        for line in data.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false) {
            number += 1
            if line.allSatisfy({ $0 <= UInt8(ascii: " ") }) { continue }
            let object: [String: Cell]
            do { object = try decoder.decode([String: Cell].self, from: Data(line)) } catch {
                try malformed.refuse(
                    .malformed(
                        file: url.path, row: number, reason: "this is not a JSON object of strings, numbers, true, false and null",
                        help: "Write one object per line, for example {\"file_name\":\"a.jpg\",\"label\":1}."))
                continue
            }
            names.formUnion(object.keys)
            do throws(DatasetError) { try add(url, number, prefix, split, object.mapValues(\.text)) } catch { try malformed.refuse(error) }
        }
        columns += names.subtracting(columns).subtracting(["file_name"]).sorted()
    }

    /// A JSON scalar as the text that a CSV cell would hold.
    private struct Cell: Decodable {
        let text: String

        init(from decoder: any Decoder) throws {
            let value = try decoder.singleValueContainer()
            if value.decodeNil() {
                text = ""
            } else if let flag = try? value.decode(Bool.self) {
                text = flag ? "true" : "false"
            } else if let number = try? value.decode(Int.self) {
                text = "\(number)"
            } else if let number = try? value.decode(Double.self) {
                text = "\(number)"
            } else {
                text = try value.decode(String.self)
            }
        }
    }
}
