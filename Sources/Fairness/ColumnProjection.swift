// Models with several logits per sample: each column of scores is a problem of its own.

/// The projections of a table of scores, one per column.
public struct ColumnProjection: Sendable {
    /// In the order of the columns.
    public let columns: [Projection]

    /// The fair scores, row by row. Shape: n × columns.
    public var scores: [Double] { Self.interleave(columns.map(\.scores)) }

    /// Shape: n × columns, in and out.
    public func backward(_ dScores: [Double]) -> [Double] {
        let count = columns.count
        precondition(dScores.count == columns.reduce(0) { $0 + $1.scores.count }, "\(dScores.count) gradients for \(count) columns")
        return Self.interleave(columns.enumerated().map { $1.backward(Self.column($0, of: dScores, count)) })
    }

    static func column(_ index: Int, of table: [Double], _ count: Int) -> [Double] {
        stride(from: index, to: table.count, by: count).map { table[$0] }
    }

    private static func interleave(_ columns: [[Double]]) -> [Double] {
        guard let rows = columns.first?.count else { return [] }
        return (0..<rows).flatMap { row in columns.map { $0[row] } }
    }
}

extension FairnessLayer {
    /// Projects each column of a row-major table by itself.
    ///
    /// Shape: `scores` n × columns; everything else of the batch as for one column. Errors: ``FairnessError``.
    public func forward(columns count: Int, _ scores: [Double], like batch: FairnessBatch) throws -> ColumnProjection {
        precondition(count >= 1 && scores.count == batch.groups.count * count, "\(scores.count) scores are not \(batch.groups.count) × \(count)")
        var batch = batch
        return ColumnProjection(
            columns: try (0..<count).map { column in
                batch.scores = ColumnProjection.column(column, of: scores, count)
                return try forward(batch)
            })
    }
}
