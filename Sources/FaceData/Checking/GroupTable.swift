// data inspect: how many samples of which label each group has, per split.
import Foundation

public struct GroupTable: Codable, Equatable, Sendable {
    public struct Row: Codable, Equatable, Sendable {
        public let split: String
        public let group: String
        public let count: Int
        public let label0: Int
        public let label1: Int
        public let unlabelled: Int
        /// Share of label 1 among the labelled; nil where there are none.
        public let positiveRate: Double?

        private enum CodingKeys: String, CodingKey {
            case split, group, count, label0 = "label_0", label1 = "label_1", unlabelled, positiveRate = "positive_rate"
        }
    }

    public let rows: [Row]

    /// One row per split and declared group, empty ones included; a row for samples of unknown group where there are any.
    public init(_ dataset: FaceDataset) {
        rows = Split.allCases.flatMap { split in
            let samples = dataset.samples(split)
            let groups = Array(0..<dataset.groupCount) + (samples.contains { $0.group < 0 } ? [-1] : [])
            var counts: [Int: (zero: Int, one: Int, none: Int)] = [:]
            for sample in samples {
                switch sample.label {
                case 0: counts[sample.group, default: (0, 0, 0)].zero += 1
                case nil: counts[sample.group, default: (0, 0, 0)].none += 1
                default: counts[sample.group, default: (0, 0, 0)].one += 1
                }
            }
            return groups.map { group in
                let (zero, one, none) = counts[group] ?? (0, 0, 0)
                return Row(
                    split: split.rawValue, group: dataset.groupLabel(group), count: zero + one + none, label0: zero, label1: one,
                    unlabelled: none, positiveRate: zero + one > 0 ? Double(one) / Double(zero + one) : nil)
            }
        }
    }
}
