// Which data set a command means, and where it lies.
import ArgumentParser
import FaceData
import Foundation

enum DatasetName: String, ExpressibleByArgument, CaseIterable, Sendable { case celeba, fairface, folder }

struct DataArguments: ParsableArguments {
    @Option(help: ArgumentHelp("Folder of the data set (default: datasets/<name>).", valueName: "dir"))
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

    /// Errors: `DatasetError`, with how to obtain the data where it is missing.
    func load(_ name: DatasetName, target: String? = nil, groupBy: [String]? = nil) throws -> FaceDataset {
        let root = URL(fileURLWithPath: data ?? "datasets/\(name.rawValue)")
        let target = self.target ?? target
        let groupBy = self.groupBy?.split(separator: ",").map { $0.trimmingCharacters(in: .whitespaces) } ?? groupBy
        return switch name {
        case .celeba: try CelebA.load(root: root, target: target, groupBy: groupBy)
        case .fairface: try FairFace.load(root: root, target: target, groupBy: groupBy)
        case .folder: try FolderDataset.load(root: root, target: target, groupBy: groupBy)
        }
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
