// The random numbers of one drawn face: a stream of its own per (seed, image), and only exact arithmetic on top of it,
// so that a face does not depend on worker count, order or machine.

import TensorCore

/// A `RandomSource` with the few distributions the drawings need.
package struct FaceRandom {
    private var source: RandomSource

    package init(seed: UInt64, stream: UInt64) { source = RandomSource(seed: seed, stream: stream) }

    package mutating func next() -> UInt64 { source.next() }

    /// Uniform in [0, 1), a multiple of 2⁻²⁴, hence exact in Float.
    package mutating func unit() -> Float { Float(next() >> 40) * 0x1p-24 }

    package mutating func uniform(_ low: Float, _ high: Float) -> Float { low + (high - low) * unit() }

    /// Bell-shaped with mean 0, standard deviation 1 and support ±3.46: the sum of four uniforms.
    /// Not Box-Muller, whose logarithm and cosine differ between C libraries.
    package mutating func bell() -> Float {
        let sum = unit() + unit() + unit() + unit()
        return (sum - 2) * 1.7320508
    }

    package mutating func bell(_ mean: Float, _ deviation: Float) -> Float { mean + deviation * bell() }

    package mutating func chance(_ probability: Float) -> Bool { unit() < probability }

    /// An index drawn with the given weights, which need not sum to one.
    package mutating func choice(_ weights: [Float]) -> Int {
        var total: Float = 0
        for weight in weights { total += weight }
        var left = unit() * total
        for (index, weight) in weights.enumerated() {
            left -= weight
            if left < 0 { return index }
        }
        return weights.count - 1
    }
}

extension Float {
    /// The value limited to 0…1.
    var clamped: Float { self < 0 ? 0 : (self > 1 ? 1 : self) }

    func limited(_ low: Float, _ high: Float) -> Float { self < low ? low : (self > high ? high : self) }

    /// 0 below `low`, 1 above `high`, linear between.
    func ramp(_ low: Float, _ high: Float) -> Float { ((self - low) / (high - low)).clamped }
}
