// Which group a face belongs to: one value per sensitive feature, the group being their intersection.

/// The group of a sample whose sensitive features are not all known. It takes no part in any constraint.
public let unknownGroup = -1

/// An ordered list of sensitive features; groups are their intersections, numbered `0..<groupCount`.
///
/// The last feature varies fastest: `Male × Young` gives 0 = (0,0), 1 = (0,1), 2 = (1,0), 3 = (1,1),
/// the paper's `2·Male + Young`.
public struct SensitiveFeatures: Codable, Equatable, Sendable {
    public struct Feature: Codable, Equatable, Sendable {
        public let name: String
        /// The declared values, in order; a group's number depends on that order.
        public let values: [String]

        public init(name: String, values: [String]) {
            self.name = name
            self.values = values
        }
    }

    public let features: [Feature]

    public init(_ features: [Feature]) { self.features = features }

    public var groupCount: Int { features.reduce(1) { $0 * $1.values.count } }

    /// The group's number from one value index per feature, or ``unknownGroup`` if any index is nil.
    public func groupID(_ valueIndices: [Int?]) -> Int {
        precondition(valueIndices.count == features.count, "\(valueIndices.count) values for \(features.count) features")
        var id = 0
        for (feature, index) in zip(features, valueIndices) {
            guard let index else { return unknownGroup }
            precondition(feature.values.indices.contains(index), "value index \(index) of feature \(feature.name)")
            id = id * feature.values.count + index
        }
        return id
    }

    /// `Male=0,Young=1`; `unknown` for ``unknownGroup``.
    public func label(_ group: Int) -> String {
        guard group != unknownGroup else { return "unknown" }
        precondition((0..<groupCount).contains(group), "group \(group) is outside 0..<\(groupCount)")
        var rest = group
        var parts: [String] = []
        for feature in features.reversed() {
            parts.append("\(feature.name)=\(feature.values[rest % feature.values.count])")
            rest /= feature.values.count
        }
        return parts.reversed().joined(separator: ",")
    }

    /// The group of named values; a missing or empty value makes it unknown.
    ///
    /// Errors: ``GroupError`` for a feature or a value that was not declared.
    public func group(from values: [String: String]) throws -> Int {
        for name in values.keys.sorted() where !features.contains(where: { $0.name == name }) {
            throw GroupError.undeclaredFeature(name, declared: features.map(\.name))
        }
        return groupID(
            try features.map { feature in
                guard let value = values[feature.name], !value.isEmpty else { return nil }
                guard let index = feature.values.firstIndex(of: value) else {
                    throw GroupError.undeclaredValue(value, feature: feature.name, declared: feature.values)
                }
                return index
            })
    }

    /// The group written as `Male=0,Young=1`; the empty string is unknown.
    public func group(parsing text: String) throws -> Int {
        var values: [String: String] = [:]
        for part in text.split(separator: ",") {
            let pair = part.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            guard pair.count == 2 else { throw GroupError.malformed(text) }
            let name = String(pair[0].trimmed), value = String(pair[1].trimmed)
            guard values.updateValue(value, forKey: name) == nil else { throw GroupError.malformed(text) }
        }
        return try group(from: values)
    }
}

/// Why a group could not be read.
public enum GroupError: Error, Equatable, CustomStringConvertible {
    case undeclaredFeature(String, declared: [String])
    case undeclaredValue(String, feature: String, declared: [String])
    case malformed(String)

    public var description: String {
        switch self {
        case .undeclaredFeature(let name, let declared):
            "'\(name)' is not a sensitive feature of this model; it knows \(declared.joined(separator: ", "))"
        case .undeclaredValue(let value, let feature, let declared):
            "'\(value)' is not a value of \(feature); allowed are \(declared.joined(separator: ", ")), or leave it out if unknown"
        case .malformed(let text):
            "'\(text)' is not a group; write name=value pairs such as Male=0,Young=1, each name once"
        }
    }
}

extension Substring {
    fileprivate var trimmed: Substring {
        var part = self
        while part.first == " " { part.removeFirst() }
        while part.last == " " { part.removeLast() }
        return part
    }
}
