// Writes a data set of drawn faces in the exact layout of CelebA or FairFace.
import Foundation

/// Drawn faces as a stand-in for real data: labelled synthetic, reproducible, with known group differences.
public enum SyntheticFaces {
    public enum Layout: String, CaseIterable, Codable, Sendable {
        case celeba, fairface

        var title: String { self == .celeba ? "CelebA" : "FairFace" }
        var width: Int { self == .celeba ? 178 : 224 }
        var height: Int { self == .celeba ? 218 : 224 }
    }

    /// CelebA's file names have six digits.
    public static let maximumCount = 999_999

    /// Draws `count` faces into `folder` with all label files of `layout`.
    ///
    /// The bytes depend on `layout`, `count` and `seed` only. A folder that already holds the same set is completed:
    /// only missing images are drawn. Any other non-empty folder is refused untouched.
    /// - `progress`: called on the calling thread with the number of images done.
    /// - Throws: ``SyntheticFacesError``.
    public static func write(
        to folder: URL, layout: Layout, count: Int, seed: UInt64, workers: Int = 1, progress: (Int) -> Void = { _ in }
    ) throws {
        guard count >= 1 && count <= maximumCount else { throw SyntheticFacesError.badCount(count) }
        var marker = SyntheticMarker(layout: layout, count: count, seed: seed, complete: false)
        let isComplete = try claim(folder, for: marker)

        let plan = plan(layout, count, seed)
        // The marker comes first: a set that is interrupted from here on is known as synthetic, and as unfinished.
        try OutputFile.write(marker.note, to: folder.appendingPathComponent(SyntheticMarker.noteName))
        if !isComplete { try OutputFile.write(marker.json, to: folder.appendingPathComponent(SyntheticMarker.fileName)) }
        for name in plan.folders { try OutputFile.makeFolder(folder.appendingPathComponent(name)) }
        for file in plan.labelFiles() { try OutputFile.write(file.text, to: folder.appendingPathComponent(file.name)) }

        let root = folder.path
        try Workers.run(count: count, workers: workers, progress: progress) {
            let painter = FacePainter(width: layout.width, height: layout.height)
            return { index in
                let path = root + "/" + plan.imageName(index)
                if isComplete && access(path, F_OK) == 0 { return }
                plan.paint(index, with: painter)
                try painter.withJPEG { try OutputFile.write($0, to: path) }
            }
        }
        marker.complete = true
        try OutputFile.write(marker.json, to: folder.appendingPathComponent(SyntheticMarker.fileName))
    }

    /// The picture of one image before it is encoded.
    package static func picture(_ index: Int, layout: Layout, count: Int, seed: UInt64) -> PixelImage {
        let painter = FacePainter(width: layout.width, height: layout.height)
        plan(layout, count, seed).paint(index, with: painter)
        return PixelImage(width: layout.width, height: layout.height, pixels: painter.rgb)
    }

    private static func plan(_ layout: Layout, _ count: Int, _ seed: UInt64) -> any SyntheticPlan {
        layout == .celeba ? CelebAPlan(count: count, seed: seed) : FairFacePlan(count: count, seed: seed)
    }

    /// Makes sure `folder` exists and may be filled; returns whether it already holds the whole set.
    private static func claim(_ folder: URL, for marker: SyntheticMarker) throws -> Bool {
        var isFolder: ObjCBool = false
        guard FileManager.default.fileExists(atPath: folder.path, isDirectory: &isFolder) else {
            try OutputFile.makeFolder(folder)
            return false
        }
        guard isFolder.boolValue else {
            throw SyntheticFacesError.unwritable(path: folder.path, reason: "it is a file, not a folder")
        }
        if let found = SyntheticMarker.read(from: folder) {
            guard found.isSameSet(as: marker) else {
                throw SyntheticFacesError.otherSet(path: folder.path, found: found.summary, wanted: marker.summary)
            }
            return found.complete
        }
        do {
            let names = try FileManager.default.contentsOfDirectory(atPath: folder.path)
            // A README that stands in an otherwise empty data folder of a checkout is no obstacle.
            guard names.allSatisfy({ $0 == "README.md" || $0 == SyntheticMarker.noteName }) else {
                throw SyntheticFacesError.notEmpty(path: folder.path)
            }
        } catch let error as SyntheticFacesError {
            throw error
        } catch {
            throw SyntheticFacesError.unwritable(path: folder.path, reason: "cannot list it (\(error.localizedDescription))")
        }
        return false
    }
}

/// What a layout decides: names, labels, and which face is image number `index` (from 0).
protocol SyntheticPlan: Sendable {
    var folders: [String] { get }
    func imageName(_ index: Int) -> String
    func labelFiles() -> [(name: String, text: String)]
    func paint(_ index: Int, with painter: FacePainter)
}
