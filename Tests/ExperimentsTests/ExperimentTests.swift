// The grid on a handful of drawn faces: all methods, reuse, and the same tables twice.
import Experiments
import FaceData
import Fairness
import Foundation
import NeuralNetwork
import TestSupport
import Testing
import Training

@Suite(.serialized)
struct ExperimentTests {
    private let temporary: TemporaryFolder
    private let faces: FaceDataset

    init() throws {
        temporary = try TemporaryFolder()
        try SyntheticFaces.write(to: temporary.file("faces"), layout: .celeba, count: 160, seed: 3)
        faces = try CelebA.load(root: temporary.file("faces"))
    }

    private func experiment(_ methods: [MethodName]) -> Experiment {
        var c = ExperimentScale.smoke.configuration(dataset: "celeba")
        c.imageSize = 16
        c.batchSize = 32
        c.batchThreshold = 16
        c.epochs = 2
        return Experiment(configuration: c, methods: methods, seeds: [1], projectionBatch: nil, streamBatch: 8)
    }

    private func runner(_ methods: [MethodName], _ folder: String, report: @escaping (TrainingEvent) -> Void = { _ in }) -> ExperimentRunner {
        ExperimentRunner(
            experiment(methods), dataset: faces, folder: temporary.file(folder), resources: Trainer.Resources(), report: report)
    }

    private var title: ExperimentTitle {
        ExperimentTitle(dataset: faces, scale: .smoke, configuration: experiment([]).configuration)
    }

    @Test func allMethodsGiveTheirRowsAndTheSameTwice() throws {
        let methods: [MethodName] = [.fairnessLayer, .projection, .penalty, .strictPenalty]
        var results = try runner(methods, "a").run()
        #expect(Set(results.map(\.row)) == Set(ExperimentRow.allCases))
        for result in results where [.fairnessLayer, .projection].contains(result.row) {
            #expect(try #require(result.meanLogitGap) <= 1e-3 + 1e-9 && result.pairsViolated == 0, "\(result.row)")
        }
        let test = faces.samples(.test).count
        #expect(results.allSatisfy { $0.groups.reduce(0) { $0 + $1.count } == test && ($0.epochSeconds ?? 0) > 0 })
        let table = ExperimentTables.overall(results, title: title, dataset: "celeba")
        #expect(table.rows.map { $0[1] } == ExperimentRow.allCases.map(\.rawValue))
        #expect(title.text.hasPrefix("SYNTHETIC") && !title.isComparable)
        #expect(table.columns.contains { $0.title == "paper (other data) accuracy" })
        #expect(!table.columns.contains { $0.title == "paper accuracy" })

        var notes: [String] = []
        let again = try runner(methods, "a", report: { if case .note(let text) = $0 { notes.append(text) } }).run()
        #expect(again == results && notes.contains { $0.contains("reused") } && !notes.contains { $0.contains("training") })
        var anew = try runner(methods, "b").run()
        for i in results.indices { (results[i].epochSeconds, anew[i].epochSeconds) = (nil, nil) }
        #expect(anew == results)
    }

    @Test func otherSettingsAreNotReused() throws {
        _ = try runner([.none], "a").run()
        var other = experiment([.none])
        other.configuration.learningRate = 5e-4
        let changed = ExperimentRunner(other, dataset: faces, folder: temporary.file("a"), resources: Trainer.Resources())
        #expect(throws: TrainingError.self) { try changed.run() }
    }

    @Test func aStoppedGridGoesOn() throws {
        var batches = 0
        let stopped = ExperimentRunner(
            experiment([.none, .fairnessLayer]), dataset: faces, folder: temporary.file("a"), resources: Trainer.Resources(),
            shouldStop: {
                batches += 1
                return batches == 11  // in the second run
            })
        #expect(throws: ExperimentInterrupted.self) { try stopped.run() }
        let results = try runner([.none, .fairnessLayer], "a").run()
        var whole = try runner([.none, .fairnessLayer], "b").run()
        for i in whole.indices { whole[i].epochSeconds = results[i].epochSeconds }
        #expect(results == whole)
    }

    @Test func streamsAreMeasuredForEveryAlgorithmAndBatch() throws {
        let results = try runner([], "a").streams(batches: [1, 8])
        #expect(results.count == 2 * (StreamAlgorithm.allCases.count + 1))
        let hard = try #require(results.first { $0.algorithm == .hard && $0.batch == 8 })
        let whole = try #require(results.first { $0.algorithm == nil })
        #expect(try #require(whole.pooledGap) <= 1e-3 + 1e-9 && whole.pairs == hard.pairs && whole.pairsViolated == 0)
        #expect(ExperimentTables.streams(results, title: title).rows.count == results.count)
    }
}
