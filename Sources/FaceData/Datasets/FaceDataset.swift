// A labelled set of face images: files, labels and groups per split. The readers are CelebA, FairFace and FolderDataset.
import Foundation

public enum Split: String, CaseIterable, Codable, Sendable {
    case train, valid, test
}

/// One image with what is known about it.
public struct FaceSample: Equatable, Sendable {
    /// Folder of the image file; shared storage among the samples.
    public let folder: String
    /// Path within the folder, as the label file has it.
    public let name: String
    /// 1 is the positive class; nil where the label is missing (only in the test split).
    public let label: Int?
    /// 0..<K, or -1 where one of its features is missing.
    public let group: Int
    /// Where its pixels lie in a packed file; nil for an image file.
    let packed: PackedSample?

    public init(folder: String, name: String, label: Int?, group: Int) {
        self.init(folder: folder, name: name, label: label, group: group, packed: nil)
    }

    init(folder: String, name: String, label: Int?, group: Int, packed: PackedSample?) {
        self.folder = folder
        self.name = name
        self.label = label
        self.group = group
        self.packed = packed
    }

    public var file: String { "\(folder)/\(name)" }

    /// Puts ``file`` in a string that is used again and again, which then needs no new memory.
    func spellFile(in path: inout String) {
        path.removeAll(keepingCapacity: true)
        path += folder
        path += "/"
        path += name
    }
}

/// A sensitive feature with its declared values; a group is one combination of values.
public struct DatasetFeature: Codable, Equatable, Sendable {
    public let name: String
    public let values: [String]

    public init(name: String, values: [String]) {
        self.name = name
        self.values = values
    }
}

public struct FaceDataset: Sendable {
    /// "celeba", "fairface" or "folder".
    public let name: String
    /// A folder, or a packed file.
    public let root: URL
    /// As asked for, for example "Smiling" or "race=Black".
    public let target: String
    /// What label 1 means, for example "30 and over".
    public let positive: String
    public let features: [DatasetFeature]
    /// Drawn by facefair, not photographed. Reports say so.
    public let isSynthetic: Bool
    /// Rows of the training and validation splits that were left out because their label is missing.
    public let unlabelled: [Split: Int]
    /// How many samples the whole set has, where this is ``reduced(to:)`` a part of it.
    public private(set) var reducedFrom: Int?
    private var samplesBySplit: [Split: [FaceSample]]

    /// Samples of all splits.
    public var count: Int { samplesBySplit.values.reduce(0) { $0 + $1.count } }

    public func samples(_ split: Split) -> [FaceSample] { samplesBySplit[split] ?? [] }

    /// Number of groups: the product of the features' value counts. Groups are numbered with the first feature slowest.
    public var groupCount: Int { features.reduce(1) { $0 * $1.values.count } }

    /// "Male=0,Young=1"; "unknown" for -1.
    public func groupLabel(_ group: Int) -> String {
        guard group >= 0 else { return "unknown" }
        var rest = group
        var parts: [String] = []
        for feature in features.reversed() {
            parts.append("\(feature.name)=\(feature.values[rest % feature.values.count])")
            rest /= feature.values.count
        }
        return parts.reversed().joined(separator: ",")
    }

    /// Share of label 1 among the labelled samples of a split; nil where there are none.
    public func baseRate(_ split: Split) -> Double? {
        let labels = samples(split).compactMap(\.label)
        return labels.isEmpty ? nil : Double(labels.reduce(0, +)) / Double(labels.count)
    }

    /// At most `count` samples in all, with the set's shares of splits, groups and labels: every split sorted by group and label, and
    /// samples at equal distances taken from it. The same for the same set; a set that is small enough is returned as it is.
    public func reduced(to count: Int) -> FaceDataset {
        let total = self.count
        guard total > count else { return self }
        var dataset = self
        dataset.reducedFrom = total
        dataset.samplesBySplit = samplesBySplit.mapValues { samples in
            let kept = samples.count * count / total
            let order = samples.indices.sorted { a, b in
                (samples[a].group, samples[a].label ?? -1, a) < (samples[b].group, samples[b].label ?? -1, b)
            }
            return (0..<kept).map { order[(2 * $0 + 1) * samples.count / (2 * kept)] }.sorted().map { samples[$0] }
        }
        return dataset
    }

    /// Rows without a label stay out of training and validation, and are counted; in the test split they stay, to be predicted.
    init(_ table: LabelTable, selection: ColumnSelection) {
        name = table.layout.rawValue
        root = table.root
        target = selection.target
        positive = selection.positive
        features = selection.features
        isSynthetic = table.isSynthetic
        var samples: [Split: [FaceSample]] = [.train: [], .valid: [], .test: []]
        var unlabelled: [Split: Int] = [:]
        for (row, split) in table.splits(selection).enumerated() {
            let label = selection.label(row)
            if label == nil && split != .test {
                unlabelled[split, default: 0] += 1
                continue
            }
            samples[split]!.append(
                FaceSample(
                    folder: table.folder, name: table.names[row], label: label, group: selection.group(row),
                    packed: table.packed?.sample(row)))
        }
        self.unlabelled = unlabelled
        samplesBySplit = samples
    }

    /// The file that marks a synthetic folder.
    public static let marker = "synthetic.json"
}
