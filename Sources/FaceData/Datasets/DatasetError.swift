// Why a data set cannot be read, each with the way out.

public enum DatasetError: Error, Equatable, Sendable, CustomStringConvertible {
    /// Something is not where it must be. `help` says how to obtain it and how to make a stand-in.
    case missing(path: String, help: String)
    /// A label file contradicts its format; `row` is the line in the file, 1-based.
    case malformed(file: String, row: Int?, reason: String, help: String)
    /// A target or feature that the data set does not have, or that does not fit.
    case usage(String)

    public var description: String {
        switch self {
        case .missing(let path, let help): return "\(path): not found\n\(help)"
        case .malformed(let file, let row, let reason, let help):
            return "\(file)\(row.map { ", line \($0)" } ?? ""): \(reason)\(help.isEmpty ? "" : "\n\(help)")"
        case .usage(let message): return message
        }
    }

    /// The process's exit code for this error (sysexits.h).
    public var exitCode: Int32 {
        switch self {
        case .missing: return 66
        case .malformed: return 65
        case .usage: return 64
        }
    }
}

/// What a message says about obtaining a data set.
struct DatasetGuide: Sendable {
    let title: String
    let url: String
    let licence: String
    /// One line per file or folder.
    let layout: [String]
    /// The command that makes a stand-in, if there is one.
    let standIn: String?

    var help: String {
        var lines = ["\(title) is expected in this layout:"]
        lines += layout.map { "    \($0)" }
        lines += ["Obtain it from \(url)", "Licence: \(licence)"]
        if let standIn { lines.append("To try without it, draw a synthetic stand-in: \(standIn)") }
        return lines.joined(separator: "\n")
    }
}
