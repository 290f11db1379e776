// The synthetic data sets as files: same bytes for the same seed, exact layouts, refusals.
import FaceData
import Foundation
import TestSupport
import Testing

/// Every file under a folder with its bytes.
private func contents(of folder: URL) throws -> [String: Data] {
    var found: [String: Data] = [:]
    for name in try FileManager.default.subpathsOfDirectory(atPath: folder.path) {
        let url = folder.appendingPathComponent(name)
        var isFolder: ObjCBool = false
        _ = FileManager.default.fileExists(atPath: url.path, isDirectory: &isFolder)
        if !isFolder.boolValue { found[name] = try Data(contentsOf: url) }
    }
    return found
}

private func lines(_ folder: URL, _ name: String) throws -> [String] {
    let text = try String(contentsOf: folder.appendingPathComponent(name), encoding: .utf8)
    #expect(text.hasSuffix("\n"))
    return text.dropLast().components(separatedBy: "\n")
}

/// Width and height from the start-of-frame marker of a baseline JPEG, and its sampling of the first component.
private func jpegSize(_ data: Data) -> (width: Int, height: Int, sampling: UInt8)? {
    let b = [UInt8](data)
    guard b.count > 4, b[0] == 0xFF, b[1] == 0xD8, b.suffix(2) == [0xFF, 0xD9] else { return nil }
    var at = 2
    while at + 12 < b.count, b[at] == 0xFF {
        if b[at + 1] == 0xC0 { return (Int(b[at + 7]) << 8 | Int(b[at + 8]), Int(b[at + 5]) << 8 | Int(b[at + 6]), b[at + 11]) }
        at += 2 + (Int(b[at + 2]) << 8 | Int(b[at + 3]))
    }
    return nil
}

/// FNV-1a, enough to pin down text.
private func fingerprint(_ data: Data) -> String {
    String(data.reduce(0xcbf2_9ce4_8422_2325 as UInt64) { ($0 ^ UInt64($1)) &* 0x100_0000_01b3 }, radix: 16)
}

@Suite struct SyntheticFacesTests {
    @Test(arguments: SyntheticFaces.Layout.allCases)
    func sameSeedSameBytesForAnyWorkers(_ layout: SyntheticFaces.Layout) throws {
        let folder = try TemporaryFolder()
        let one = folder.file("one")
        let three = folder.file("three")
        let other = folder.file("other")
        try SyntheticFaces.write(to: one, layout: layout, count: 13, seed: 7, workers: 1)
        try SyntheticFaces.write(to: three, layout: layout, count: 13, seed: 7, workers: 3)
        try SyntheticFaces.write(to: other, layout: layout, count: 13, seed: 8, workers: 2)
        let a = try contents(of: one)
        let b = try contents(of: three)
        #expect(a == b)
        let images = a.keys.filter { $0.hasSuffix(".jpg") }
        #expect(images.count == 13)
        let c = try contents(of: other)
        #expect(images.allSatisfy { a[$0] != c[$0] })
        #expect(Set(images.map { a[$0]! }).count == 13)
    }

    @Test func celebaLayout() throws {
        let folder = try TemporaryFolder()
        let root = folder.file("celeba")
        try SyntheticFaces.write(to: root, layout: .celeba, count: 40, seed: 3, workers: 2)
        let attributes = try lines(root, "list_attr_celeba.txt")
        #expect(attributes.count == 42)
        #expect(attributes[0] == "40")
        let names = attributes[1].split(separator: " ").map(String.init)
        #expect(names == CelebAAttribute.officialNames)
        #expect(names.count == 40 && names[31] == "Smiling" && names[20] == "Male" && names[39] == "Young" && names[2] == "Attractive")
        for (index, row) in attributes.dropFirst(2).enumerated() {
            let cells = row.split(separator: " ")
            #expect(cells.count == 41)
            #expect(cells[0] == "0000\(index < 9 ? "0" : "")\(index + 1).jpg")
            #expect(cells.dropFirst().allSatisfy { $0 == "1" || $0 == "-1" })
            #expect(row.count == 10 + 40 * 3)
        }
        let partitions = try lines(root, "list_eval_partition.txt").map { $0.split(separator: " ")[1] }
        #expect(partitions.count == 40)
        #expect(partitions.map { Int($0)! } == [Int](repeating: 0, count: 32) + [1, 1, 1, 1, 2, 2, 2, 2])
        #expect(try lines(root, "identity_CelebA.txt").count == 40)
        let landmarks = try lines(root, "list_landmarks_align_celeba.txt")
        #expect(landmarks.count == 42)
        for row in landmarks.dropFirst(2) {
            let p = row.split(separator: " ").dropFirst().map { Int($0)! }
            #expect(p.count == 10)
            #expect(p.allSatisfy { $0 > 20 && $0 < 200 })
            #expect(p[0] < p[2] && p[6] < p[8] && p[1] < p[5] && p[5] < p[7])
        }
        for index in [1, 40] {
            let image = try Data(contentsOf: root.appendingPathComponent("img_align_celeba/0000\(index < 10 ? "0" : "")\(index).jpg"))
            let size = try #require(jpegSize(image))
            #expect(size == (178, 218, 0x22))
        }
    }

    @Test func fairFaceLayout() throws {
        let folder = try TemporaryFolder()
        let root = folder.file("fairface")
        try SyntheticFaces.write(to: root, layout: .fairface, count: 45, seed: 3, workers: 2)
        var files = 0
        for (split, count) in [("train", 40), ("val", 5)] {
            let rows = try lines(root, "fairface_label_\(split).csv")
            #expect(rows.count == count + 1)
            #expect(rows[0] == "file,age,gender,race,service_test")
            for (index, row) in rows.dropFirst().enumerated() {
                let cells = row.components(separatedBy: ",")
                #expect(cells.count == 5)
                #expect(cells[0] == "\(split)/\(index + 1).jpg")
                #expect(FairFacePopulation.ages.contains(cells[1]))
                #expect(FairFacePopulation.genders.contains(cells[2]))
                #expect(FairFacePopulation.races.contains(cells[3]))
                #expect(cells[4] == "True" || cells[4] == "False")
                let size = try #require(jpegSize(try Data(contentsOf: root.appendingPathComponent(cells[0]))))
                #expect(size == (224, 224, 0x22))
                files += 1
            }
        }
        #expect(files == 45)
    }

    /// Labels and pictures come from integer and exact float arithmetic: the same on every machine.
    @Test func knownLabelsAndPixels() throws {
        let folder = try TemporaryFolder()
        let celeba = folder.file("celeba")
        let fairface = folder.file("fairface")
        try SyntheticFaces.write(to: celeba, layout: .celeba, count: 8, seed: 20_240_501)
        try SyntheticFaces.write(to: fairface, layout: .fairface, count: 9, seed: 20_240_501)
        let expected = try String(contentsOf: Fixture.url("synthetic_labels.txt"), encoding: .utf8)
        var actual = ""
        for (root, names) in [
            (celeba, ["list_attr_celeba.txt", "list_eval_partition.txt", "identity_CelebA.txt", "list_landmarks_align_celeba.txt"]),
            (fairface, ["fairface_label_train.csv", "fairface_label_val.csv"]),
        ] {
            for name in names { actual += "\(name) \(fingerprint(try Data(contentsOf: root.appendingPathComponent(name))))\n" }
        }
        for layout in SyntheticFaces.Layout.allCases {
            for index in 0..<8 {
                let picture = SyntheticFaces.picture(index, layout: layout, count: 9, seed: 20_240_501)
                actual += "pixels \(layout.rawValue) \(index) \(fingerprint(Data(picture.pixels)))\n"
            }
        }
        #expect(actual == expected, "generator version \(SyntheticMarker.currentVersion) must change with labels and pixels")
    }

    @Test(arguments: SyntheticFaces.Layout.allCases)
    func jpegDecodesToThePicture(_ layout: SyntheticFaces.Layout) throws {
        let folder = try TemporaryFolder()
        let root = folder.file("set")
        try SyntheticFaces.write(to: root, layout: layout, count: 3, seed: 6)
        let name = layout == .celeba ? "img_align_celeba/000002.jpg" : "train/2.jpg"
        let drawn = SyntheticFaces.picture(1, layout: layout, count: 3, seed: 6)
        let decoded = try ImageDecoder().decode(path: root.appendingPathComponent(name).path)
        #expect(decoded.width == drawn.width && decoded.height == drawn.height)
        let differences = zip(drawn.pixels, decoded.pixels).map { abs(Int($0) - Int($1)) }
        #expect(Double(differences.reduce(0, +)) / Double(differences.count) < 5)
        // A face on a background is neither flat nor noise.
        #expect(Set(drawn.pixels).count > 100)
    }

    @Test func encoderRefusesASmallBuffer() {
        let painter = FacePainter(width: 64, height: 48, capacity: 300)
        #expect(throws: SyntheticFacesError.encoding("the file does not fit in the buffer")) {
            try painter.withJPEG { _ in }
        }
        let empty = FacePainter(width: 0, height: 48)
        #expect(throws: SyntheticFacesError.encoding("size, row length or quality out of range")) {
            try empty.withJPEG { _ in }
        }
    }

    @Test func marker() throws {
        let folder = try TemporaryFolder()
        let root = folder.file("set")
        #expect(SyntheticMarker.read(from: root) == nil)
        try SyntheticFaces.write(to: root, layout: .celeba, count: 2, seed: 5)
        let marker = try #require(SyntheticMarker.read(from: root))
        #expect(marker.layout == .celeba && marker.count == 2 && marker.seed == 5 && marker.complete)
        #expect(marker.generator == "facefair" && marker.version == SyntheticMarker.currentVersion)
        let note = try String(contentsOf: root.appendingPathComponent("SYNTHETIC.md"), encoding: .utf8)
        #expect(note.contains("SYNTHETIC") && note.contains("no real people"))
    }

    @Test func sameSetIsCompletedAndOthersAreRefused() throws {
        let folder = try TemporaryFolder()
        let root = folder.file("set")
        try SyntheticFaces.write(to: root, layout: .celeba, count: 5, seed: 5)
        let before = try contents(of: root)
        try FileManager.default.removeItem(at: root.appendingPathComponent("img_align_celeba/000003.jpg"))
        try SyntheticFaces.write(to: root, layout: .celeba, count: 5, seed: 5, workers: 2)
        #expect(try contents(of: root) == before)
        #expect {
            try SyntheticFaces.write(to: root, layout: .celeba, count: 6, seed: 5)
        } throws: { error in
            guard case .otherSet(let path, _, _)? = error as? SyntheticFacesError else { return false }
            return path == root.path && "\(error)".contains("seed 5")
        }
        #expect(try contents(of: root) == before)

        let real = folder.file("real")
        try folder.write("file,age,gender,race,service_test\n", to: "real/fairface_label_train.csv")
        #expect(throws: SyntheticFacesError.notEmpty(path: real.path)) {
            try SyntheticFaces.write(to: real, layout: .fairface, count: 1, seed: 1)
        }
        #expect(try contents(of: real).count == 1)
    }

    @Test func badRequests() throws {
        let folder = try TemporaryFolder()
        for count in [0, -1, 1_000_000] {
            #expect(throws: SyntheticFacesError.badCount(count)) {
                try SyntheticFaces.write(to: folder.file("x"), layout: .celeba, count: count, seed: 1)
            }
        }
        let file = try folder.write("text", to: "plain.txt")
        for target in [file, file.appendingPathComponent("below")] {
            #expect {
                try SyntheticFaces.write(to: target, layout: .celeba, count: 1, seed: 1)
            } throws: { error in
                guard case .unwritable(let path, _)? = error as? SyntheticFacesError else { return false }
                return path == target.path && "\(error)".contains(target.path)
            }
        }
    }

    @Test(.enabled(if: FileManager.default.fileExists(atPath: "/dev/full"), "needs /dev/full"))
    func fullDiskNamesTheFile() throws {
        let folder = try TemporaryFolder()
        let root = folder.file("set")
        let images = root.appendingPathComponent("img_align_celeba")
        try FileManager.default.createDirectory(at: images, withIntermediateDirectories: true)
        // An interrupted set with one image's temporary name led to a full device.
        try folder.write(#"{"generator":"facefair","version":1,"layout":"celeba","count":3,"seed":1,"complete":false}"#, to: "set/synthetic.json")
        try FileManager.default.createSymbolicLink(
            atPath: images.appendingPathComponent("000002.jpg.partial").path, withDestinationPath: "/dev/full")
        #expect(throws: SyntheticFacesError.diskFull(path: images.appendingPathComponent("000002.jpg").path)) {
            try SyntheticFaces.write(to: root, layout: .celeba, count: 3, seed: 1, workers: 2)
        }
        let marker = try #require(SyntheticMarker.read(from: root))
        #expect(!marker.complete)
    }

    @Test(arguments: [1, 2]) func progressCountsUp(_ workers: Int) throws {
        let folder = try TemporaryFolder()
        var seen: [Int] = []
        try SyntheticFaces.write(to: folder.file("p"), layout: .celeba, count: 9, seed: 1, workers: workers) { seen.append($0) }
        #expect(seen.last == 9)
        #expect(zip(seen, seen.dropFirst()).allSatisfy { $0 < $1 })
    }
}
