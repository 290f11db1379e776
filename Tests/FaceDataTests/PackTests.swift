// Packed data sets: the batches of the folder bit for bit, interrupted and resumed, refused where they do not fit.
import FaceData
import Foundation
import TensorCore
import TestSupport
import Testing

/// Everything a loader gives, as bits.
private struct Loaded: Equatable {
    var pixels: [UInt32] = []
    var labels: [UInt32] = []
    var groups: [Int] = []
    var indices: [[Int]] = []
    var refused: [ImageErrorCode] = []
}

private func load(_ dataset: FaceDataset, _ split: Split, workers: Int, size: Int, change: ImageChange? = nil) throws -> Loaded {
    let samples = dataset.samples(split)
    let loader = DataLoader(samples: samples, transform: FaceTransform(imageSize: size), workers: workers)
    let sampler = StratifiedBatchSampler(groups: samples.map(\.group), batchSize: 7, random: RandomSource(seed: 4))
    var all = Loaded()
    for epoch in 1...2 {
        let batches = loader.batches(sampler.epoch(epoch), change: change)
        while let batch = try batches.next() {
            all.pixels += batch.images.toArray().map(\.bitPattern)
            all.labels += batch.labels.map(\.bitPattern)
            all.groups += batch.groups
            all.indices.append(batch.indices)
        }
    }
    all.refused = loader.badImages.entries.map(\.code)
    return all
}

private func expectSameBatches(_ packed: FaceDataset, _ folder: FaceDataset, size: Int) throws {
    #expect(packed.features == folder.features && packed.positive == folder.positive && packed.target == folder.target)
    #expect(packed.unlabelled == folder.unlabelled && packed.isSynthetic == folder.isSynthetic && packed.name == folder.name)
    let change = Augmentation(flip: 0.5, jitter: 0.2)
        .change(transform: FaceTransform(imageSize: size), epoch: 3, random: RandomSource(seed: 9))
    for split in Split.allCases {
        #expect(packed.samples(split).map(\.name) == folder.samples(split).map(\.name))
        let reference = try load(folder, split, workers: 1, size: size)
        #expect(!reference.pixels.isEmpty)
        #expect(try load(packed, split, workers: 1, size: size) == reference)
        #expect(try load(packed, split, workers: 3, size: size) == reference)
        #expect(try load(packed, split, workers: 2, size: size, change: change) == load(folder, split, workers: 1, size: size, change: change))
    }
}

@Suite struct PackTests {
    @Test func packedBatchesAreTheFoldersBitForBit() throws {
        let source = try PackSource(count: 120, broken: [0, 5, 33, 34, 80, 119])
        let summary = try source.pack()
        #expect(summary.status == .packed && summary.images == 114 && summary.refused == 6 && summary.leftOut == ["note"])
        try expectSameBatches(source.packed(), source.unpacked(), size: 12)
        let log = try String(contentsOfFile: #require(summary.badImages), encoding: .utf8).split(separator: "\n")
        #expect(log.count == 6 && log[1].contains("images/5."))
    }

    @Test(arguments: [SyntheticFaces.Layout.celeba, .fairface])
    func publishedLayoutsPackWithAllTheirColumns(_ layout: SyntheticFaces.Layout) throws {
        let folder = try TemporaryFolder()
        let root = folder.file("faces"), file = folder.file("faces.safetensors")
        try SyntheticFaces.write(to: root, layout: layout, count: 40, seed: 5)
        let name = try #require(DatasetLayout(rawValue: layout.rawValue))
        #expect(try PackJob(name, root: root, output: file, settings: PackSettings(imageSize: 24)).run().images == 40)
        switch layout {
        case .celeba:
            try expectSameBatches(PackedImages.load(file, layout: .celeba), CelebA.load(root: root), size: 24)
            try expectSameBatches(
                PackedImages.load(file, layout: .celeba, target: "Young=0", groupBy: ["Male", "Eyeglasses"]),
                CelebA.load(root: root, target: "Young=0", groupBy: ["Male", "Eyeglasses"]), size: 24)
        case .fairface:
            try expectSameBatches(PackedImages.load(file, layout: .fairface), FairFace.load(root: root), size: 24)
            try expectSameBatches(
                PackedImages.load(file, layout: .fairface, target: "gender=Male", groupBy: ["age"]),
                FairFace.load(root: root, target: "gender=Male", groupBy: ["age"]), size: 24)
        }
    }

    @Test func workersAndInterruptionsChangeNoByte() throws {
        let source = try PackSource(count: 700, broken: [3, 255, 256, 600])
        try source.pack { $0.workers = 1 }
        let whole = try Data(contentsOf: source.output)
        for workers in [1, 3] {
            try FileManager.default.removeItem(at: source.output)
            var states: [(done: Int, resumed: Int)] = []
            func run(stop: Bool) throws -> PackSummary {
                states = []
                return try source.job { $0.workers = workers }.run(shouldStop: { stop }) { states.append(($0.done, $0.resumed)) }
            }
            let first = try run(stop: true)
            #expect(first.status == .interrupted && first.images + first.refused == 256)
            #expect(!FileManager.default.fileExists(atPath: source.output.path))
            let second = try run(stop: true)
            #expect(second.status == .interrupted && second.resumed == 256 && second.images + second.refused == 512)
            let third = try run(stop: false)
            #expect(third.status == .packed && third.resumed == 512 && third.images == 696 && third.refused == 4)
            #expect(states.first! == (512, 512) && states.last! == (700, 512))
            #expect(try Data(contentsOf: source.output) == whole)
            #expect(try source.pack().status == .unchanged)
            let left = try FileManager.default.contentsOfDirectory(atPath: source.folder.url.path).sorted()
            #expect(left == ["data", "packed.bad_images.jsonl", "packed.safetensors"])
        }
    }

    /// What a power cut can leave: a file shorter than the journal says, pages that were never written, half a journal line.
    @Test func aDamagedUnfinishedFileIsRepairedNotTrusted() throws {
        let source = try PackSource(count: 600)
        try source.pack()
        let whole = try Data(contentsOf: source.output)
        let partial = URL(fileURLWithPath: source.output.path + ".partial")
        let journal = URL(fileURLWithPath: source.output.path + ".partial.jsonl")
        let damages: [(String, Int, () throws -> Void)] = [
            ("nothing", 512, {}),
            ("file cut off", 256, { try FileHandle(forWritingTo: partial).truncate(atOffset: UInt64(Data(contentsOf: partial).count - 5)) }),
            ("a page of zeros", 0, {
                let file = try FileHandle(forWritingTo: partial)
                try file.seek(toOffset: UInt64(Data(contentsOf: partial).count / 2))
                try file.write(contentsOf: Data(count: 4096))
            }),
            ("half a line", 512, {
                let file = try FileHandle(forWritingTo: journal)
                try file.seekToEnd()
                try file.write(contentsOf: Data("{\"kept\":600,\"ref".utf8))
            }),
            ("no journal", 0, { try FileManager.default.removeItem(at: journal) }),
            ("no file", 0, { try FileManager.default.removeItem(at: partial) }),
        ]
        for (name, resumed, damage) in damages {
            try FileManager.default.removeItem(at: source.output)
            var stretches = 0
            _ = try source.job().run(shouldStop: { stretches += 1; return stretches == 2 })
            try damage()
            let summary = try source.job().run()
            #expect(summary.status == .packed && summary.resumed == resumed, "\(name)")
            #expect(try Data(contentsOf: source.output) == whole, "\(name)")
        }
    }

    @Test func otherSettingsOrLabelsAreRefused() throws {
        let source = try PackSource(count: 300, broken: [7])
        _ = try source.job().run(shouldStop: { true })
        let unfinished = #expect(throws: DatasetError.self) { try source.job(imageSize: 13).run() }
        #expect(unfinished?.description.contains("begun with other data or settings") == true)
        #expect(unfinished?.description.contains("--exist-ok") == true)
        try source.pack()
        let sameOutput: [(String, (inout PackSettings) -> Void)] = [
            ("its images are 12×12", { $0.imageSize = 13 }), ("packed without --lenient-images", { $0.limits.lenient = true }),
            ("packed without --fast-decode", { $0.limits.fastDecode = true }), ("resized with bilinear", { $0.interpolation = .nearest }), ("other --max-image limits", { $0.limits.maxSide = 20 }),
        ]
        for (reason, change) in sameOutput {
            let error = #expect(throws: PackError.self) { try source.pack(change) }
            #expect(error?.description.contains(reason) == true && error?.description.contains("--exist-ok") == true, "\(reason)")
        }
        try source.folder.write(
            String(contentsOf: source.root.appendingPathComponent("metadata.csv"), encoding: .utf8)
                .replacingOccurrences(of: "pale", with: "light"), to: "data/metadata.csv")
        let relabelled = #expect(throws: PackError.self) { try source.pack() }
        #expect(relabelled?.description.contains("other labels or images") == true)
        #expect(try source.pack { $0.replaces = true }.status == .packed)
        #expect(try source.packed().features[1].values == ["dark", "light"])
    }

    @Test func trainingIsRefusedWhatTheFileDoesNotHold() throws {
        let source = try PackSource(count: 70)
        try source.pack { $0.limits.lenient = true }
        var lenient = ImageLimits(), fast = ImageLimits()
        lenient.lenient = true
        (fast.lenient, fast.fastDecode) = (true, true)
        func message(_ body: () throws -> Any) -> String {
            do { return "accepted: \(try body())" } catch { return "\(error)" }
        }
        #expect(message { try source.packed(imageSize: 24) }.contains("12×12, asked for are 24×24\nUse --img-size 12"))
        #expect(message { try source.packed(limits: ImageLimits()) }.contains("packed with --lenient-images, which is not asked for"))
        #expect(message { try source.packed(limits: fast) }.contains("packed without --fast-decode"))
        #expect(try source.packed(imageSize: 12, limits: lenient).groupCount == 6)
        #expect(message { try PackedImages.load(source.output, layout: .celeba) }.contains("a packed folder data set, not celeba"))
        for (target, groups) in [("laughing", ["gender"]), ("smiling", ["note"]), ("shade=blue", ["gender"])] {
            let error = #expect(throws: DatasetError.self) {
                try PackedImages.load(source.output, layout: .folder, target: target, groupBy: groups)
            }
            #expect(error?.exitCode == 65 && error?.description.contains("pack them again") == true)
        }
        // The loader holds to it, too.
        for (size, interpolation, limits) in [
            (13, Interpolation.bilinear, lenient), (12, .bicubic, lenient), (12, .bilinear, ImageLimits()),
        ] {
            let loader = DataLoader(
                samples: try source.packed().samples(.train), transform: FaceTransform(imageSize: size, interpolation: interpolation),
                limits: limits)
            #expect(throws: DatasetError.self) { try loader.batches([[0, 1]]).next() }
        }
    }

    /// What a lenient decoder forgave is listed, also when a later process finishes the file.
    @Test func lenientPacksListWhatTheyAccepted() throws {
        let source = try PackSource(count: 300, broken: [9])
        for row in [4, 290] {
            let images = source.root.appendingPathComponent("images")
            let name = try #require(FileManager.default.contentsOfDirectory(atPath: images.path).first { $0.hasPrefix("\(row).") })
            try FileManager.default.removeItem(at: images.appendingPathComponent(name))
            try PackSource.noisyJPEG().write(to: images.appendingPathComponent(name))
        }
        #expect(try source.pack().refused == 3)
        try FileManager.default.removeItem(at: source.output)
        var lenient = ImageLimits()
        lenient.lenient = true
        _ = try source.job { $0.limits = lenient }.run(shouldStop: { true })
        let summary = try source.pack { $0.limits = lenient }
        #expect(summary.resumed == 256 && summary.refused == 1 && summary.accepted == 2 && summary.images == 299)
        let log = try String(contentsOfFile: #require(summary.badImages), encoding: .utf8).split(separator: "\n")
        #expect(log.count == 3 && log.count { $0.contains("\"warnings\":") } == 2)
        #expect(try source.packed(limits: lenient).samples(.train).count == source.unpacked().samples(.train).count)
    }

    @Test(arguments: Interpolation.allCases)
    func everyInterpolationPacks(_ interpolation: Interpolation) throws {
        let source = try PackSource(count: 70)
        try source.pack { $0.interpolation = interpolation }
        let transform = FaceTransform(imageSize: 12, interpolation: interpolation)
        let batches = try [source.unpacked(), source.packed()].map { dataset in
            try DataLoader(samples: dataset.samples(.train), transform: transform).batches([Array(0..<20)]).next()!.images.toArray()
        }
        #expect(batches[0] == batches[1])
    }

    @Test func tooManyBadImagesEndThePackAndTheSameCommandGoesOn() throws {
        let source = try PackSource(count: 520, broken: [2, 300, 301])
        let error = #expect(throws: TooManyBadImages.self) { try source.pack { $0.maxErrors = 2 } }
        #expect(error?.count == 3 && error?.last.name.contains("images/301.") == true)
        #expect(!FileManager.default.fileExists(atPath: source.output.path))
        let summary = try source.pack { $0.maxErrors = 3 }
        #expect(summary.status == .packed && summary.resumed == 512 && summary.refused == 3)
    }

    @Test func twoProcessesDoNotWriteTheSameFile() throws {
        let source = try PackSource(count: 600)
        var inner: (any Error)?
        _ = try source.job().run(shouldStop: {
            if inner == nil { do { try source.pack() } catch { inner = error } }
            return false
        })
        #expect(inner as? PackError == .inUse(path: source.output.path))
        #expect(try source.packed().samples(.train).count > 0)
    }
}
