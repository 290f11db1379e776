// Random numbers as a pure function of (seed, stream, position): reproducible for any thread count and resumable from three integers.

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// A counter-based generator, Philox 4×32 with ten rounds.
///
/// Source: Salmon, Moraes, Dror, Shaw, "Parallel random numbers: as easy as 1, 2, 3", SC 2011.
public struct RandomSource: RandomNumberGenerator, Sendable, Codable, Equatable {
    public let seed: UInt64
    public let stream: UInt64
    /// Number of 64-bit values drawn so far.
    public private(set) var position: UInt64 = 0

    public init(seed: UInt64, stream: UInt64 = 0) {
        self.seed = seed
        self.stream = stream
    }

    public mutating func next() -> UInt64 {
        let counter = position >> 1
        let block = RandomSource.philox(
            counter: (
                UInt32(truncatingIfNeeded: counter), UInt32(truncatingIfNeeded: counter >> 32),
                UInt32(truncatingIfNeeded: stream), UInt32(truncatingIfNeeded: stream >> 32)
            ),
            key: (UInt32(truncatingIfNeeded: seed), UInt32(truncatingIfNeeded: seed >> 32)))
        defer { position += 1 }
        return position & 1 == 0
            ? UInt64(block.1) << 32 | UInt64(block.0)
            : UInt64(block.3) << 32 | UInt64(block.2)
    }

    /// A value in [0, 1) with 53 random bits.
    public mutating func uniform() -> Double { Double(next() >> 11) * 0x1p-53 }

    /// A standard normal value (Box-Muller, two draws).
    public mutating func normal() -> Double {
        let radius = (-2 * log(1 - uniform())).squareRoot()
        return radius * cos(2 * Double.pi * uniform())
    }

    /// A value in 0..<n, without bias.
    public mutating func int(below n: Int) -> Int {
        precondition(n > 0, "no integer lies below \(n)")
        let bound = UInt64(n)
        let excess = (0 &- bound) % bound
        while true {
            let (high, low) = next().multipliedFullWidth(by: bound)
            if low >= excess { return Int(high) }
        }
    }

    /// The numbers 0..<n in random order.
    public mutating func permutation(_ n: Int) -> [Int] {
        var order = Array(0..<n)
        var left = n
        while left > 1 {
            let pick = int(below: left)
            left -= 1
            order.swapAt(left, pick)
        }
        return order
    }

    /// An independent stream for one epoch, layer or worker; depends on seed and stream, not on what has been drawn.
    public func fork(_ stream: UInt64) -> RandomSource {
        RandomSource(seed: seed, stream: RandomSource.mix(RandomSource.mix(self.stream &+ 1) &+ stream))
    }

    /// The finaliser of SplitMix64: a bijection that spreads every bit.
    private static func mix(_ value: UInt64) -> UInt64 {
        var z = value &+ 0x9E37_79B9_7F4A_7C15
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }

    package typealias Block = (UInt32, UInt32, UInt32, UInt32)

    package static func philox(counter: Block, key: (UInt32, UInt32)) -> Block {
        var (c0, c1, c2, c3) = counter
        var (k0, k1) = key
        for _ in 0..<10 {
            let first = UInt64(c0) &* 0xD251_1F53
            let second = UInt64(c2) &* 0xCD9E_8D57
            (c0, c1, c2, c3) = (
                UInt32(truncatingIfNeeded: second >> 32) ^ c1 ^ k0, UInt32(truncatingIfNeeded: second),
                UInt32(truncatingIfNeeded: first >> 32) ^ c3 ^ k1, UInt32(truncatingIfNeeded: first)
            )
            k0 &+= 0x9E37_79B9
            k1 &+= 0xBB67_AE85
        }
        return (c0, c1, c2, c3)
    }
}
