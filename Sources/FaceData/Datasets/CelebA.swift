// CelebA: 202,599 aligned faces of celebrities with 40 attributes.
//
// Source   https://mmlab.ie.cuhk.edu.hk/projects/CelebA.html (Liu, Luo, Wang, Tang, "Deep learning face attributes in the wild", ICCV 2015)
// Licence  non-commercial research only, by agreement with the authors; not redistributable
// Layout   img_align_celeba/000001.jpg …, list_attr_celeba.txt, list_eval_partition.txt; also Kaggle's .csv and doubled folder,
//          and the official Anno/, Eval/, Img/ folders
import Foundation

public enum CelebA {
    public static let defaultTarget = "Smiling"
    public static let defaultGroupBy = ["Male", "Young"]

    static let guide = DatasetGuide(
        title: "CelebA", url: "https://mmlab.ie.cuhk.edu.hk/projects/CelebA.html",
        licence: "non-commercial research only, see the agreement on that page",
        layout: [
            "img_align_celeba/000001.jpg …   202,599 images of 178×218",
            "list_attr_celeba.txt            (or Kaggle's list_attr_celeba.csv)",
            "list_eval_partition.txt         (or Kaggle's list_eval_partition.csv)",
        ],
        standIn: "facefair data synthesize DIR --layout celeba --count 4000 --seed 1")

    /// Reads the label files. Images are not looked at: a missing one shows when it is loaded, as image_missing.
    ///
    /// - `target`: an attribute name, default Smiling; `NAME=0` turns it round.
    /// - `groupBy`: attribute names, default Male and Young, values 0 and 1.
    /// Errors: ``DatasetError``.
    public static func load(root: URL, target: String? = nil, groupBy: [String]? = nil) throws(DatasetError) -> FaceDataset {
        var request: ColumnRequest?
        let table = try read(root: root) { declarations throws(DatasetError) in
            let made = try ColumnRequest(
                dataset: "CelebA", declarations: declarations, target: target ?? defaultTarget, groupBy: groupBy ?? defaultGroupBy)
            request = made
            return made.columns
        }
        return FaceDataset(table, selection: ColumnSelection(request: request!, codes: table.codes))
    }

    /// The columns that `select` chooses, for every row.
    static func read(
        root: URL, malformed: MalformedLines? = nil, select: ([ColumnDeclaration]) throws(DatasetError) -> [Int]
    ) throws(DatasetError) -> LabelTable {
        let attributesFile = try find(["list_attr_celeba.txt", "list_attr_celeba.csv", "Anno/list_attr_celeba.txt"], in: root)
        let partitionFile = try find(
            ["list_eval_partition.txt", "list_eval_partition.csv", "Eval/list_eval_partition.txt"], in: root)
        // Kaggle's archive unpacks to img_align_celeba/img_align_celeba.
        let folder = try find(
            ["img_align_celeba/img_align_celeba", "img_align_celeba", "Img/img_align_celeba"], in: root, what: "img_align_celeba")
        let attributes: CelebAAttributeFile
        do throws(DatasetError) { attributes = try CelebAAttributeFile(attributesFile, guide: guide) } catch {
            try malformed.refuse(error)
            // The lines of the other file do not depend on this one.
            _ = try readCelebAPartition(partitionFile, files: [], guide: guide, malformed: malformed)
            throw error
        }
        let declarations = attributes.names.map(ColumnDeclaration.binary)
        let columns = try select(declarations)
        let (files, codes) = try attributes.read(columns: columns, malformed: malformed)
        let splits = try readCelebAPartition(partitionFile, files: files, guide: guide, malformed: malformed)
        try malformed.requireNone()
        return LabelTable(
            layout: .celeba, root: root, folder: folder.path, labelFiles: [attributesFile, partitionFile],
            declarations: columns.map { declarations[$0] }, codes: codes, names: files, given: splits)
    }

    private static func find(_ candidates: [String], in root: URL, what: String? = nil) throws(DatasetError) -> URL {
        for candidate in candidates {
            let url = root.appendingPathComponent(candidate)
            if FileManager.default.fileExists(atPath: url.path) { return url }
        }
        let isThere = FileManager.default.fileExists(atPath: root.path)
        throw .missing(path: isThere ? root.appendingPathComponent(what ?? candidates[0]).path : root.path, help: guide.help)
    }
}
