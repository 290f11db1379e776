// The README's example of the library, run on drawn faces: train, project, stream.
import FaceData
import Fairness
import Foundation
import Inference
import Training

let folder = FileManager.default.temporaryDirectory.appendingPathComponent("facefair-consumer-\(UUID())")
defer { try? FileManager.default.removeItem(at: folder) }
let data = folder.appendingPathComponent("celeba")
try SyntheticFaces.write(to: data, layout: .celeba, count: 200, seed: 1)

// README: begin
var settings = TrainingConfiguration.paper(dataset: "celeba")
(settings.imageSize, settings.epochs, settings.learningRate, settings.backboneLearningRate) = (64, 2, 1e-3, 1e-3)
let dataset = try CelebA.load(root: data, target: "Smiling", groupBy: ["Male", "Young"])
let run = RunFolder(folder.appendingPathComponent("run"))
_ = try Trainer(settings, dataset: dataset, folder: run).run()
let test = try Predictor(modelFile: run.best).predict(dataset.samples(.test))
let fair = try FairnessLayer(groupCount: dataset.groupCount, tolerance: 1e-3).forward(test.scores, groups: test.groups)
print("gap of the mean logits: \(fair.gapBefore) before, \(fair.gapAfter) after")
var stream = AnytimeParity(groupCount: dataset.groupCount, tolerance: 1e-3)
for (score, group) in zip(test.scores, test.groups) { _ = try stream.process([score], groups: [group]) }
print("streamed one by one: pooled gap \(stream.pooledGap), bound \(stream.bound)")
// README: end

precondition(fair.gapAfter <= 1e-3 + 1e-9 && stream.pooledGap <= stream.bound + 1e-9)
