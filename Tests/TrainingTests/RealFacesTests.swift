import FaceData
import Foundation
import Inference
import TestSupport
import Testing
import Training

/// Real photographs, where the developers' data folder is at hand.
@Suite(.enabled(if: sharedData != nil, "needs the developers' data folder ../shared/data, which this checkout does not have"))
struct RealFacesTests {
    @Test func trainsOnFairFaceAndIsFairOnEveryBatch() throws {
        let temporary = try TemporaryFolder()
        let dataset = try FairFace.load(root: sharedData!.appendingPathComponent("fairface-mini"), groupBy: ["gender"])
        #expect(dataset.samples(.test).count == 106 && !dataset.isSynthetic)
        var configuration = TrainingConfiguration.paper(dataset: "fairface")
        configuration.imageSize = 32
        configuration.epochs = 3
        configuration.learningRate = 1e-3
        configuration.backboneLearningRate = 1e-3
        configuration.batchThreshold = 64
        let folder = RunFolder(temporary.file("run"))
        var gaps: [Double] = []
        var losses: [Double] = []
        let trainer = try Trainer(configuration, dataset: dataset, folder: folder)
        let result = try trainer.run(report: { event in
            switch event {
            case .progress(_, _, _, _, _, let gap, _): gaps.append(gap)
            case .epoch(let row, _, _): losses.append(row.trainLoss)
            case .note: break
            }
        })
        #expect(result.badImages == 0)
        #expect(losses.count == 3 && losses[2] < losses[0], "\(losses)")
        #expect(!gaps.isEmpty && gaps.allSatisfy { $0 <= configuration.epsilon + 1e-9 }, "\(gaps)")

        let records = try dataset.samples(.test).map { sample in
            let fields = ["id": sample.name, "image": sample.file, "group": dataset.groupLabel(sample.group)]
            return String(decoding: try JSONEncoder().encode(fields), as: UTF8.self)
        }
        let streamed = try runTool(
            ["infer", folder.url.path, "--stream", "--batch-size", "14"], input: Data(records.joined(separator: "\n").utf8))
        #expect(streamed.status == 0, "\(streamed.error)")
        #expect(streamed.lines.count == 106 && streamed.lines.allSatisfy { $0.contains("\"status\":\"ok\"") })
    }
}
