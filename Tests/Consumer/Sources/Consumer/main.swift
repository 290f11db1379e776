// Two groups with different mean scores, made fair in one batch and as a stream.
import Fairness

let scores = [2.0, 1.0, -1.0, 0.5]
let groups = [0, 0, 1, 1]
let fair = try FairnessLayer(groupCount: 2, tolerance: 0.1).forward(scores, groups: groups)
print("gap \(fair.gapBefore) -> \(fair.gapAfter)")

var stream = PrimalDual(groupCount: 2, tolerance: 0.1)
let step = try stream.process(scores, groups: groups)
print("\(step.regime.rawValue): average gap \(step.averageGap), bound \(step.bound)")
precondition(fair.gapAfter <= 0.1 + 1e-12 && step.averageGap <= step.bound + 1e-12)
