// The loader: the same batches for any number of workers, refused images dropped and logged, the cache, the error limit.
import FaceData
import Foundation
import TensorCore
import TestSupport
import Testing

/// Samples that point at the image fixtures, some of them broken.
private func fixtureSamples(_ count: Int, bad: Set<Int> = []) -> [FaceSample] {
    let good = ImageFixtures.all.accepted.map(\.file)
    let broken = ImageFixtures.all.refused.map(\.file)
    let folder = Fixture.url("images").path
    return (0..<count).map { index in
        FaceSample(
            folder: folder, name: bad.contains(index) ? broken[index % broken.count] : good[index % good.count],
            label: index % 5 == 0 ? nil : index % 2, group: index % 3 - 1)
    }
}

private struct Loaded: Equatable {
    var pixels: [Float] = []
    var groups: [Int] = []
    var indices: [[Int]] = []
    var labels: [Float] = []
}

private func load(_ loader: DataLoader, _ order: [[Int]]) throws -> Loaded {
    var all = Loaded()
    let sequence = loader.batches(order)
    while let batch = try sequence.next() {
        let size = loader.transform.imageSize
        #expect(batch.images.shape == Shape(batch.count, size, size, 3))
        all.pixels += batch.images.toArray()
        all.groups += batch.groups
        all.indices.append(batch.indices)
        all.labels += batch.labels.map { $0.isNaN ? -1 : $0 }
    }
    return all
}

@Suite struct DataLoaderTests {
    private let transform = FaceTransform(imageSize: 12)

    @Test func batchesEqualSingleDecoding() throws {
        let samples = fixtureSamples(30)
        let loaded = try load(DataLoader(samples: samples, transform: transform), SequentialBatches.order(count: 30, batchSize: 8))
        #expect(loaded.indices == SequentialBatches.order(count: 30, batchSize: 8))
        let decoder = ImageDecoder()
        var expected: [Float] = []
        var image = [Float](repeating: 0, count: transform.byteCount)
        for sample in samples {
            try decoder.decode(path: sample.file, transform: transform, into: &image)
            expected += image
        }
        #expect(loaded.pixels == expected)
        #expect(loaded.groups == samples.map(\.group))
        #expect(loaded.labels == samples.map { $0.label.map(Float.init) ?? -1 })
    }

    @Test func workersCacheAndPrefetchChangeNothing() throws {
        let bad: Set<Int> = [2, 18, 19, 20, 21, 22, 60]  // seven different files
        let samples = fixtureSamples(70, bad: bad)
        let sampler = StratifiedBatchSampler(groups: samples.map(\.group), batchSize: 9, random: RandomSource(seed: 2))
        var reference: [Loaded]?
        var log: [BadImageLog.Entry]?
        for (workers, prefetch, cache) in [(1, 1, 0), (3, 4, 0), (3, 2, 1 << 20), (2, 1, 20 * transform.byteCount)] {
            let loader = DataLoader(samples: samples, transform: transform, workers: workers, prefetch: prefetch, cacheBytes: cache)
            let epochs = try (0..<3).map { try load(loader, sampler.epoch($0)) }
            for epoch in epochs { #expect(epoch.indices.joined().sorted() == (0..<70).filter { !bad.contains($0) }) }
            if let reference { #expect(epochs == reference) } else { reference = epochs }
            if let log { #expect(loader.badImages.entries == log) } else { log = loader.badImages.entries }
            #expect(loader.badImages.count == bad.count)
            #expect(loader.secondsWaited > 0)
        }
        let file = try TemporaryFolder().file("bad_images.jsonl")
        let written = BadImageLog()
        for entry in log ?? [] { written.add(ImageError(code: entry.code, name: entry.file, detail: entry.message)) }
        try FileManager.default.createDirectory(at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
        try written.write(to: file)
        let lines = try String(contentsOf: file, encoding: .utf8).split(separator: "\n")
        #expect(lines.count == bad.count)
        let first = try JSONDecoder().decode(BadImageLog.Entry.self, from: Data(lines[0].utf8))
        #expect(first == log?.first)
        #expect(lines[0].hasPrefix("{\"code\":\"image_"))
        try? FileManager.default.removeItem(at: file.deletingLastPathComponent())
    }

    @Test func imagesAcceptedWithWarningsTakePartAndAreListed() throws {
        let folder = try TemporaryFolder()
        var bytes = try Fixture.data("images/rgb444.jpg")
        bytes.insert(contentsOf: [0x12, 0x34], at: 20)  // stray bytes behind the signature and the 18 bytes of APP0
        try bytes.write(to: folder.file("stray.jpg"))
        var samples = fixtureSamples(5)
        samples[3] = FaceSample(folder: folder.url.path, name: "stray.jpg", label: 1, group: 0)
        var limits = ImageLimits()
        limits.lenient = true
        for cache in [0, 1 << 20] {
            let loader = DataLoader(samples: samples, transform: transform, cacheBytes: cache, limits: limits, maxErrors: 0)
            for _ in 0..<2 { #expect(try load(loader, [[0, 1, 2], [3, 4]]).indices == [[0, 1, 2], [3, 4]]) }
            #expect(loader.badImages.count == 0 && loader.badImages.warningCount == 1)
            #expect(loader.badImages.entries.first?.file == samples[3].file && loader.badImages.entries.first?.warnings == 1)
            try loader.badImages.write(to: folder.file("bad_images.jsonl"))
            #expect(try String(contentsOf: folder.file("bad_images.jsonl"), encoding: .utf8).hasSuffix(",\"warnings\":1}\n"))
        }
        let strict = DataLoader(samples: samples, transform: transform)
        #expect(try load(strict, [[0, 1, 2], [3, 4]]).indices == [[0, 1, 2], [4]])
    }

    @Test func aBatchThatLosesEveryImageIsPassedOver() throws {
        let loader = DataLoader(samples: fixtureSamples(6, bad: [2, 3]), transform: transform)
        let loaded = try load(loader, [[0, 1], [2, 3], [], [4, 2, 5]])
        #expect(loaded.indices == [[0, 1], [4, 5]])
    }

    @Test func tooManyBadImagesThrow() throws {
        let loader = DataLoader(samples: fixtureSamples(10, bad: [1, 4, 7]), transform: transform, maxErrors: 2)
        let error = #expect(throws: TooManyBadImages.self) { try load(loader, SequentialBatches.order(count: 10, batchSize: 2)) }
        #expect(error?.count == 3 && error?.description.contains("--max-errors") == true)
        let allowed = DataLoader(samples: fixtureSamples(10, bad: [1, 4, 7]), transform: transform, maxErrors: 3)
        #expect(try load(allowed, SequentialBatches.order(count: 10, batchSize: 2)).indices.joined().count == 7)
    }

    @Test func aMissingFileIsRefusedWhenItIsLoaded() throws {
        var samples = fixtureSamples(3)
        samples[1] = FaceSample(folder: samples[1].folder, name: "gone.jpg", label: 0, group: 0)
        let loader = DataLoader(samples: samples, transform: transform)
        #expect(try load(loader, [[0, 1, 2]]).indices == [[0, 2]])
        #expect(loader.badImages.entries.map(\.code) == [.missing])
    }

    @Test func leavingEarlyAndManyLoadersLeaveNoOneWaiting() throws {
        for round in 0..<20 {
            let loader = DataLoader(samples: fixtureSamples(40), transform: transform, workers: 3, prefetch: 5)
            let sequence = loader.batches(SequentialBatches.order(count: 40, batchSize: 4))
            for _ in 0..<(round % 4) { _ = try sequence.next() }
        }
    }
}
