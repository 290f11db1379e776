// The root command: its subcommands, and how errors leave the process.
import ArgumentParser
import Foundation
import TensorCore

struct FacefairCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "facefair",
        abstract: "Train face-attribute classifiers whose group fairness is guaranteed, and stream their predictions.",
        discussion: """
            Exit codes: 0 success; 1 failed; 2 finished, but some inputs failed; 3 finished, but a gate failed; 64 usage; \
            65 bad data; 66 input missing; 73 will not overwrite; 74 I/O error; 130/143 interrupted after saving.
            """,
        version: "facefair 0.1.0",
        subcommands: [
            TrainCommand.self, EvaluateCommand.self, InferCommand.self, ProjectCommand.self, AuditCommand.self, ExperimentCommand.self,
            DataCommand.self, BenchCommand.self,
        ])
}

@main
enum Main {
    static func main() {
        do {
            var command = try FacefairCommand.parseAsRoot()
            try command.run()
        } catch {
            guard let failure = Failure(error) else { FacefairCommand.exit(withError: error) }
            // A reader that has gone, as in `| head`, is no failure.
            if failure.status != .success { Console.error("facefair: error: \(failure.message)") }
            exit(failure.status.rawValue)
        }
    }
}
