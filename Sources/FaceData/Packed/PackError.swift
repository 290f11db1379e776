// Why a packed data set could not be written, each with the way out. What is wrong with the data itself is a DatasetError.
import Foundation

public enum PackError: Error, Equatable, Sendable, CustomStringConvertible {
    /// Something else is at the path (EX_CANTCREAT).
    case wouldOverwrite(path: String, reason: String)
    /// Another process packs to the same path (EX_TEMPFAIL).
    case inUse(path: String)
    /// Units: bytes.
    case noSpace(path: String, needed: Int, free: Int)
    case io(path: String, code: Int32)

    public var description: String {
        switch self {
        case .wouldOverwrite(let path, let reason): "\(path): \(reason); --exist-ok replaces it"
        case .inUse(let path): "\(path): another process is packing to it"
        case .noSpace(let path, let needed, let free):
            "\(path): needs \(needed / 1_000_000) MB more, \(free / 1_000_000) MB are free there"
        case .io(let path, let code): "\(path): cannot be written: \(String(cString: strerror(code)))"
        }
    }
}
