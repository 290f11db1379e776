// data inspect: counts per split and group, and sheets that show the right faces at the right place.
import FaceData
import Foundation
import TensorCore
import TestSupport
import Testing

@Suite struct InspectionTests {
    @Test func everySampleIsCountedOnce() throws {
        let source = try PackSource(count: 120)
        let dataset = try source.unpacked()
        let table = GroupTable(dataset)
        for split in Split.allCases {
            let samples = dataset.samples(split)
            let rows = table.rows.filter { $0.split == split.rawValue }
            #expect(rows.map(\.count).reduce(0, +) == samples.count)
            #expect(rows.map(\.label1).reduce(0, +) == samples.count { $0.label == 1 })
            #expect(rows.map(\.label0).reduce(0, +) == samples.count { $0.label == 0 })
            #expect(rows.map(\.unlabelled).reduce(0, +) == samples.count { $0.label == nil })
            #expect(Array(rows.map(\.group).prefix(6)) == (0..<6).map { dataset.groupLabel($0) } && rows.last?.group == "unknown")
            for row in rows where row.label0 + row.label1 > 0 {
                #expect(row.positiveRate == Double(row.label1) / Double(row.label0 + row.label1))
            }
        }
        // An empty combination has a row, too.
        #expect(table.rows.contains { $0.count == 0 && $0.positiveRate == nil })
    }

    @Test func aSheetShowsTheGroupsFacesAndPackedOnesAlike() throws {
        let folder = try TemporaryFolder()
        let root = folder.file("faces"), file = folder.file("faces.safetensors")
        try SyntheticFaces.write(to: root, layout: .celeba, count: 60, seed: 5)
        let dataset = try CelebA.load(root: root)
        var sheet = ContactSheet()
        (sheet.tile, sheet.columns, sheet.rows) = (24, 3, 1)
        let group = 1  // Male=0, Young=1: the largest
        let outcome = sheet.draw(dataset, group: group)
        let image = try #require(outcome.image)
        #expect(outcome.shown == 6 && outcome.refused.isEmpty)
        // Bar, gap, three faces with gaps; two rows, between them a wider gap.
        #expect(image.width == 8 + 4 + 3 * 28 && image.height == 4 + 2 * 28 + 8)
        func pixel(_ x: Int, _ y: Int) -> [UInt8] { Array(image.pixels[(y * image.width + x) * 3..<(y * image.width + x) * 3 + 3]) }
        #expect(pixel(2, 10) == [37, 99, 165] && pixel(2, 4 + 28 + 8 + 2) == [217, 119, 6] && pixel(2, 4 + 26) == [245, 245, 245])
        // The first face of each block is the group's first with that label, in the order of the splits.
        let members = Split.allCases.flatMap { dataset.samples($0) }.filter { $0.group == group }
        for (label, top) in [(1, 4), (0, 40)] {
            var face = [UInt8](repeating: 0, count: 24 * 24 * 3)
            let sample = try #require(members.first { $0.label == label })
            try face.withUnsafeMutableBufferPointer { try ImageDecoder().decode(path: sample.file, size: 24, into: $0.baseAddress!) }
            for y in 0..<24 {
                let start = ((top + y) * image.width + 12) * 3
                #expect(Array(image.pixels[start..<start + 72]) == Array(face[y * 72..<(y + 1) * 72]), "label \(label), line \(y)")
            }
        }
        // The PNG holds these pixels.
        #expect(try ImageDecoder().decode(bytes: Array(image.pngData()), name: "sheet") == image)

        _ = try PackJob(.celeba, root: root, output: file, settings: PackSettings(imageSize: 24)).run()
        let packed = try PackedImages.load(file, layout: .celeba)
        #expect(sheet.draw(packed, group: group).image == image)
        #expect(sheet.draw(dataset, group: -1).image == nil)  // no unknown ones
    }

    @Test func imagesThatCannotBeReadAreCountedNotReplaced() throws {
        let source = try PackSource(count: 60, broken: [1, 13, 25, 37, 49])
        let dataset = try source.unpacked()
        var shown = 0, refused: [ImageErrorCode] = []
        for group in -1..<dataset.groupCount {
            let outcome = ContactSheet().draw(dataset, group: group)
            shown += outcome.shown
            refused += outcome.refused.map(\.code)
        }
        #expect(shown + refused.count == 60 - dataset.unlabelled.values.reduce(0, +) && refused.count >= 4)
    }
}
