// Why a training run cannot start or go on.

public enum TrainingError: Error, Equatable, CustomStringConvertible {
    case invalidConfiguration(String)
    case notFinite(step: Int, files: [String], groupCounts: [Int])
    case noSamples(String)
    case wouldOverwrite(String)
    case cannotResume(String)

    public var description: String {
        switch self {
        case .invalidConfiguration(let reason): reason
        case .notFinite(let step, let files, let groupCounts):
            "the loss is not finite at step \(step); samples per group \(groupCounts), files \(files.prefix(8).joined(separator: ", "))"
                + (files.count > 8 ? " and \(files.count - 8) more" : "")
                + "; lower --lr and --backbone-lr, or look at these images"
        case .noSamples(let what): what
        case .wouldOverwrite(let path):
            "\(path): there is a run already; choose another --output, go on with --resume auto, or allow it with --exist-ok"
        case .cannotResume(let reason): reason
        }
    }
}
