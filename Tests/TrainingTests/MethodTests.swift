import Fairness
import NeuralNetwork
import TestSupport
import Testing
import Training

struct MethodTests {
    private static let logits = [0.2, 1.4, -0.6, 2, 0.8, -1.5, -0.3, 0.6, -2, 1.1]
    private static let groups = [0, 0, 0, 1, 1, 2, 2, 2, 2, 3]
    private static let labels: [Float] = [1, 1, 0, 1, 0, 0, 1, 1, 0, 1]

    private func method(_ name: MethodName, threshold: Int = 1) -> any FairnessMethod {
        var configuration = TrainingConfiguration()
        configuration.method = name
        configuration.epsilon = 0.5
        configuration.batchThreshold = threshold
        configuration.penaltyWeight = 3
        return try! configuration.makeMethod(SensitiveFeatures([.init(name: "group", values: ["0", "1", "2", "3"])]))
    }

    /// Central differences of the loss; at these logits no active set changes within the step.
    @Test(arguments: [MethodName.none, .projection, .fairnessLayer, .penalty])
    func gradients(_ name: MethodName) throws {
        var method = method(name)
        let gradient = try method.objective(Self.logits, labels: Self.labels, groups: Self.groups).gradient
        let numeric = try Self.logits.indices.map { i -> Double in
            try [1e-5, -1e-5].map { step -> Double in
                var moved = Self.logits
                moved[i] += step
                return try method.objective(moved, labels: Self.labels, groups: Self.groups).loss / (2 * step)
            }.reduce(0, +)
        }
        expectClose(gradient, numeric, rtol: 1e-6, atol: 1e-8)
    }

    /// fairness.md's unit vector: group means after the hard projection with ε = .5.
    @Test func theLayerIsInTheLoss() throws {
        var method = method(.fairnessLayer)
        let objective = try method.objective(Self.logits, labels: Self.labels, groups: Self.groups)
        let means = try GroupSums(objective.logits, groups: Self.groups, groupCount: 4).means.map { $0! }
        expectClose(means, [0.333333, 0.385714, -0.114286, 0.385714], atol: 1e-6)
        expectClose(objective.loss, BCEWithLogits.loss(objective.logits, labels: Self.labels).loss, atol: 1e-12)
        #expect(objective.gapBefore > 2 && abs(objective.gapAfter - 0.5) < 1e-12)
    }

    @Test func smallBatchesGoThroughThePrimalDualAlgorithmAndEachEpochStartsAnew() throws {
        var method = method(.fairnessLayer, threshold: 11)
        let first = try method.objective(Self.logits, labels: Self.labels, groups: Self.groups)
        #expect(first.logits == Self.logits)  // λ starts at 0
        #expect(method.multiplier! > 0)
        let second = try method.objective(Self.logits, labels: Self.labels, groups: Self.groups)
        #expect(second.gapAfter < first.gapAfter)
        method.beginEpoch()
        #expect(method.multiplier == 0)
    }

    @Test func penaltyPricesTheGaps() throws {
        var none = method(.none), penalty = method(.penalty)
        let plain = try none.objective(Self.logits, labels: Self.labels, groups: Self.groups)
        let priced = try penalty.objective(Self.logits, labels: Self.labels, groups: Self.groups)
        // means .333333, 1.4, −.8, 1.1: Σ squared pair gaps by hand
        let means = [1.0 / 3, 1.4, -0.8, 1.1]
        var sum = 0.0
        for i in means.indices { for j in means[(i + 1)...] { sum += (means[i] - j) * (means[i] - j) } }
        expectClose(priced.loss - plain.loss, 3 * sum, atol: 1e-12)
    }
}

struct CriterionMethodTests {
    private static let features = SensitiveFeatures([.init(name: "Male", values: ["0", "1"]), .init(name: "Young", values: ["0", "1"])])
    private static let logits = [0.2, 1.4, -0.6, 2, 0.8, -1.5, -0.3, 0.6, -2, 1.1, 0.35, -0.9]
    private static let groups = [0, 0, 0, 1, 1, 2, 2, 2, 2, 3, 3, unknownGroup]
    private static let labels: [Float] = [1, 1, 0, 1, 0, 0, 1, 1, 0, 1, 0, 1]

    private static func configuration(_ criterion: Criterion, _ details: CriterionDetails? = nil, _ method: MethodName = .fairnessLayer) -> TrainingConfiguration {
        var c = TrainingConfiguration()
        (c.method, c.criterion, c.criterionDetails, c.epsilon) = (method, criterion, details, 0.2)
        return c
    }

    private static let near = CriterionDetails.Row(name: "near", means: ["Male=0,Young=1": 1, "Male=1,Young=0": -1], limit: 0.3)

    @Test(arguments: [
        (Criterion.equalizedOdds, nil), (.equalOpportunity, nil), (.marginalParity, nil), (.conditionalParity, CriterionDetails(conditionOn: ["Young"])),
        (.custom, CriterionDetails(rows: [near])), (.demographicParity, CriterionDetails(bounds: .init(lower: -1, upper: 1.25))),
        (.equalizedOdds, CriterionDetails(bounds: .init(lower: -1, upper: 1.25))),
    ] as [(Criterion, CriterionDetails?)])
    func gradients(_ criterion: Criterion, _ details: CriterionDetails?) throws {
        let configuration = Self.configuration(criterion, details)
        try configuration.validate()
        var method = try configuration.makeMethod(Self.features)
        func loss(_ logits: [Double]) throws -> Double { try method.objective(logits, labels: Self.labels, groups: Self.groups).loss }
        let objective = try method.objective(Self.logits, labels: Self.labels, groups: Self.groups)
        let numeric = try Self.logits.indices.map { i -> Double in
            var (up, down) = (Self.logits, Self.logits)
            up[i] += 1e-5
            down[i] -= 1e-5
            return (try loss(up) - loss(down)) / 2e-5
        }
        expectClose(objective.gradient, numeric, rtol: 1e-6, atol: 1e-8)
        #expect(objective.gapBefore > 0.3 && objective.gapAfter <= (criterion == .custom ? 0 : 0.2) + 1e-12)
        // Evaluation projects a split by the same layer.
        let split = Predictions(scores: Self.logits, labels: Self.labels.map { Int($0) }, groups: Self.groups)
        expectClose(try method.postprocessor.apply(split).scores, objective.logits, atol: 1e-12)
    }

    @Test func whatDoesNotFitIsRefused() {
        func message(_ c: TrainingConfiguration) -> String {
            do {
                try c.validate()
                _ = try c.makeMethod(Self.features)
                return ""
            } catch { return "\(error)" }
        }
        #expect(message(Self.configuration(.equalizedResiduals)).contains("not on that of its labels"))
        #expect(message(Self.configuration(.equalizedResiduals, nil, .none)) == "")
        #expect(message(Self.configuration(.equalizedOdds, nil, .penalty)).contains("--method penalty"))
        #expect(message(Self.configuration(.conditionalParity)).contains("one or some of Male, Young"))
        #expect(message(Self.configuration(.conditionalParity, .init(conditionOn: ["Old"]))).contains("'Old'"))
        #expect(message(Self.configuration(.conditionalParity, .init(conditionOn: ["Male", "Young"]))).contains("nothing is compared"))
        #expect(message(Self.configuration(.equalizedOdds, .init(conditionOn: ["Young"]))).contains("belongs to conditional-parity"))
        #expect(message(Self.configuration(.custom)).contains("needs a file of rows"))
        #expect(message(Self.configuration(.custom, .init(rows: [.init(name: "r", means: ["Male=0": 1], limit: 0)]))).contains("row 'r'"))
        #expect(message(Self.configuration(.custom, .init(rows: [.init(name: "r", scores: ["1": 1], limit: 0)]))).contains("facefair project"))
        #expect(message(Self.configuration(.marginalParity, .init(bounds: .init(lower: 0, upper: 1)))).contains("bounds"))
        // Rows that contradict each other are found before the first batch.
        let far = CriterionDetails.Row(name: "far", means: ["Male=0,Young=1": -1, "Male=1,Young=0": 1], limit: -0.5)
        #expect(message(Self.configuration(.custom, .init(rows: [Self.near, far]))).contains("near, far"))
    }
}
