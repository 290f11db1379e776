// Real photographs and files made to break decoders; both lie in the developers' data folder and are skipped elsewhere.
import FaceData
import Foundation
import TestSupport
import Testing

@Suite struct RealImageTests {
    @Test(.enabled(if: sharedData != nil, "\(sharedDataReason)"))
    func photographsLoad() throws {
        let root = try #require(sharedData).appendingPathComponent("fairface-mini")
        let dataset = try FairFace.load(root: root)
        let samples = Split.allCases.flatMap(dataset.samples)
        #expect(samples.count == 540 && dataset.samples(.test).count == 106)
        let loader = DataLoader(samples: samples, transform: FaceTransform(imageSize: 64), workers: 2)
        let sequence = loader.batches(SequentialBatches.order(count: samples.count, batchSize: 64))
        var count = 0
        while let batch = try sequence.next() {
            count += batch.count
            #expect(batch.images.toArray().allSatisfy { $0 > -2.2 && $0 < 2.7 })
        }
        #expect(count == 540 && loader.badImages.count == 0)
    }

    /// Prints a figure and asserts nothing, because machines differ; alone, because other tests would share the cores:
    /// `FACEFAIR_BENCH=1 swift test -c release --filter decodingSpeed`
    @Test(
        .enabled(if: sharedData != nil, "\(sharedDataReason)"),
        .enabled(if: ProcessInfo.processInfo.environment["FACEFAIR_BENCH"] != nil, "runs with FACEFAIR_BENCH=1"))
    func decodingSpeed() throws {
        let samples = try FairFace.load(root: #require(sharedData).appendingPathComponent("fairface-mini")).samples(.train)
        let decoder = ImageDecoder()
        for size in [64, 224] {
            let transform = FaceTransform(imageSize: size)
            var output = [Float](repeating: 0, count: transform.byteCount)
            var best = Duration.seconds(1000)
            for _ in 0..<3 {
                let start = ContinuousClock.now
                for sample in samples { try decoder.decode(path: sample.file, transform: transform, into: &output) }
                best = min(best, ContinuousClock.now - start)
            }
            let seconds = Double(best.components.attoseconds) * 1e-18 + Double(best.components.seconds)
            print("decode, resize, normalise 224 → \(size), one thread: \(Int(Double(samples.count) / seconds)) images/s")
        }
    }

    /// Expected: `tools/torture_table`, which compares the pixels with Pillow's.
    @Test(.enabled(if: sharedData != nil, "\(sharedDataReason)"))
    func tortureFilesAreDecodedOrRefused() throws {
        let folder = try #require(sharedData).appendingPathComponent("decoder-torture")
        let decoder = ImageDecoder()
        var outcomes: [String: Int] = [:]
        for line in String(decoding: try Fixture.data("torture.tsv"), as: UTF8.self).split(separator: "\n") {
            let columns = line.split(separator: "\t").map(String.init)
            let start = threadSeconds()
            var found: [String]
            do {
                let image = try decoder.decode(path: folder.appendingPathComponent(columns[0]).path)
                found = [columns[0], "ok", "\(image.width)", "\(image.height)"]
                let count = Double(image.width * image.height)
                let means = (0..<3).map { c in stride(from: c, to: image.pixels.count, by: 3).reduce(0.0) { $0 + Double(image.pixels[$1]) } / count }
                expectClose(means, columns.dropFirst(4).compactMap(Double.init), atol: 0.3, columns[0])
            } catch { found = [columns[0], error.code.rawValue] }
            #expect(threadSeconds() - start < 1, "\(columns[0])")
            #expect(found == Array(columns.prefix(4)))
            outcomes[found[1], default: 0] += 1
        }
        #expect(outcomes.values.reduce(0, +) == 293)
    }
}

/// What this thread has computed, which does not depend on what else runs.
private func threadSeconds() -> Double {
    var time = timespec()
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time)
    return Double(time.tv_sec) + Double(time.tv_nsec) * 1e-9
}
