import FaceData
import Foundation
import Inference
import NeuralNetwork
import TensorCore
import TestSupport
import Testing
import Training

/// Serialised: the thread count is a setting of the process.
@Suite(.serialized)
struct TrainerTests {
    private let temporary: TemporaryFolder

    init() throws { temporary = try TemporaryFolder() }

    private func run(
        _ name: String, _ configuration: TrainingConfiguration, resuming: Bool = false, workers: Int = 2,
        shouldStop: () -> Bool = { false }, report: (TrainingEvent) -> Void = { _ in }
    ) throws -> (RunFolder, TrainingResult) {
        let folder = RunFolder(temporary.file(name))
        var resources = Trainer.Resources()
        resources.workers = workers
        let trainer = try Trainer(configuration, dataset: try SmallFaces.load(), folder: folder, resources: resources)
        return (folder, try trainer.run(resuming: resuming, shouldStop: shouldStop, report: report))
    }

    @Test func everyBatchIsWithinEpsilonAfterTheLayer() throws {
        var gaps: [Double] = []
        var rows: [EpochRow] = []
        let (folder, result) = try run("a", SmallFaces.configuration(epochs: 3), report: { event in
            switch event {
            case .progress(_, _, _, _, _, let gap, _): gaps.append(gap)
            case .epoch(let row, _, _): rows.append(row)
            case .note: break
            }
        })
        #expect(result.status == .finished && result.epochs == 3)
        #expect(gaps.count == 3 * 4 && gaps.allSatisfy { $0 <= 1e-3 + 1e-9 }, "\(gaps)")
        #expect(rows.last!.trainLoss < rows.first!.trainLoss)
        #expect(rows.allSatisfy { $0.validGap <= 1e-3 + 1e-9 })
        let history = try String(contentsOf: folder.history, encoding: .utf8).split(separator: "\n")
        #expect(history.count == 4 && history[0].hasPrefix("epoch,step,lr,train_loss"))
        #expect(try folder.readRecord().status == .finished)
        #expect(try Predictor(modelFile: folder.best).metadata.synthetic)
    }

    @Test func threadsAndWorkersDoNotChangeTheBytes() throws {
        Threads.configure(1)
        let one = try run("one", SmallFaces.configuration(), workers: 1).0
        Threads.configure(2)
        let two = try run("two", SmallFaces.configuration(), workers: 3).0
        #expect(try one.modelBytes() == two.modelBytes())
        let other = try run("other", SmallFaces.configuration(seed: 2)).0
        #expect(try one.modelBytes()[1] != other.modelBytes()[1])
    }

    @Test func resumedEqualsUninterrupted() throws {
        let whole = try run("whole", SmallFaces.configuration(epochs: 3)).0
        _ = try run("parts", SmallFaces.configuration(epochs: 1))
        let (parts, result) = try run("parts", SmallFaces.configuration(epochs: 3), resuming: true)
        #expect(result.epochs == 3)
        #expect(try whole.modelBytes() == parts.modelBytes())
        #expect(try history(whole) == history(parts))
    }

    /// Also with batches below the layer's threshold, where the multiplier goes from batch to batch.
    @Test(arguments: [16, 1000])
    func stoppedWithinAnEpochAndResumedEqualsUninterrupted(_ batchThreshold: Int) throws {
        var configuration = SmallFaces.configuration(epochs: 2)
        configuration.batchThreshold = batchThreshold
        let whole = try run("whole", configuration).0
        var batches = 0
        let (folder, result) = try run("stopped", configuration, shouldStop: {
            batches += 1
            return batches == 6  // in the second epoch
        })
        #expect(result.status == .interrupted && result.epochs == 1)
        #expect(try folder.readRecord().status == .interrupted)
        var steps = 0
        _ = try run("stopped", configuration, resuming: true, report: { if case .progress = $0 { steps += 1 } })
        #expect(steps == 2 * 4 - 6, "only what was left")
        #expect(try whole.modelBytes() == folder.modelBytes())
        #expect(try history(whole) == history(folder))
    }

    @Test func metricFilesGoOnWithoutGapsOrRepeats() throws {
        let configuration = SmallFaces.configuration(epochs: 3)
        var resources = Trainer.Resources()
        resources.logInterval = 1
        func trainer(_ name: String) throws -> (Trainer, RunFolder) {
            let folder = RunFolder(temporary.file(name))
            return (try Trainer(configuration, dataset: SmallFaces.load(), folder: folder, resources: resources), folder)
        }
        let (uninterrupted, whole) = try trainer("whole")
        _ = try uninterrupted.run()
        let (stopped, parts) = try trainer("parts")
        var batches = 0
        _ = try stopped.run(shouldStop: {
            batches += 1
            return batches == 6
        })
        // What a crash leaves behind: a step after the last save, and half a row.
        let torn = try FileHandle(forWritingTo: parts.metricsTable)
        try torn.seekToEnd()
        try torn.write(contentsOf: Data("2,7,0.001,,,,,,,,,,\n2,8,0.0".utf8))
        _ = try trainer("parts").0.run(resuming: true)
        for file in [\RunFolder.metricsTable, \.metricsLines] {
            func rows(_ folder: RunFolder) throws -> [String] {
                try String(contentsOf: folder[keyPath: file], encoding: .utf8).split(separator: "\n").map {
                    String($0).replacing(/"images_per_second.*/, with: "").replacing(/,[^,]*,[^,]*$/, with: "")
                }
            }
            #expect(try rows(whole) == rows(parts))
        }
        let table = try String(contentsOf: whole.metricsTable, encoding: .utf8).split(separator: "\n")
        #expect(table.count == 1 + 3 * (4 + 1))
        let events = try FileManager.default.contentsOfDirectory(atPath: parts.url.path).filter { $0.hasPrefix("events.out.tfevents.") }
        #expect(events.count == 2, "a resumed run opens a new file")
    }

    /// history.csv without its times.
    private func history(_ folder: RunFolder) throws -> [String] {
        try String(contentsOf: folder.history, encoding: .utf8).split(separator: "\n").map {
            $0.split(separator: ",", omittingEmptySubsequences: false).prefix(15).joined(separator: ",")
        }
    }

    @Test func numberedModelsAreKeptAndPruned() throws {
        let folder = RunFolder(temporary.file("run"))
        var resources = Trainer.Resources()
        resources.savePeriod = 1
        resources.checkpointHistory = 2
        _ = try Trainer(SmallFaces.configuration(epochs: 3), dataset: SmallFaces.load(), folder: folder, resources: resources).run()
        #expect(!FileManager.default.fileExists(atPath: folder.numbered(1).path))
        #expect(try Predictor(modelFile: folder.numbered(2)).metadata.epoch == 2)
        #expect(try Data(contentsOf: folder.numbered(3)) == Data(contentsOf: folder.last))
    }

    @Test func trainingStartsFromGivenWeights() throws {
        var configuration = SmallFaces.configuration(epochs: 1)
        let first = try run("first", configuration).0
        configuration.weights = first.best.path
        configuration.learningRate = 1e-30
        configuration.backboneLearningRate = 1e-30
        configuration.weightDecay = 0
        let second = try run("second", configuration).0
        let names = ["backbone.conv1.weight", "head.3.weight"]
        let before = try SafeTensorsFile(first.best), after = try SafeTensorsFile(second.best)
        for name in names {
            let shape = try #require(before.entries[name]).shape
            #expect(try before.floats(name, shape: shape) == after.floats(name, shape: shape), "\(name)")
        }
        configuration.weights = temporary.file("absent.safetensors").path
        #expect(throws: CheckpointError.self) { try run("third", configuration) }
    }

    @Test func theMetricAskedForChoosesTheBestEpoch() throws {
        var rows: [EpochRow] = []
        var configuration = SmallFaces.configuration(epochs: 4)
        configuration.evaluationMetric = .worstGroupAccuracy
        configuration.schedule = .cosine
        configuration.warmupEpochs = 1
        let (folder, result) = try run("run", configuration, report: { if case .epoch(let row, _, _) = $0 { rows.append(row) } })
        let best = try #require(rows.compactMap(\.validWorstGroupAccuracy).max())
        #expect(rows[result.bestEpoch - 1].validWorstGroupAccuracy == best)
        #expect(try folder.readRecord().bestEvaluationMetric == best)
        #expect(result.bestValidLoss == rows[result.bestEpoch - 1].validLoss)
        #expect(rows[0].learningRate == 5e-4 && rows[1].learningRate == 1e-3 && rows[3].learningRate < rows[2].learningRate)
    }

    @Test func aRunIsNotOverwritten() throws {
        let before = try run("run", SmallFaces.configuration(epochs: 1)).0.modelBytes()
        #expect(throws: TrainingError.self) { try run("run", SmallFaces.configuration(epochs: 1, seed: 5)) }
        #expect(try RunFolder(temporary.file("run")).modelBytes() == before)
    }

    @Test func resumeRefusesOtherSettings() throws {
        _ = try run("run", SmallFaces.configuration(epochs: 1))
        #expect(throws: TrainingError.self) {
            try run("run", SmallFaces.configuration(.penalty, epochs: 2), resuming: true)
        }
        #expect(throws: TrainingError.self) { try run("nothing", SmallFaces.configuration(), resuming: true) }
    }

    @Test func aLossThatIsNotFiniteStopsTheRun() throws {
        var configuration = SmallFaces.configuration()
        configuration.learningRate = 1e30
        configuration.backboneLearningRate = 1e30
        let error = #expect(throws: TrainingError.self) { try run("nan", configuration) }
        guard case .notFinite(let step, let files, let counts) = error else {
            Issue.record("\(String(describing: error))")
            return
        }
        #expect(step >= 1 && files.count == counts.reduce(0, +) && files[0].hasSuffix(".jpg"))
    }

    @Test func aBrokenImageIsLoggedAndNotReplaced() throws {
        let root = temporary.file("celeba")
        try FileManager.default.copyItem(at: SmallFaces.load().root, to: root)
        let broken = root.appendingPathComponent("img_align_celeba/000003.jpg")
        try Data("not an image".utf8).write(to: broken)
        let folder = RunFolder(temporary.file("run"))
        let trainer = try Trainer(SmallFaces.configuration(epochs: 1), dataset: try CelebA.load(root: root), folder: folder)
        #expect(try trainer.run().badImages == 1)
        let log = try String(contentsOf: folder.badImages, encoding: .utf8)
        #expect(log.contains("000003.jpg") && log.contains("image_unsupported"), "\(log)")
    }

    @Test(arguments: MethodName.allCases)
    func everyMethodTrains(_ method: MethodName) throws {
        let (folder, result) = try run("run", SmallFaces.configuration(method, epochs: 1))
        #expect(result.status == .finished)
        #expect(try Predictor(modelFile: folder.best).metadata.method == method.rawValue)
    }

    @Test func invalidConfigurationsNameTheFlag() {
        var configuration = TrainingConfiguration()
        configuration.imageSize = 8
        #expect { try configuration.validate() } throws: { "\($0)".contains("--img-size 8") }
        configuration = TrainingConfiguration()
        configuration.epsilon = -1
        #expect { try configuration.validate() } throws: { "\($0)".contains("--epsilon -1") }
    }
}
