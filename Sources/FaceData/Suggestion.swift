// "Did you mean": the nearest of the known names.

public enum Suggestion {
    /// The candidate nearest to `name`, unless all are far off. Case does not count.
    public static func closest(to name: String, in candidates: [String]) -> String? {
        let wanted = Array(name.lowercased())
        let best = candidates.map { ($0, distance(wanted, Array($0.lowercased()))) }.min { $0.1 < $1.1 }
        guard let best, best.1 <= max(2, wanted.count / 3) else { return nil }
        return best.0
    }

    /// "; did you mean 'X'?" or nothing.
    public static func hint(for name: String, in candidates: [String]) -> String {
        closest(to: name, in: candidates).map { "; did you mean '\($0)'?" } ?? ""
    }

    /// Insertions, deletions and replacements that turn one into the other (Levenshtein).
    private static func distance(_ a: [Character], _ b: [Character]) -> Int {
        var row = Array(0...b.count)
        for (i, x) in a.enumerated() {
            var diagonal = row[0]
            row[0] = i + 1
            for (j, y) in b.enumerated() {
                let above = row[j + 1]
                row[j + 1] = min(above + 1, row[j] + 1, diagonal + (x == y ? 0 : 1))
                diagonal = above
            }
        }
        return row[b.count]
    }
}
