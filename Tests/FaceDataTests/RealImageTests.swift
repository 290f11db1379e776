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

    @Test(.enabled(if: sharedData != nil, "\(sharedDataReason)"))
    func tortureFilesAreDecodedOrRefused() throws {
        let folder = try #require(sharedData).appendingPathComponent("decoder-torture")
        let manifest = try String(contentsOf: folder.appendingPathComponent("manifest.tsv"), encoding: .utf8)
        var decoded = 0
        var refused: [ImageErrorCode: Int] = [:]
        let decoder = ImageDecoder()
        for line in manifest.split(whereSeparator: \.isNewline).dropFirst() {
            let columns = line.split(separator: "\t", omittingEmptySubsequences: false).map(String.init)
            let start = ContinuousClock.now
            do {
                let image = try decoder.decode(path: folder.appendingPathComponent(columns[0]).path)
                decoded += 1
                // Pillow's size is before the orientation.
                let size = columns[6].split(separator: " ").last.map(String.init) ?? ""
                #expect(!columns[6].hasPrefix("ok") || size == "\(image.width)x\(image.height)" || size == "\(image.height)x\(image.width)", "\(line)")
            } catch {
                refused[error.code, default: 0] += 1
                #expect(error.code != .internalError && error.code != .missing, "\(error)")
            }
            #expect(ContinuousClock.now - start < .seconds(1), "\(columns[0])")
        }
        print("torture: \(decoded) decoded, refused: \(refused.map { "\($0.key.rawValue) \($0.value)" }.sorted().joined(separator: ", "))")
        #expect(decoded > 150)
    }
}
