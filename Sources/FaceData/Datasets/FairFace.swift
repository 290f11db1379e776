// FairFace: 97,698 faces balanced over seven races, with gender and nine age groups.
//
// Source   https://github.com/joojs/fairface (Kärkkäinen, Joo, "FairFace", WACV 2021)
// Licence  CC BY 4.0
// Layout   train/1.jpg …, val/1.jpg …, fairface_label_train.csv, fairface_label_val.csv
import Foundation

public enum FairFace {
    public static let defaultTarget = "age"
    public static let defaultGroupBy = ["gender", "race"]

    public static let genders = ["Male", "Female"]
    /// In the order of the data set's release on the Hugging Face hub, which the paper's code uses; predict.py of the authors has
    /// another one, so numbers are refused in label files.
    public static let races = ["East Asian", "Indian", "Black", "White", "Middle Eastern", "Latino_Hispanic", "Southeast Asian"]
    public static let ages = ["0-2", "3-9", "10-19", "20-29", "30-39", "40-49", "50-59", "60-69", "more than 70"]

    static let declarations = [
        ColumnDeclaration(name: "age", values: ages, positive: Set(4..<ages.count), positiveName: "30 and over"),
        ColumnDeclaration(name: "gender", values: genders, positive: [1], positiveName: "Female"),
        ColumnDeclaration(name: "race", values: races, positive: nil, positiveName: nil),
        ColumnDeclaration(name: "service_test", values: ["False", "True"], positive: [1], positiveName: "service_test"),
    ]

    static let guide = DatasetGuide(
        title: "FairFace", url: "https://github.com/joojs/fairface", licence: "CC BY 4.0",
        layout: [
            "train/1.jpg …                   86,744 images",
            "val/1.jpg …                     10,954 images",
            "fairface_label_train.csv        file,age,gender,race,service_test",
            "fairface_label_val.csv",
        ],
        standIn: "facefair data synthesize DIR --layout fairface --count 4000 --seed 1")

    /// Reads the label files. Images are not looked at: a missing one shows when it is loaded, as image_missing.
    ///
    /// - `target`: `age` (label 1 = 30 and over, the default), `gender` (label 1 = Female), or `COLUMN=VALUE` as `race=Black`.
    /// - `groupBy`: columns, default gender and race (14 groups).
    /// Errors: ``DatasetError``.
    public static func load(root: URL, target: String? = nil, groupBy: [String]? = nil) throws(DatasetError) -> FaceDataset {
        let request = try ColumnRequest(
            dataset: "FairFace", declarations: declarations, target: target ?? defaultTarget, groupBy: groupBy ?? defaultGroupBy)
        let table = try read(root: root, columns: request.columns)
        return FaceDataset(table, selection: ColumnSelection(request: request, codes: table.codes))
    }

    /// The chosen columns of every row.
    static func read(root: URL, columns: [Int], malformed: MalformedLines? = nil) throws(DatasetError) -> LabelTable {
        // Labels first: a damaged label file is told as such, whether or not the images are there yet.
        let files = ["train", "val"].map { root.appendingPathComponent("fairface_label_\($0).csv") }
        let train = try rows(files[0], columns, malformed)
        let test = try rows(files[1], columns, malformed)
        try malformed.requireNone()
        // The authors' archives unpack to a folder named after the margin around the face.
        let folders = ["", "fairface-img-margin025-trainval", "fairface-img-margin125-trainval"]
            .map { $0.isEmpty ? root : root.appendingPathComponent($0) }
        guard let folder = folders.first(where: { isThere($0, "train") && isThere($0, "val") }) else {
            throw .missing(path: isThere(root, "") ? root.appendingPathComponent("train").path : root.path, help: guide.help)
        }
        return LabelTable(
            layout: .fairface, root: root, folder: folder.path, labelFiles: files, declarations: columns.map { declarations[$0] },
            codes: zip(train.codes, test.codes).map { $0 + $1 }, names: train.files + test.files,
            given: train.files.map { _ in Split.train } + test.files.map { _ in Split.test })
    }

    private static func isThere(_ folder: URL, _ name: String) -> Bool {
        FileManager.default.fileExists(atPath: name.isEmpty ? folder.path : folder.appendingPathComponent(name).path)
    }

    private static func rows(
        _ url: URL, _ chosen: [Int], _ malformed: MalformedLines?
    ) throws(DatasetError) -> (files: [String], codes: [[Int16]]) {
        var files: [String] = []
        var codes = [[Int16]](repeating: [], count: chosen.count)
        do {
            let reader = CSVReader(try LabelText.load(url, guide: guide))
            let header = try reader.next()?.fields ?? []
            func position(_ name: String) throws -> Int {
                if let found = header.firstIndex(of: name) { return found }
                throw DatasetError.malformed(
                    file: url.path, row: 1,
                    reason: "the header has no column '\(name)': \(header.joined(separator: ","))", help: guide.help)
            }
            let fileColumn = try position("file")
            let columns = try chosen.map { try (position(declarations[$0].name), FairFaceValues(declarations[$0])) }
            func addRow() throws {
                guard reader.fieldCount == header.count else {
                    throw DatasetError.malformed(
                        file: url.path, row: reader.line, reason: "\(reader.fieldCount) fields, the header has \(header.count)",
                        help: guide.help)
                }
                let file = try reader.string(fileColumn)
                for (index, (position, values)) in columns.enumerated() {
                    let code = reader.withBytes(position) { values.code($0) }
                    guard let code else {
                        let (reason, help) = values.explain(try reader.string(position))
                        throw DatasetError.malformed(file: url.path, row: reader.line, reason: "\(file): \(reason)", help: help)
                    }
                    codes[index].append(code)
                }
                files.append(file)
            }
            while try reader.advance() {
                do { try addRow() } catch { try malformed.refuse(datasetError(url, error, help: guide.help)) }
            }
        } catch { try malformed.refuse(datasetError(url, error, help: guide.help)) }
        return (files, codes)
    }
}

/// The values of one column as bytes, for comparison without making strings.
private struct FairFaceValues {
    private let declaration: ColumnDeclaration
    private let spellings: [(bytes: [UInt8], code: Int16)]

    init(_ declaration: ColumnDeclaration) {
        self.declaration = declaration
        var spellings = declaration.values.enumerated().map { (Array($1.utf8), Int16($0)) }
        func also(_ spelling: String, _ code: Int) { spellings.append((Array(spelling.utf8), Int16(code))) }
        switch declaration.name {
        case "age": also("70+", FairFace.ages.count - 1)
        case "service_test":
            for (code, spelling) in ["FALSE", "TRUE"].enumerated() { also(spelling, code) }
        default:
            for (code, value) in declaration.values.enumerated() where value.contains(where: { $0 == " " || $0 == "_" }) {
                also(value.replacingOccurrences(of: " ", with: "_"), code)
                also(value.replacingOccurrences(of: "_", with: " "), code)
            }
        }
        self.spellings = spellings
    }

    /// -1 for an empty cell, nil for a value that is none of the column's.
    func code(_ bytes: UnsafeBufferPointer<UInt8>) -> Int16? {
        if bytes.isEmpty { return -1 }
        return spellings.first { $0.bytes.count == bytes.count && $0.bytes.elementsEqual(bytes) }?.code
    }

    func explain(_ value: String) -> (reason: String, help: String) {
        let expected = "expected one of \(declaration.values.joined(separator: ", "))"
        let original = "Obtain the original from \(FairFace.guide.url)"
        if declaration.name == "age", let cause = LabelText.dateExplanation(value) {
            return (
                "age is '\(value)': \(cause)",
                "\(original) and open it in spreadsheet programs by importing the column 'age' as text (\(expected))."
            )
        }
        if Int(value) != nil {
            return (
                "\(declaration.name) is the number '\(value)'",
                "Releases of FairFace number the values in different orders, so numbers are not accepted: write the names (\(expected))."
            )
        }
        let hint = Suggestion.hint(for: value, in: declaration.values)
        return ("\(declaration.name) is '\(value)', \(expected)\(hint)", original)
    }
}
