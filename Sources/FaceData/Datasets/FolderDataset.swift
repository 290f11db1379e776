// Any folder of images with metadata.csv or metadata.jsonl, in the convention of Hugging Face's ImageFolder.
//
// Layout   metadata.csv with a column file_name and one column per target or attribute; an empty cell is a missing value.
//          Splits by a column `split`, or by folders train/ valid/ (val/, validation/) test/, or 80/10/10 stratified.
import Foundation

public enum FolderDataset {
    static let guide = DatasetGuide(
        title: "An image folder", url: "your own images; the convention is that of https://huggingface.co/docs/datasets/image_dataset",
        licence: "that of your images",
        layout: [
            "metadata.csv                    file_name,smiling,gender,… (or metadata.jsonl)",
            "a.jpg, sub/b.png …              as named by file_name; JPEG or PNG",
        ],
        standIn: nil)

    /// A column with more different values is an identifier or a measurement, not a category.
    static let mostValues = 64

    /// Reads the metadata. Images are not looked at: a missing one shows when it is loaded, as image_missing.
    ///
    /// - `target`: a 0/1 (also -1/1, true/false) column by name, or `COLUMN=VALUE`. Required.
    /// - `groupBy`: columns; their values are those that occur. Required.
    /// Errors: ``DatasetError``.
    public static func load(root: URL, target: String?, groupBy: [String]?) throws(DatasetError) -> FaceDataset {
        let metadata = try FolderMetadata(root: root, guide: guide)
        let offered = offeredColumns(metadata)
        guard let target else { throw .usage("--target is required for a folder; its columns are: \(offered.joined(separator: ", "))") }
        guard let groupBy else { throw .usage("--group-by is required for a folder; its columns are: \(offered.joined(separator: ", "))") }

        let tables = Dictionary(uniqueKeysWithValues: offered.map { ($0, FolderColumn($0, metadata.rows)) })
        let wanted = groupBy + [String(target.split(separator: "=", maxSplits: 1).first ?? "")]
        for name in wanted { try tables[name]?.requireCategories() }
        let declarations = offered.compactMap { tables[$0]!.declaration }
        let request = try ColumnRequest(dataset: "\(root.lastPathComponent)", declarations: declarations, target: target, groupBy: groupBy)
        let columns = request.columns.map { tables[declarations[$0].name]! }
        let table = table(metadata, root: root, columns: columns, given: try splits(metadata))
        return FaceDataset(table, selection: ColumnSelection(request: request, codes: table.codes))
    }

    /// All columns that can be a target or a feature; the others are named in `leftOut`.
    static func readAll(
        root: URL, leftOut: inout [String], malformed: MalformedLines? = nil
    ) throws(DatasetError) -> LabelTable {
        let metadata = try FolderMetadata(root: root, guide: guide, malformed: malformed)
        let given = try splits(metadata, malformed)
        try malformed.requireNone()
        var columns: [FolderColumn] = []
        for name in offeredColumns(metadata) {
            let column = FolderColumn(name, metadata.rows)
            do throws(DatasetError) {
                try column.requireCategories()
                columns.append(column)
            } catch { leftOut.append(name) }
        }
        return table(metadata, root: root, columns: columns, given: given)
    }

    private static func offeredColumns(_ metadata: FolderMetadata) -> [String] { metadata.columns.filter { $0 != "split" } }

    private static func table(_ metadata: FolderMetadata, root: URL, columns: [FolderColumn], given: [Split?]) -> LabelTable {
        LabelTable(
            layout: .folder, root: root, folder: root.path, labelFiles: metadata.sources,
            declarations: columns.compactMap(\.declaration), codes: columns.map { $0.codes(metadata.rows) },
            names: metadata.rows.map(\.file), given: given)
    }

    /// By a column `split`, by folder, or nil for all where neither says it.
    private static func splits(_ metadata: FolderMetadata, _ malformed: MalformedLines? = nil) throws(DatasetError) -> [Split?] {
        let rows = metadata.rows
        guard metadata.columns.contains("split") else {
            let splits = rows.map(\.folderSplit)
            return splits.contains(nil) ? rows.map { _ in nil } : splits
        }
        var splits: [Split?] = []
        for row in rows {
            let name = row.cells["split"] ?? ""
            guard let split = FolderMetadata.splitNames[name.lowercased()] else {
                try malformed.refuse(
                    .malformed(file: row.source.path, row: row.line, reason: "split is '\(name)'", help: "Write train, valid or test."))
                continue
            }
            splits.append(split)
        }
        return splits
    }
}

/// One column of a folder's metadata and the values that occur in it.
private struct FolderColumn {
    private let name: String
    private let first: FolderMetadata.Row?
    private let values: [String]
    private let codeOf: [String: Int16]
    private let isBinary: Bool
    private let hasTooMany: Bool

    /// Pairs that mean no and yes.
    private static let pairs: [[String]] = [["0", "1"], ["-1", "1"], ["false", "true"]]

    init(_ name: String, _ rows: [FolderMetadata.Row]) {
        self.name = name
        var seen: Set<String> = []
        first = rows.first { !($0.cells[name] ?? "").isEmpty }
        for row in rows where seen.count <= FolderDataset.mostValues {
            if let value = row.cells[name], !value.isEmpty { seen.insert(value) }
        }
        hasTooMany = seen.count > FolderDataset.mostValues
        let pair = FolderColumn.pairs.first { pair in !seen.isEmpty && seen.allSatisfy { pair.contains($0.lowercased()) } }
        isBinary = pair != nil
        if let pair {
            values = ["0", "1"]
            codeOf = Dictionary(uniqueKeysWithValues: seen.map { ($0, Int16(pair.firstIndex(of: $0.lowercased())!)) })
        } else {
            let allNumbers = seen.allSatisfy { Double($0) != nil }
            values = seen.sorted { a, b in
                allNumbers && Double(a)! != Double(b)! ? Double(a)! < Double(b)! : a < b
            }
            codeOf = Dictionary(uniqueKeysWithValues: values.enumerated().map { ($1, Int16($0)) })
        }
    }

    /// nil for a column that is no category.
    var declaration: ColumnDeclaration? {
        if hasTooMany || values.isEmpty { return nil }
        return isBinary ? .binary(name) : ColumnDeclaration(name: name, values: values, positive: nil, positiveName: nil)
    }

    /// Refuses what a column asked for by name cannot be.
    func requireCategories() throws(DatasetError) {
        guard let first else { throw .usage("column '\(name)' is empty in every row") }
        if ["race", "ethnicity", "age"].contains(name.lowercased()), codeOf.keys.allSatisfy({ Int($0) != nil }) {
            throw .malformed(
                file: first.source.path, row: first.line, reason: "\(name) is the number '\(first.cells[name]!)'",
                help: "Data sets number such values in different orders, so numbers are not accepted: write names, for ages ranges as 20-29.")
        }
        if hasTooMany {
            throw .usage("column '\(name)' has more than \(FolderDataset.mostValues) different values and cannot be a target or a feature")
        }
    }

    func codes(_ rows: [FolderMetadata.Row]) -> [Int16] { rows.map { codeOf[$0.cells[name] ?? ""] ?? -1 } }
}
