// Which data set a command means, and where it lies.
import ArgumentParser
import FaceData
import Foundation

typealias DatasetName = DatasetLayout
extension DatasetLayout: ExpressibleByArgument {}

struct DataArguments: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "Folder of the data set, or a file made by 'facefair data pack' (default: datasets/<name>).", valueName: "path"))
    var data: String?

    @Option(help: "Label to predict: a column's name, or NAME=VALUE of a column with several values.")
    var target: String?

    @Option(help: "Sensitive features, separated by commas; groups are their intersections.")
    var groupBy: String?

    @Option(name: [.customShort("j"), .long], help: "Threads that decode images.")
    var workers = 2

    @Option(help: "Refused images that are tolerated before the command gives up (default: any number).")
    var maxErrors: Int?

    func validate() throws {
        guard workers >= 1 else { throw ValidationError("--workers \(workers): must be at least 1") }
        if let maxErrors, maxErrors < 0 { throw ValidationError("--max-errors \(maxErrors): must be at least 0") }
    }

    /// Errors: `DatasetError`, with how to obtain the data where it is missing; for a packed file also where its images do not have
    /// the asked-for `imageSize`.
    func load(_ name: DatasetName, target: String? = nil, groupBy: [String]? = nil, imageSize: Int? = nil) throws -> FaceDataset {
        try DatasetSource.load(
            name, path: data ?? "datasets/\(name.rawValue)", target: self.target ?? target,
            groupBy: self.groupBy ?? groupBy?.joined(separator: ","), imageSize: imageSize)
    }
}

/// A folder or a packed file, as a data set.
enum DatasetSource {
    static func load(
        _ layout: DatasetLayout, path: String, target: String?, groupBy: String?, imageSize: Int? = nil
    ) throws -> FaceDataset {
        let root = URL(fileURLWithPath: path)
        let groupBy = try groupBy.map(features)
        var isFolder: ObjCBool = false
        let exists = FileManager.default.fileExists(atPath: root.path, isDirectory: &isFolder)
        if exists ? !isFolder.boolValue : root.pathExtension == "safetensors" {
            return try PackedImages.load(root, layout: layout, imageSize: imageSize, target: target, groupBy: groupBy)
        }
        return switch layout {
        case .celeba: try CelebA.load(root: root, target: target, groupBy: groupBy)
        case .fairface: try FairFace.load(root: root, target: target, groupBy: groupBy)
        case .folder: try FolderDataset.load(root: root, target: target, groupBy: groupBy)
        }
    }

    /// The names in "Male, Young". An empty one is a slip of the hand, not a feature to leave out.
    private static func features(_ text: String) throws -> [String] {
        let names = text.split(separator: ",", omittingEmptySubsequences: false).map { $0.trimmingCharacters(in: .whitespaces) }
        guard !names.contains("") else { throw DatasetError.usage("--group-by '\(text)': a name is empty") }
        return names
    }
}

struct ThreadArguments: ParsableArguments {
    @Option(help: "Threads that compute (default: one per core). Results do not depend on it.")
    var threads: Int?

    func validate() throws {
        if let threads, threads < 1 { throw ValidationError("--threads \(threads): must be at least 1") }
    }

    var count: Int { threads ?? ProcessInfo.processInfo.activeProcessorCount }
}
