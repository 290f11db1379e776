// The online algorithm of a stream, as settings ask for it.
import Fairness

typealias OnlineState = PrimalDual

extension PrimalDual {
    init(_ settings: StreamSettings, groupCount: Int) {
        self.init(
            groupCount: groupCount, tolerance: settings.tolerance, eta0: settings.eta0, batchThreshold: settings.batchThreshold,
            pairPenalty: settings.pairPenalty)
    }
}
