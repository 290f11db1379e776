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
            65 bad data; 66 input missing; 73 will not overwrite; 74 I/O error; 75 busy, try again; 77 not permitted; 78 bad \
            configuration; 130/143 interrupted after saving. Every flag can also be set by a variable, FACEFAIR_BATCH_SIZE for \
            --batch-size, or by a line of a --config file; flags count most.
            """,
        version: "facefair 0.1.0",
        subcommands: [
            TrainCommand.self, EvaluateCommand.self, InferCommand.self, ProjectCommand.self, AuditCommand.self, ReportCommand.self,
            ExperimentCommand.self, DataCommand.self, InspectCommand.self, BenchCommand.self,
        ])
}

@main
enum Main {
    static func main() {
        signal(SIGXFSZ, SIG_IGN)  // a file that may not grow further is an error with a message, not the end of the process
        do {
            let arguments = try ConfigurationLayers.expand(
                Array(CommandLine.arguments.dropFirst()), environment: ProcessInfo.processInfo.environment)
            var command = try FacefairCommand.parseAsRoot(arguments)
            try command.run()
        } catch {
            guard let failure = Failure(error) else { FacefairCommand.exit(withError: error) }
            // A reader that has gone, as in `| head`, is no failure.
            if failure.status != .success { Console.error("facefair: error: \(failure.message)") }
            exit(failure.status.rawValue)
        }
    }
}
