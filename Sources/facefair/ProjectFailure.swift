// Errors of the record commands as exit codes of sysexits.h, with one line on stderr.
import ArgumentParser
import Fairness
import Inference

/// Runs `body`; a typed error becomes `facefair: error: …` and its exit code, a reader that has gone becomes success.
func withExitCodes(_ body: () throws -> Void) throws {
    do { try body() } catch let error as FileError {
        let code: Int32
        switch error.kind {
        case .closedPipe: return
        case .missing: code = 66
        case .permission: code = 77
        case .cannotCreate: code = 73
        case .io: code = 74
        }
        try fail("\(error)", code)
    } catch let error as ScoreTableError {
        try fail("\(error)", 65)
    } catch let error as FairnessError {
        try fail("\(error)", 65)
    }
}

private func fail(_ message: String, _ code: Int32) throws -> Never {
    printError("facefair: error: \(message)\n")
    throw ExitCode(code)
}
