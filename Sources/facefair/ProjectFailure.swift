// Errors of the record commands as exit codes of sysexits.h.
import ArgumentParser
import Inference

/// Runs `body`; a typed error of Inference leaves as a ``Failure``, a reader that has gone as success.
func withExitCodes(_ body: () throws -> Void) throws {
    do { try body() } catch let error as FileError {
        switch error.kind {
        case .closedPipe: return
        case .missing: throw Failure(.inputMissing, error.description)
        case .cannotCreate: throw Failure(.cannotCreate, error.description)
        case .io: throw Failure(.ioError, error.description)
        case .permission:
            Console.error("facefair: error: \(error)")
            throw ExitCode(77)
        }
    } catch let error as ScoreTableError {
        throw Failure(.badData, error.description)
    }
}
