// Cutting one list into parts that keep the share of every stratum: validation from training data.
import TensorCore

enum StratifiedSplit {
    /// The part 0..<shares.count of every row, each stratum divided by `shares` (rounded to nearest) in an order that only the seed
    /// decides. Rows of one stratum that is too small go to the first part.
    static func parts(strata: [Int], shares: [Double], seed: UInt64) -> [Int] {
        var rows: [Int: [Int]] = [:]
        for (row, stratum) in strata.enumerated() { rows[stratum, default: []].append(row) }
        var parts = [Int](repeating: 0, count: strata.count)
        for (stratum, members) in rows.sorted(by: { $0.key < $1.key }) {
            var random = RandomSource(seed: seed).fork(UInt64(bitPattern: Int64(stratum)))
            let order = random.permutation(members.count)
            // The later parts take their share from the front, the first part keeps the rest.
            var next = 0
            for part in stride(from: shares.count - 1, to: 0, by: -1) {
                let count = Int((shares[part] * Double(members.count)).rounded())
                for _ in 0..<min(count, members.count - next) {
                    parts[members[order[next]]] = part
                    next += 1
                }
            }
        }
        return parts
    }

    /// The seed of every split that facefair makes itself: the paper's, and not the training seed, so that runs stay comparable.
    static let seed: UInt64 = 42
}
