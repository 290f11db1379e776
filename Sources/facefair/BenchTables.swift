// What `bench` prints for a reader.
import Foundation
import Reporting
import Training

enum BenchTables {
    static func text(_ result: StepBenchmark, _ epoch: EpochBenchmark?) -> String {
        var parts = [speeds(result)]
        if let layers = result.layers { parts.append(times(layers)) }
        if let epoch { parts.append(summary(epoch)) }
        return parts.joined(separator: "\n\n")
    }

    private static func speeds(_ result: StepBenchmark) -> String {
        var table = Table(
            title: "\(result.model), \(result.imageSize) px, batch \(result.batchSize), \(result.threads) threads, "
                + "\(result.isa), OpenBLAS \(result.blasCore)",
            [.init("", .left), .init("speed"), .init("share of sgemm"), .init("peak memory")])
        func row(_ name: String, _ rate: Double, _ share: Double, _ memory: Double) {
            table.append([
                name, String(format: "%.0f images/s", rate), String(format: "%.0f %%", 100 * share),
                String(format: "%.0f MB", memory),
            ])
        }
        row("train", result.trainImagesPerSecond, result.trainGemmShare, result.peakMemoryMb)
        row("infer", result.inferImagesPerSecond, result.inferGemmShare, result.inferPeakMemoryMb)
        for latency in result.latencies {
            table.append([
                "infer, batch \(latency.batchSize)",
                String(format: "%.2f ms, %.0f images/s", latency.milliseconds, latency.imagesPerSecond), "", "",
            ])
        }
        table.append(["sgemm 2048", String(format: "%.0f GFLOP/s", result.gemmGflops), "100 %", ""])
        return table.text
    }

    private static func times(_ layers: [StepBenchmark.LayerRow]) -> String {
        var table = Table(
            title: "Time per layer and pass", [.init("layer", .left), .init("pass", .left), .init("ms"), .init("GFLOP/s"), .init("share of sgemm")])
        for row in layers {
            table.append([
                row.layer, row.pass.rawValue, String(format: "%.3f", row.milliseconds),
                row.gflops.map { String(format: "%.0f", $0) } ?? "", row.gemmShare.map { String(format: "%.0f %%", 100 * $0) } ?? "",
            ])
        }
        return table.text
    }

    private static func summary(_ epoch: EpochBenchmark) -> String {
        String(
            format: "epoch of %d images from memory: %.2f s, of that %.2f s waiting for the loader; bare steps %.2f s; ratio %.3f",
            epoch.images, epoch.epochSeconds, epoch.dataSeconds, epoch.stepSeconds, epoch.ratio)
    }
}
