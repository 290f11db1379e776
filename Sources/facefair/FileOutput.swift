// Whole files that a command writes on request.
import Foundation
import NeuralNetwork

enum FileOutput {
    /// Atomic; a failure names the path and exits 73 or 74.
    static func write(_ data: Data, to path: String) throws {
        do { try AtomicFile.write(data, to: URL(fileURLWithPath: path)) } catch let error as AtomicFile.Failure {
            let cannotCreate = [ENOENT, EACCES, ENOTDIR, EISDIR, EROFS].contains(error.code)
            throw Failure(cannotCreate ? .cannotCreate : .ioError, error.description)
        }
    }
}
