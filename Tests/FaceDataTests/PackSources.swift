// Data sets for the tests of packing: every fixture image, good and broken, with labels, some of them missing.
import FaceData
import Foundation
import TestSupport

/// A folder data set with metadata.csv; its images are links to the fixtures.
struct PackSource {
    let folder: TemporaryFolder
    var root: URL { folder.file("data") }
    var output: URL { folder.file("packed.safetensors") }

    static let bad = ImageFixtures.all.refused.map(\.file)

    /// Bytes between the JFIF header and the next marker: libjpeg warns, but the pixels are there.
    static func noisyJPEG() throws -> Data {
        var jpeg = try Fixture.data("images/rgb444.jpg")
        jpeg.insert(contentsOf: [0x11, 0x22, 0x33], at: 20)
        return jpeg
    }

    /// `count` images, of which those in `broken` cannot be decoded; splits, labels and groups in turn, and some empty cells. With
    /// more than 64 images the notes are too many to be categories.
    init(count: Int, broken: Set<Int> = []) throws {
        folder = try TemporaryFolder()
        let good = ImageFixtures.all.accepted.map(\.file)
        var rows = ["file_name,smiling,gender,shade,split,note"]
        try FileManager.default.createDirectory(at: root.appendingPathComponent("images"), withIntermediateDirectories: true)
        for index in 0..<count {
            let file = broken.contains(index) ? Self.bad[index % Self.bad.count] : good[index % good.count]
            let name = "images/\(index).\(file.split(separator: ".").last!)"
            try FileManager.default.createSymbolicLink(
                at: root.appendingPathComponent(name), withDestinationURL: Fixture.url("images/\(file)"))
            let label = index % 7 == 3 ? "" : "\(index % 2)", gender = index % 11 == 5 ? "" : index % 3 == 0 ? "m" : "f"
            rows.append("\(name),\(label),\(gender),\(["dark", "light", "pale"][index % 3]),\(["train", "train", "valid", "test"][index % 4]),note \(index)")
        }
        try folder.write(rows.joined(separator: "\n") + "\n", to: "data/metadata.csv")
    }

    func job(imageSize: Int = 12, _ change: (inout PackSettings) -> Void = { _ in }) throws -> PackJob {
        var settings = PackSettings(imageSize: imageSize)
        change(&settings)
        return try PackJob(.folder, root: root, output: output, settings: settings)
    }

    @discardableResult
    func pack(imageSize: Int = 12, _ change: (inout PackSettings) -> Void = { _ in }) throws -> PackSummary {
        try job(imageSize: imageSize, change).run()
    }

    func unpacked() throws -> FaceDataset { try FolderDataset.load(root: root, target: "smiling", groupBy: ["gender", "shade"]) }

    func packed(imageSize: Int? = nil, limits: ImageLimits? = nil) throws -> FaceDataset {
        try PackedImages.load(
            output, layout: .folder, imageSize: imageSize, limits: limits, target: "smiling", groupBy: ["gender", "shade"])
    }
}
