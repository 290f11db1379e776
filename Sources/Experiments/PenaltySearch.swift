// The paper's choice of λ for its penalty method.
import Fairness
import Foundation
import Inference
import NeuralNetwork
import Training

/// From the largest λ to the smallest, stopping at the first whose model violates ε on the validation split; the one before it is
/// taken, and the largest where even that one violates. Source: arXiv 2605.17118, image experiments.
struct PenaltySearch {
    static let grid: [Double] = [1e4, 1e3, 1e2, 1e1, 1, 1e-1, 1e-2]
    private let runner: ExperimentRunner

    init(_ runner: ExperimentRunner) { self.runner = runner }

    func run(_ backbone: BackboneName, seed: UInt64) throws -> TrainedRun {
        var chosen: TrainedRun?
        for weight in Self.grid {
            let run = try candidate(backbone, weight, seed)
            let gap = try validationGap(run)
            let satisfied = gap <= runner.experiment.configuration.epsilon
            runner.report(.note("penalty search: λ = \(weight) has a validation gap of \(gap), \(satisfied ? "within" : "beyond") ε"))
            if satisfied || chosen == nil { chosen = run }
            if !satisfied { break }
        }
        return chosen!  // the grid is not empty
    }

    /// The largest λ is the strict penalty's run.
    private func candidate(_ backbone: BackboneName, _ weight: Double, _ seed: UInt64) throws -> TrainedRun {
        guard weight < 1e4 else {
            return try runner.train(
                runner.experiment.configuration(backbone, .strictPenalty, seed: seed), name: "strict-penalty-seed\(seed)")
        }
        var configuration = runner.experiment.configuration(backbone, .penalty, seed: seed)
        configuration.penaltyWeight = weight
        return try runner.train(configuration, name: "penalty-\(weight)-seed\(seed)")
    }

    private func validationGap(_ run: TrainedRun) throws -> Double {
        let predictions = try runner.predict(run, .valid)
        return MetricFrame(predictions, groupCount: runner.dataset.groupCount).meanLogitGap.value ?? 0
    }
}
