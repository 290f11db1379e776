// The marker that names a folder synthetic: synthetic.json for programs, SYNTHETIC.md for people.
import Foundation

public struct SyntheticMarker: Codable, Equatable, Sendable {
    public static let fileName = "synthetic.json"
    static let noteName = "SYNTHETIC.md"
    /// Changes whenever the same seed would give other bytes.
    public static let currentVersion = 1

    public var generator = "facefair"
    public var version = SyntheticMarker.currentVersion
    public var layout: SyntheticFaces.Layout
    public var count: Int
    public var seed: UInt64
    /// False while images are being written: an interrupted set is already marked as synthetic.
    public var complete: Bool

    /// Reads the marker of a data folder; nil when there is none or it is not ours.
    public static func read(from folder: URL) -> SyntheticMarker? {
        guard let data = try? Data(contentsOf: folder.appendingPathComponent(fileName)) else { return nil }
        let marker = try? JSONDecoder().decode(SyntheticMarker.self, from: data)
        return marker?.generator == "facefair" ? marker : nil
    }

    /// Equal but for completeness.
    func isSameSet(as other: SyntheticMarker) -> Bool {
        version == other.version && layout == other.layout && count == other.count && seed == other.seed
    }

    var summary: String { "layout \(layout.rawValue), \(count) images, seed \(seed), generator version \(version)" }

    /// The JSON text, keys in fixed order.
    var json: String {
        """
        {"generator":"\(generator)","version":\(version),"layout":"\(layout.rawValue)","count":\(count),"seed":\(seed),\
        "complete":\(complete)}

        """
    }

    var note: String {
        """
        # SYNTHETIC: drawn faces, no real people

        Every image in this folder was drawn by
        `facefair data synthesize DIR --layout \(layout.rawValue) --count \(count) --seed \(seed)` (generator version \(version)). No photograph was used. Labels, identities and partitions are made up as well.

        The file layout is that of \(layout.title), so that the same readers serve both; the data are not \(layout.title).
        Results on this folder say whether software works. They say nothing about real faces, real people or real groups,
        and must not be reported under the name of \(layout.title).

        """
    }
}
