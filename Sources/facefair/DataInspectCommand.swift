// data inspect: group × label tables, and a sheet of faces per group
import ArgumentParser
import FaceData
import Fairness
import Foundation
import Inference
import Reporting

struct DataInspectCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "inspect",
        abstract: "Count labels by group and split, and draw a sheet of faces per group.",
        discussion: """
            PATH is a folder or a file made by 'data pack'. With --output, each group gets group-K_NAME.png (group-unknown.png for \
            faces of which a feature is missing): faces with label 1 beside a blue bar, below them label 0 beside an orange bar, then \
            those without a label beside a grey one, as the network sees them. With --format json, stdout gets one object: dataset, path, synthetic, target, positive, features [{name, \
            values}], unlabelled {split: rows left out}, rows [{split, group, count, label_0, label_1, unlabelled, positive_rate}], \
            sheets [{group, file, shown, refused}]; with csv, the rows.
            """)

    enum Format: String, ExpressibleByArgument, CaseIterable { case human, json, csv }

    @Argument(help: "celeba, fairface or folder.")
    var layout: DatasetName
    @Argument(help: ArgumentHelp("Folder of the data set, or a packed file.", valueName: "path"))
    var path: String
    @Option(help: "Label: a column's name, or NAME=VALUE of a column with several values.")
    var target: String?
    @Option(help: "Sensitive features, separated by commas; groups are their intersections.")
    var groupBy: String?
    @Option(name: [.short, .long], help: ArgumentHelp("Folder for a PNG sheet of faces per group.", valueName: "dir"))
    var output: String?
    @Option(help: "Side of a face on the sheets, in pixels.")
    var tile = 96
    @Option(help: "How the tables are printed on stdout.")
    var format = Format.human
    @Flag(help: "Print errors only on stderr.")
    var quiet = false

    func validate() throws {
        guard (16...512).contains(tile) else { throw ValidationError("--tile \(tile): must be 16 to 512") }
    }

    func run() throws {
        let dataset = try DatasetSource.load(layout, path: path, target: target, groupBy: groupBy)
        let table = GroupTable(dataset)
        let sheets = try output.map { try draw(dataset, in: URL(fileURLWithPath: $0)) } ?? []
        switch format {
        case .json:
            try Console.json(
                InspectSummary(
                    dataset: dataset.name, path: dataset.root.path, synthetic: dataset.isSynthetic, target: dataset.target,
                    positive: dataset.positive, features: dataset.features,
                    unlabelled: Dictionary(uniqueKeysWithValues: dataset.unlabelled.map { ($0.key.rawValue, $0.value) }), rows: table.rows,
                    sheets: sheets))
        case .csv: FileHandle.standardOutput.write(Data(tables(table, dataset, bySplit: false)[0].csv.utf8))
        case .human:
            Console.output(tables(table, dataset, bySplit: true).map(\.text).joined(separator: "\n\n"))
            for (split, rows) in dataset.unlabelled.sorted(by: { $0.key.rawValue < $1.key.rawValue }) {
                Console.output("\n\(rows) rows of the \(split.rawValue) split have no label and take no part")
            }
            for sheet in sheets { Console.output("\(sheet.group): \(sheet.shown) faces in \(sheet.file)") }
        }
        let refused = sheets.reduce(0) { $0 + $1.refused }
        if refused > 0 { throw ExitCode(ExitStatus.someInputsFailed.rawValue) }
    }

    private func tables(_ table: GroupTable, _ dataset: FaceDataset, bySplit: Bool) -> [Table] {
        let kind = dataset.isSynthetic ? "SYNTHETIC \(dataset.name)" : dataset.name
        let counts: [Table.Column] = [.init("count"), .init("label_0"), .init("label_1"), .init("unlabelled"), .init("positive_rate")]
        func cells(_ row: GroupTable.Row) -> [String] {
            [
                row.group, "\(row.count)", "\(row.label0)", "\(row.label1)", "\(row.unlabelled)",
                row.positiveRate.map { String(format: "%.4f", $0) } ?? "",
            ]
        }
        guard bySplit else {
            var all = Table([.init("split"), .init("group", .left)] + counts)
            for row in table.rows { all.append([row.split] + cells(row)) }
            return [all]
        }
        return Split.allCases.map { split in
            let rows = table.rows.filter { $0.split == split.rawValue }
            var part = Table(
                title: "\(kind), \(split.rawValue): \(rows.reduce(0) { $0 + $1.count }) samples, label 1 = \(dataset.positive)",
                [.init("group", .left)] + counts)
            for row in rows { part.append(cells(row)) }
            return part
        }
    }

    private func draw(_ dataset: FaceDataset, in folder: URL) throws -> [SheetSummary] {
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        var sheet = ContactSheet()
        sheet.tile = tile
        var sheets: [SheetSummary] = []
        let hasUnknown = Split.allCases.contains { dataset.samples($0).contains { $0.group == unknownGroup } }
        for group in Array(0..<dataset.groupCount) + (hasUnknown ? [unknownGroup] : []) {
            let outcome = sheet.draw(dataset, group: group)
            for error in outcome.refused where !quiet { Console.note("refused: \(error) (\(error.code.rawValue))") }
            guard let image = outcome.image else {
                if !quiet { Console.note("\(dataset.groupLabel(group)): no face to show") }
                continue
            }
            let label = dataset.groupLabel(group)
            let safe = label.map { $0.isASCII && ($0.isLetter || $0.isNumber || "=,_-".contains($0)) ? String($0) : "_" }.joined()
            let number = group == unknownGroup ? "" : "\(group)_"
            let file = folder.appendingPathComponent("group-\(number)\(safe.prefix(100)).png")
            try ByteFiles.replace(file.path, with: Array(image.pngData()))
            sheets.append(SheetSummary(group: label, file: file.path, shown: outcome.shown, refused: outcome.refused.count))
        }
        return sheets
    }
}

private struct SheetSummary: Encodable {
    let group: String, file: String
    let shown: Int, refused: Int
}

private struct InspectSummary: Encodable {
    let dataset: String, path: String
    let synthetic: Bool
    let target: String, positive: String
    let features: [DatasetFeature]
    let unlabelled: [String: Int]
    let rows: [GroupTable.Row]
    let sheets: [SheetSummary]
}
