// The normal quantile, by bisection on erfc: called a handful of times per audit.
import Foundation

/// z with P(Z ≤ z) = p for a standard normal Z; 0 < p < 1.
func normalQuantile(_ p: Double) -> Double {
    var low = -40.0, high = 40.0
    for _ in 0..<200 where high - low > 1e-15 * max(1, abs(low)) {
        let middle = (low + high) / 2
        if erfc(-middle / 2.0.squareRoot()) / 2 < p { low = middle } else { high = middle }
    }
    return (low + high) / 2
}
