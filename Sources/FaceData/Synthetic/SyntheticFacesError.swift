// What can go wrong while a synthetic data set is written.
import Foundation

public enum SyntheticFacesError: Error, CustomStringConvertible, Equatable {
    /// Fewer than one image was asked for, or more than six digits can number.
    case badCount(Int)
    /// The folder holds something else; nothing in it was touched.
    case notEmpty(path: String)
    /// The folder holds a different synthetic set.
    case otherSet(path: String, found: String, wanted: String)
    /// A file or folder could not be written.
    case unwritable(path: String, reason: String)
    /// The disk or the quota is full.
    case diskFull(path: String)
    /// libjpeg refused to encode.
    case encoding(String)

    public var description: String {
        switch self {
        case .badCount(let count):
            "cannot draw \(count) faces: the count must be between 1 and \(SyntheticFaces.maximumCount)"
        case .notEmpty(let path):
            "\(path) is not empty and not a synthetic data set; choose a new folder, or empty this one"
        case .otherSet(let path, let found, let wanted):
            "\(path) holds another synthetic set (\(found)), not \(wanted); choose a new folder, or remove this one"
        case .unwritable(let path, let reason):
            "cannot write \(path): \(reason); choose a folder you may write to"
        case .diskFull(let path):
            "no space left while writing \(path); free some space and run the same command again"
        case .encoding(let reason):
            "cannot encode a drawn face as JPEG: \(reason)"
        }
    }

    /// The error for `errno` after a failed call on `path`.
    static func system(_ code: Int32, _ path: String) -> SyntheticFacesError {
        code == ENOSPC || code == EDQUOT ? .diskFull(path: path) : .unwritable(path: path, reason: String(cString: strerror(code)))
    }
}
