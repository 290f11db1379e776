// Fair scores as CSV, as NDJSON, and as one JSON object with a summary.
import Fairness

extension FairScores {
    /// `id,group,logit_raw,logit,score,decision` per row, in the order of `table`.
    public func csv(_ table: ScoreTable, threshold: Double) -> [UInt8] {
        var bytes = Array("id,group,logit_raw,logit,score,decision\n".utf8)
        bytes.reserveCapacity(table.count * 80)
        for row in scores.indices {
            let score = sigmoid(scores[row])
            appendCSV(table.ids[row].spelling ?? "", to: &bytes)
            bytes.append(UInt8(ascii: ","))
            appendCSV(table.groups[row], to: &bytes)
            bytes.append(contentsOf: ",\(table.logits[row]),\(scores[row]),\(score),\(score >= threshold ? 1 : 0)\n".utf8)
        }
        return bytes
    }

    /// One object per row with the same keys as the columns of ``csv(_:threshold:)``.
    public func ndjson(_ table: ScoreTable, threshold: Double) -> [UInt8] {
        var writer = JSONWriter()
        for row in scores.indices {
            write(row: row, of: table, threshold: threshold, to: &writer)
            writer.newline()
        }
        return writer.bytes
    }

    private func write(row: Int, of table: ScoreTable, threshold: Double, to writer: inout JSONWriter) {
        let score = sigmoid(scores[row])
        writer.object { object in
            object.field("id", table.ids[row])
            object.field("group", table.groups[row].isEmpty ? nil : table.groups[row])
            object.field("logit_raw", table.logits[row])
            object.field("logit", scores[row])
            object.field("score", score)
            object.field("decision", score >= threshold ? 1 : 0)
        }
    }

    /// The summary and all rows as one object.
    public func json(_ table: ScoreTable, threshold: Double) -> [UInt8] {
        var writer = JSONWriter()
        writer.object { object in
            object.field("criterion", settings.criterion.rawValue)
            object.field("epsilon", settings.tolerance)
            object.field("algorithm", stream?.name.rawValue ?? "projection")
            object.field("batch_size", settings.batchSize)
            object.field("threshold", threshold)
            object.field("row_count", table.count)
            object.field("unknown_rows", unknownRows)
            object.field("batches", batches)
            object.field("gap_before", before.gap)
            object.field("gap_after", after.gap)
            object.field("criterion_gap_before", criterionGaps.before)
            object.field("criterion_gap_after", criterionGaps.after)
            object.field("largest_batch_gap", largestBatchGap)
            object.array("groups") { groups in
                for (index, name) in groupNames.enumerated() {
                    groups.object { group in
                        group.field("group", name)
                        group.field("count", before.counts[index])
                        group.field("mean_before", before.means[index])
                        group.field("mean_after", after.means[index])
                    }
                }
            }
            let accuracy = accuracy(table, threshold: threshold)
            object.field("labelled_rows", accuracy?.rows ?? 0)
            object.field("accuracy_before", accuracy?.before)
            object.field("accuracy_after", accuracy?.after)
            object.field("lambda", stream?.multiplier)
            object.field("average_gap", stream?.averageGap)
            object.field("bound", stream?.bound)
            object.field("projection_ms", elapsed.milliseconds)
            object.array("rows") { rows in
                for row in scores.indices { write(row: row, of: table, threshold: threshold, to: &rows) }
            }
        }
        writer.newline()
        return writer.bytes
    }
}

extension Duration {
    public var milliseconds: Double {
        let (seconds, attoseconds) = components
        return Double(seconds) * 1e3 + Double(attoseconds) / 1e15
    }
}

/// Appends `field` to a CSV text, quoted when it must be.
private func appendCSV(_ field: String, to bytes: inout [UInt8]) {
    let special = field.utf8.contains { $0 == UInt8(ascii: ",") || $0 == UInt8(ascii: "\"") || $0 == 0x0A || $0 == 0x0D }
    guard special else { return bytes.append(contentsOf: field.utf8) }
    bytes.append(UInt8(ascii: "\""))
    for byte in field.utf8 {
        if byte == UInt8(ascii: "\"") { bytes.append(byte) }
        bytes.append(byte)
    }
    bytes.append(UInt8(ascii: "\""))
}
