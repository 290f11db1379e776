// What a saved state belongs to: λ of one model means nothing to another.
import Fairness

/// The model and the settings that a state was made with. A stream with others may not go on with it.
public struct StateBinding: Codable, Equatable, Sendable {
    /// Fingerprint of the model file, or of the groups where there is no model.
    public var modelHash: String
    public var modelName: String
    public let features: SensitiveFeatures
    public let criterion: String
    public let epsilon: Double
    public let algorithm: String
    /// The algorithm's own settings by the names of their flags.
    public let parameters: [String: String]
    public let replayBy: String

    public init(_ settings: StreamSettings, features: SensitiveFeatures, modelHash: String, modelName: String) {
        self.modelHash = modelHash
        self.modelName = modelName
        self.features = features
        criterion = settings.criterion.rawValue
        epsilon = settings.tolerance
        algorithm = settings.online.rawValue
        parameters =
            switch settings.online {
            case .primalDual:
                [
                    "--eta0": "\(settings.eta0)", "--batch-threshold": "\(settings.batchThreshold)",
                    "--pair-penalty": settings.pairPenalty.rawValue,
                ]
            case .anytime: ["--anytime-cap": "\(settings.anytimeCap)", "--anytime-horizon": "\(settings.anytimeHorizon)"]
            }
        replayBy = settings.identity.name
    }

    /// What differs apart from the model, in the words of the flags: "--epsilon 0.01 (this run: 0.001)".
    func differences(from saved: StateBinding) -> [String] {
        func groups(_ features: SensitiveFeatures) -> String {
            features.features.map { "\($0.name)=\($0.values.joined(separator: ","))" }.joined(separator: " ")
        }
        var rows: [(String, String, String)] = [
            ("groups", groups(saved.features), groups(features)), ("criterion", saved.criterion, criterion), ("--epsilon", "\(saved.epsilon)", "\(epsilon)"),
            ("--online", saved.algorithm, algorithm), ("--replay-by", saved.replayBy, replayBy),
        ]
        if saved.algorithm == algorithm {
            for (flag, value) in parameters.sorted(by: { $0.key < $1.key }) { rows.append((flag, saved.parameters[flag] ?? "not set", value)) }
        }
        return rows.filter { $0.1 != $0.2 }.map { "\($0.0) \($0.1) (this run: \($0.2))" }
    }
}

/// Why a saved state cannot be used.
public struct StateError: Error, Equatable, CustomStringConvertible {
    public enum Kind: Sendable {
        /// No such file (EX_NOINPUT).
        case missing
        /// Another process writes to it (EX_TEMPFAIL).
        case busy
        /// It belongs to another model or other settings (EX_CONFIG).
        case mismatch
        /// It is no state file, or a damaged one (EX_DATAERR).
        case unusable
        /// It cannot be made (EX_CANTCREAT).
        case cannotCreate
        /// It may not be read or written (EX_NOPERM).
        case permission
        /// Reading or writing failed (EX_IOERR).
        case io
    }

    public let kind: Kind
    public let description: String

    public init(_ kind: Kind, _ description: String) {
        self.kind = kind
        self.description = description
    }
}
