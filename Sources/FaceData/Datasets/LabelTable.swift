// What the label files of a data set say, as codes per column: the form that all layouts and packed files share, before a target
// and groups are chosen.
import Foundation

/// Whose layout a data folder has.
public enum DatasetLayout: String, CaseIterable, Codable, Sendable {
    case celeba, fairface, folder

    var title: String {
        switch self {
        case .celeba: "CelebA"
        case .fairface: "FairFace"
        case .folder: "The folder"
        }
    }

    var guide: DatasetGuide {
        switch self {
        case .celeba: CelebA.guide
        case .fairface: FairFace.guide
        case .folder: FolderDataset.guide
        }
    }
}

struct LabelTable: Sendable {
    let layout: DatasetLayout
    /// The data folder, or the packed file.
    let root: URL
    /// What `names` are relative to.
    let folder: String
    let labelFiles: [URL]
    /// The columns that were read.
    let declarations: [ColumnDeclaration]
    /// As `declarations`: a value's position per row, -1 for an empty cell.
    let codes: [[Int16]]
    let names: [String]
    /// The split that the source gives each row; nil where it gives none.
    let given: [Split?]
    let isSynthetic: Bool
    let packed: PackedImages?

    init(
        layout: DatasetLayout, root: URL, folder: String, labelFiles: [URL], declarations: [ColumnDeclaration], codes: [[Int16]],
        names: [String], given: [Split?], isSynthetic: Bool? = nil, packed: PackedImages? = nil
    ) {
        self.layout = layout
        self.root = root
        self.folder = folder
        self.labelFiles = labelFiles
        self.declarations = declarations
        self.codes = codes
        self.names = names
        self.given = given
        self.isSynthetic =
            isSynthetic ?? FileManager.default.fileExists(atPath: root.appendingPathComponent(FaceDataset.marker).path)
        self.packed = packed
    }

    /// Reads every column of a data folder that can be a target or a feature; names in `leftOut` those that cannot.
    ///
    /// With `malformed` it reads on after a malformed line, and throws the first one when all label files have been read.
    /// Errors: ``DatasetError``.
    static func readAll(
        _ layout: DatasetLayout, root: URL, leftOut: inout [String], malformed: MalformedLines? = nil
    ) throws(DatasetError) -> LabelTable {
        switch layout {
        case .celeba:
            try CelebA.read(root: root, malformed: malformed) { declarations throws(DatasetError) in Array(declarations.indices) }
        case .fairface: try FairFace.read(root: root, columns: Array(FairFace.declarations.indices), malformed: malformed)
        case .folder: try FolderDataset.readAll(root: root, leftOut: &leftOut, malformed: malformed)
        }
    }

    /// Chooses target and groups; the layout's defaults where nil. Errors: what `absent` makes of a column that is not there.
    func dataset(
        target: String?, groupBy: [String]?, absent: (String) -> DatasetError
    ) throws(DatasetError) -> FaceDataset {
        let (defaultTarget, defaultGroups): (String?, [String]?) = switch layout {
        case .celeba: (CelebA.defaultTarget, CelebA.defaultGroupBy)
        case .fairface: (FairFace.defaultTarget, FairFace.defaultGroupBy)
        case .folder: (nil, nil)
        }
        let columns = declarations.map(\.name).joined(separator: ", ")
        guard let target = target ?? defaultTarget else { throw .usage("--target is required for a folder; its columns are: \(columns)") }
        guard let groupBy = groupBy ?? defaultGroups else { throw .usage("--group-by is required for a folder; its columns are: \(columns)") }
        let request = try ColumnRequest(
            dataset: layout.title, declarations: declarations, target: target, groupBy: groupBy, absent: absent)
        return FaceDataset(self, selection: ColumnSelection(request: request, codes: request.columns.map { codes[$0] }))
    }

    /// Share of the training rows that become the validation split where the source has none.
    private static let validationShare = 0.1

    /// Every row's split: as given; 80/10/10 where nothing is given; a tenth of the training rows for validation where that is
    /// missing. What facefair divides itself is stratified by label, in a folder also by group, so it depends on the selection.
    func splits(_ selection: ColumnSelection) -> [Split] {
        func stratum(_ row: Int) -> Int {
            let label = selection.label(row) ?? -1
            return layout == .folder ? label &* (ColumnRequest.mostGroups + 2) &+ selection.group(row) : label
        }
        guard !given.contains(nil) else {
            return StratifiedSplit.parts(strata: given.indices.map(stratum), shares: [0.8, 0.1, 0.1], seed: StratifiedSplit.seed)
                .map { [.train, .valid, .test][$0] }
        }
        var splits = given.map { $0! }
        guard layout != .celeba, splits.contains(.train), !splits.contains(.valid) else { return splits }
        let training = splits.indices.filter { splits[$0] == .train }
        let parts = StratifiedSplit.parts(
            strata: training.map(stratum), shares: [1 - LabelTable.validationShare, LabelTable.validationShare],
            seed: StratifiedSplit.seed)
        for (row, part) in zip(training, parts) where part == 1 { splits[row] = .valid }
        return splits
    }
}
