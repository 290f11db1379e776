import ArgumentParser

@main
struct FacefairCommand: ParsableCommand {
    static let configuration = CommandConfiguration(commandName: "facefair", abstract: "Train face-attribute classifiers whose group fairness is guaranteed.", subcommands: [ProjectCommand.self])
}
