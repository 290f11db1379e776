// "Is there any gap at all?": group names shuffled over the rows, the chi-square of the group × outcome table compared.

public enum PermutationTest {
    /// The share of shuffles, and the observed table, whose rates scatter at least as much as observed; small means a gap.
    ///
    /// Rates that are conditional on the label (TPR, FPR) are shuffled within it. A shuffle of rows with fixed outcomes is a draw
    /// from the multivariate hypergeometric distribution of counts, so its cost does not depend on the number of rows.
    /// nil when fewer than two groups have rows.
    public static func pValue(
        _ frame: MetricFrame, _ family: CountBootstrap.Family, draws: Int = 10_000, seed: UInt64 = 0
    ) -> Double? {
        let matrices = frame.confusionByGroup
        var tables: [RateTable] = []
        for metric in family.metrics {
            var table = RateTable(metric, matrices)
            let groups = table.trials.indices.filter { table.trials[$0] > 0 }
            guard groups.count > 1 else { return nil }
            (table.successes, table.trials) = (groups.map { table.successes[$0] }, groups.map { table.trials[$0] })
            tables.append(table)
        }
        // Sums of squares in whole-number steps: a shuffle that equals the observed table must count as equal.
        let observed = tables.reduce(0) { $0 + scatter($1.successes, $1.trials) } * (1 - 1e-12)
        var random = SampleRandom(seed: seed, stream: 3)
        var atLeast = 1
        for _ in 0..<draws {
            var total = 0.0
            for table in tables {
                var rows = table.trials.reduce(0, +), marked = table.successes.reduce(0, +)
                let successes = table.trials.map { size -> Int in
                    let drawn = random.hypergeometric(total: rows, marked: marked, draws: size)
                    rows -= size
                    marked -= drawn
                    return drawn
                }
                total += scatter(successes, table.trials)
            }
            if total >= observed { atLeast += 1 }
        }
        return Double(atLeast) / Double(draws + 1)
    }

    /// Pearson's chi-square of k successes in n trials per group against a common rate; 0 where all outcomes are equal.
    private static func scatter(_ successes: [Int], _ trials: [Int]) -> Double {
        let n = Double(trials.reduce(0, +)), k = Double(successes.reduce(0, +))
        guard k > 0, k < n else { return 0 }
        let rate = k / n
        return zip(successes, trials).reduce(0) { sum, group in
            let deviation = Double(group.0) - Double(group.1) * rate
            return sum + deviation * deviation / (Double(group.1) * rate * (1 - rate))
        }
    }
}
