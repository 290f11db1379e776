// Seeded draws for intervals and permutation tests. This module may import nothing of ours, so the generator is its own.
import Foundation

/// SplitMix64, with the distributions that resampling needs.
struct SampleRandom: RandomNumberGenerator {
    private var state: UInt64

    /// Streams of one seed are independent of each other.
    init(seed: UInt64, stream: UInt64 = 0) {
        state = seed
        let first = next()
        state = first ^ (stream &* 0xD1B5_4A32_D192_ED03)
        _ = next()
    }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }

    /// In (0, 1), never an end.
    mutating func uniform() -> Double { (Double(next() >> 11) + 0.5) * 0x1p-53 }

    /// Standard normal, by the polar method.
    mutating func normal() -> Double {
        while true {
            let u = 2 * uniform() - 1, v = 2 * uniform() - 1
            let s = u * u + v * v
            if s < 1 && s > 0 { return u * (-2 * log(s) / s).squareRoot() }
        }
    }

    /// Chi-square with `degrees` degrees of freedom, divided by them: the ratio of a sample variance to the true one.
    ///
    /// Source: Marsaglia and Tsang, A simple method for generating gamma variables, ACM TOMS 26 (2000).
    mutating func varianceRatio(_ degrees: Int) -> Double {
        let shape = Double(degrees) / 2
        let d = (shape < 1 ? shape + 1 : shape) - 1.0 / 3, c = 1 / (9 * d).squareRoot()
        while true {
            let x = normal(), t = 1 + c * x
            guard t > 0 else { continue }
            let v = t * t * t
            guard log(uniform()) < x * x / 2 + d - d * v + d * log(v) else { continue }
            let gamma = shape < 1 ? d * v * pow(uniform(), 1 / shape) : d * v
            return gamma / shape
        }
    }

    /// Successes in `n` trials of probability `p`.
    mutating func binomial(_ n: Int, _ p: Double) -> Int {
        if n <= 0 || p <= 0 { return 0 }
        if p >= 1 { return n }
        if p > 0.5 { return n - binomial(n, 1 - p) }
        return Double(n) * p < 10 ? binomialByInversion(n, p) : binomialByRejection(n, p)
    }

    private mutating func binomialByInversion(_ n: Int, _ p: Double) -> Int {
        // The waiting times between successes are geometric.
        let scale = log1p(-p)
        var trials = 0.0, successes = -1
        repeat {
            trials += (log(uniform()) / scale).rounded(.down) + 1
            successes += 1
        } while trials <= Double(n)
        return successes
    }

    /// For n·p of at least 10 and p of at most 1/2.
    ///
    /// Source: Hörmann, The generation of binomial random variates, J. Stat. Comput. Simul. 46 (1993), algorithm BTRS.
    private mutating func binomialByRejection(_ n: Int, _ p: Double) -> Int {
        let size = Double(n), deviation = (size * p * (1 - p)).squareRoot()
        let b = 1.15 + 2.53 * deviation
        let a = -0.0873 + 0.0248 * b + 0.01 * p
        let centre = size * p + 0.5, squeeze = 0.92 - 4.2 / b
        let alpha = (2.83 + 5.1 / b) * deviation
        let odds = log(p / (1 - p))
        let mode = ((size + 1) * p).rounded(.down)
        let modeTerm = logFactorial(mode) + logFactorial(size - mode)
        while true {
            let u = uniform() - 0.5, v = uniform()
            let us = 0.5 - abs(u)
            let k = ((2 * a / us + b) * u + centre).rounded(.down)
            if us >= 0.07 && v <= squeeze { return Int(k) }
            if k < 0 || k > size { continue }
            let height = log(v * alpha / (a / (us * us) + b))
            if height <= modeTerm - logFactorial(k) - logFactorial(size - k) + (k - mode) * odds { return Int(k) }
        }
    }

    /// Marked items among `draws` taken without replacement from `total` of which `marked` are marked.
    ///
    /// Inversion from the mode outwards, in steps of the distribution's width.
    mutating func hypergeometric(total: Int, marked: Int, draws: Int) -> Int {
        let lowest = max(0, draws - (total - marked)), highest = min(draws, marked)
        if lowest == highest { return lowest }
        let (N, K, n) = (Double(total), Double(marked), Double(draws))
        let mode = min(max(Int(((n + 1) * (K + 1) / (N + 2)).rounded(.down)), lowest), highest)
        let m = Double(mode)
        let start = exp(
            logFactorial(K) - logFactorial(m) - logFactorial(K - m) + logFactorial(N - K) - logFactorial(n - m)
                - logFactorial(N - K - n + m) - logFactorial(N) + logFactorial(n) + logFactorial(N - n))
        var u = uniform() - start
        var (low, high, pLow, pHigh) = (mode, mode, start, start)
        while u > 0 && (low > lowest || high < highest) {
            if high < highest {
                let k = Double(high)
                pHigh *= (K - k) * (n - k) / ((k + 1) * (N - K - n + k + 1))
                high += 1
                u -= pHigh
                if u <= 0 { return high }
            }
            if low > lowest {
                let k = Double(low)
                pLow *= k * (N - K - n + k) / ((K - k + 1) * (n - k + 1))
                low -= 1
                u -= pLow
                if u <= 0 { return low }
            }
        }
        return mode  // reached by rounding only, after all probability is spent
    }
}

/// log(k!) for whole k ≥ 0, to about 1e-15 of its size.
func logFactorial(_ k: Double) -> Double {
    if k < 128 { return smallLogFactorials[Int(k)] }
    let r = 1 / k, r2 = r * r
    return (k + 0.5) * log(k) - k + 0.918938533204672741780 + r * (1.0 / 12 - r2 * (1.0 / 360 - r2 / 1260))
}

private let smallLogFactorials: [Double] = {
    var table = [0.0]
    for k in 1..<128 { table.append(table[k - 1] + log(Double(k))) }
    return table
}()
