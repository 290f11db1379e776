// The flags of the online algorithms.
import ArgumentParser
import Fairness
import Inference

extension OnlineName: ExpressibleByArgument {}

struct OnlineArguments: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "The online algorithm: primal-dual (the paper's; bounds the average gap of batches) or anytime (bounds the gap of everything answered so far).",
            valueName: "algorithm"))
    var online = OnlineName.primalDual

    @Option(help: ArgumentHelp("What to hold: demographic-parity, which is all that a stream can. Default: the model's.", valueName: "notion"))
    var criterion: Criterion?

    @Option(help: ArgumentHelp("Largest gap between group means, in logits. Default: the model's.", valueName: "x"))
    var epsilon: Double?

    @Option(help: ArgumentHelp("primal-dual: records of known groups from which on a batch is projected. Default: the model's.", valueName: "n"))
    var batchThreshold: Int?

    @Option(help: ArgumentHelp("primal-dual: first step size of the multiplier. Default: the model's.", valueName: "x"))
    var eta0: Double?

    @Option(help: ArgumentHelp("primal-dual: what is penalised in small batches, max or sum. Default: the model's.", valueName: "penalty"))
    var pairPenalty: PairPenalty?

    @Option(help: ArgumentHelp("anytime: C, how far a group's sum may stray from the common level, in logits times records.", valueName: "c"))
    var anytimeCap = 30.0

    @Option(help: ArgumentHelp("anytime: the records over which a group's debt is paid back.", valueName: "records"))
    var anytimeHorizon = 50.0

    func validate() throws {
        if let epsilon, !(epsilon >= 0 && epsilon.isFinite) { throw ValidationError("--epsilon \(epsilon) must be a finite number >= 0.") }
        if let eta0, !(eta0 > 0 && eta0.isFinite) { throw ValidationError("--eta0 \(eta0) must be a finite number > 0.") }
        if let batchThreshold, batchThreshold < 1 { throw ValidationError("--batch-threshold \(batchThreshold) must be at least 1.") }
        guard anytimeCap > 0, anytimeCap.isFinite else { throw ValidationError("--anytime-cap \(anytimeCap) must be a finite number > 0.") }
        guard anytimeHorizon >= 1, anytimeHorizon.isFinite else {
            throw ValidationError("--anytime-horizon \(anytimeHorizon) must be a finite number >= 1.")
        }
    }

    /// Puts what the user gave in place of the model's settings.
    func apply(to settings: inout StreamSettings) {
        settings.online = online
        settings.criterion = criterion ?? settings.criterion
        settings.hasBounds = settings.hasBounds && criterion == nil
        settings.tolerance = epsilon ?? settings.tolerance
        settings.batchThreshold = batchThreshold ?? settings.batchThreshold
        settings.eta0 = eta0 ?? settings.eta0
        settings.pairPenalty = pairPenalty ?? settings.pairPenalty
        settings.anytimeCap = anytimeCap
        settings.anytimeHorizon = anytimeHorizon
    }
}
