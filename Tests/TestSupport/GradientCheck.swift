// Finite-difference checks of hand-written backward passes, and the deterministic test data they need.
import Testing

/// A small generator for test data; the same values on every machine (SplitMix64).
public struct TestRandom: RandomNumberGenerator {
    private var state: UInt64

    public init(_ seed: UInt64) { state = seed }

    public mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }

    /// Values spread evenly over −1…1.
    public mutating func floats(_ count: Int) -> [Float] { (0..<count).map { _ in Float.random(in: -1...1, using: &self) } }

    /// Values at least `gap` apart in random order, centred on 0: no ties and no sign change within a step below gap/2.
    public mutating func separated(_ count: Int, gap: Float) -> [Float] {
        (0..<count).map { (Float($0) - Float(count) / 2 + 0.5) * gap }.shuffled(using: &self)
    }
}

/// Compares `backward` with the 4-point central difference of `forward` at `point`.
///
/// The scalar loss is a fixed random projection of the output, summed in Double; `backward` receives the projection as the
/// gradient of the output and returns the gradient of the input. The error is the mean absolute difference over the sampled
/// coordinates, relative to the mean absolute gradient. Kinks (ReLU, maximum) must lie more than 2·step from `point`.
public func gradCheck(
    at point: [Float], step: Float = 0.0625, tolerance: Double = 1e-4, samples: Int = 200, seed: UInt64 = 1,
    forward: ([Float]) -> [Float], backward: ([Float]) -> [Float],
    _ what: String = "gradient", sourceLocation: SourceLocation = #_sourceLocation
) {
    var random = TestRandom(seed)
    let projection = random.floats(forward(point).count)
    func loss(_ x: [Float]) -> Double {
        zip(forward(x), projection).reduce(0) { $0 + Double($1.0) * Double($1.1) }
    }
    let analytic = backward(projection)
    guard analytic.count == point.count else {
        Issue.record("\(what): \(analytic.count) gradients for \(point.count) inputs", sourceLocation: sourceLocation)
        return
    }
    let coordinates = point.count <= samples
        ? Array(point.indices) : Array(point.indices.shuffled(using: &random).prefix(samples))
    var error = 0.0, scale = 0.0
    var worst = (index: 0, numeric: 0.0, excess: -1.0)
    for i in coordinates {
        var x = point
        /// The slope over ±distance, divided by the distance that Float really moved.
        func slope(_ distance: Float) -> Double {
            x[i] = point[i] + distance
            let (above, high) = (loss(x), Double(x[i]))
            x[i] = point[i] - distance
            let (below, low) = (loss(x), Double(x[i]))
            return (above - below) / (high - low)
        }
        let numeric = (4 * slope(step) - slope(2 * step)) / 3
        let excess = abs(numeric - Double(analytic[i]))
        error += excess
        scale += abs(numeric)
        if !(excess <= worst.excess) { worst = (i, numeric, excess) }
    }
    let relative = error / max(scale, 1e-12 * Double(coordinates.count))
    if relative <= tolerance { return }  // false for NaN
    Issue.record(
        """
        \(what): mean error \(relative) of scale, allowed \(tolerance); worst at [\(worst.index)]: \
        backward \(analytic[worst.index]), difference quotient \(worst.numeric)
        """,
        sourceLocation: sourceLocation)
}
