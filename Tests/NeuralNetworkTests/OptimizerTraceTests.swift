// Every option of the optimizers, and clipping, step by step beside torch; and what no fixture shows.
import Foundation
import NeuralNetwork
import TensorCore
import TestSupport
import Testing

private struct Trace: Decodable {
    struct Clip: Decodable { let limit: Double, norm: Double, gradients: [Float] }
    let start: [Float], gradients: [[Float]]
    let traces: [String: [[Float]]]
    let clips: [Clip]
    let schedules: [String: [Double]]

    static func load() throws -> Trace { try JSONDecoder().decode(Trace.self, from: Fixture.data("nn_optimizers.json")) }

    /// Parameters "a" of 7 and "b" of 5 values, given in the wrong order: the store puts the backbone first.
    func store() -> ParameterStore {
        let store = ParameterStore(
            [
                Parameter("b", Shape(5), group: .head) { tensor, _ in tensor.fill(0) },
                Parameter("a", Shape(7), group: .backbone) { tensor, _ in tensor.fill(0) },
            ], random: RandomSource(seed: 0))
        store.values.copy(from: start)
        store.gradients.copy(from: gradients[0])
        return store
    }
}

@Suite struct OptimizerTraceTests {
    private static let rates: [ParameterGroup: Double] = [.backbone: 0.01, .head: 0.1]

    private func make(_ name: String, _ store: ParameterStore) -> any Optimizer {
        switch name {
        case "adamw": AdamW(store, learningRates: Self.rates, weightDecay: 0.01)
        case "adamw without decay": AdamW(store, learningRates: Self.rates, weightDecay: 0)
        case "adam": AdamW(store, learningRates: Self.rates, weightDecay: 0.05, mode: .coupled)
        case "sgd": SGD(store, learningRates: Self.rates, momentum: 0)
        case "sgd with momentum": SGD(store, learningRates: Self.rates, momentum: 0.9, weightDecay: 0.05)
        case "sgd with nesterov": SGD(store, learningRates: Self.rates, momentum: 0.8, weightDecay: 0.05, nesterov: true)
        default: fatalError("no such case: \(name)")
        }
    }

    @Test func everyStepIsTorchs() throws {
        let trace = try Trace.load()
        #expect(trace.traces.count == 6)
        for (name, steps) in trace.traces {
            let store = trace.store(), optimizer = make(name, store)
            for (number, (gradient, expected)) in zip(trace.gradients, steps).enumerated() {
                store.gradients.copy(from: gradient)
                optimizer.update()
                expectClose(store.values.toArray(), expected, rtol: 2e-6, atol: 1e-6, "\(name), step \(number + 1)")
            }
        }
    }

    @Test func clippingIsTorchs() throws {
        let trace = try Trace.load()
        for clip in trace.clips {
            let store = trace.store()
            expectClose(GradientClipping.clip(store, maxNorm: clip.limit), clip.norm, rtol: 1e-6, "norm")
            expectClose(store.gradients.toArray(), clip.gradients, rtol: 2e-6, "limit \(clip.limit)")
        }
        let store = trace.store()
        store.gradients.pointer[3] = .nan
        #expect(GradientClipping.clip(store, maxNorm: 1).isNaN)
    }

    @Test func schedulesAreTorchs() throws {
        let expected = try Trace.load().schedules
        let cosine = LearningRateSchedule(.cosine, epochs: 8, minimum: 1e-3)
        let step = LearningRateSchedule(.step, epochs: 8, stepSize: 3, gamma: 0.5)
        for (name, schedule) in [("cosine", cosine), ("step", step)] {
            let rates = (1...8).map { schedule.rate(base: 0.1, epoch: $0)! }
            expectClose(rates, try #require(expected[name]), rtol: 1e-12, "\(name)")
        }
    }

    @Test func warmUpRisesToTheBaseRateAndDelaysTheSchedule() {
        for name in ScheduleName.allCases {
            let schedule = LearningRateSchedule(name, epochs: 9, warmupEpochs: 3, stepSize: 3, gamma: 0.5)
            expectClose((1...4).map { schedule.rate(base: 0.4, epoch: $0)! }, [0.1, 0.2, 0.3, 0.4], rtol: 1e-12, "\(name)")
        }
        // Afterwards the plateau leaves the rate to its metric; a floor above the base rate does not raise it.
        #expect(LearningRateSchedule(.plateau, epochs: 9, warmupEpochs: 3).rate(base: 1, epoch: 5) == nil)
        #expect(LearningRateSchedule(.constant, epochs: 9, warmupEpochs: 3).rate(base: 1, epoch: 9) == 1)
        #expect(LearningRateSchedule(.cosine, epochs: 9, minimum: 2).rate(base: 1, epoch: 9) == 1)
        #expect(LearningRateSchedule(.step, epochs: 9, stepSize: 1, minimum: 0.05).rate(base: 1, epoch: 9) == 0.05)
    }

    @Test func groupsAreContiguousBackboneFirst() throws {
        let store = try Trace.load().store()
        #expect(store.parameters.map(\.name) == ["a", "b"])
        #expect(store.range(of: .backbone) == 0..<7 && store.range(of: .head) == 7..<12)
        store.parameters[1].gradient.fill(3)
        #expect(store.gradients.toArray().suffix(5) == [3, 3, 3, 3, 3])
        store.zeroGradients()
        #expect(store.parameters[1].gradient.toArray() == [0, 0, 0, 0, 0])
    }

    @Test func initialValuesFollowTheBoundsOfTorch() {
        let store = FaceClassifier(ClassifierConfiguration(), random: RandomSource(seed: 3)).store
        func expectUniform(_ name: String, _ bound: Double) {
            let values = store.parameters.first { $0.name == name }!.value.toArray().map(Double.init)
            let variance = values.reduce(0) { $0 + $1 * $1 } / Double(values.count)
            #expect(values.allSatisfy { abs($0) <= bound }, "\(name)")
            if values.count > 10_000 { expectClose(variance, bound * bound / 3, rtol: 0.03, name) }
        }
        expectUniform("backbone.conv1.weight", (1.0 / 27).squareRoot())
        expectUniform("backbone.conv1.bias", (1.0 / 27).squareRoot())
        expectUniform("backbone.conv5.weight", (1.0 / (9 * 256)).squareRoot())
        expectUniform("head.0.weight", 0.3 * (6.0 / (512 + 128)).squareRoot())
        expectUniform("head.3.weight", 0.3 * (6.0 / (128 + 1)).squareRoot())
        expectUniform("head.0.bias", 0)
        let other = FaceClassifier(ClassifierConfiguration(), random: RandomSource(seed: 4)).store
        #expect(other.values.toArray() != store.values.toArray())
    }
}
