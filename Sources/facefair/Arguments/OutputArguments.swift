// How a reporting command prints its results.
import ArgumentParser

enum OutputFormat: String, ExpressibleByArgument, CaseIterable { case human, json }

struct OutputArguments: ParsableArguments {
    @OptionGroup var configuration: ConfigurationArguments
    @Option(help: "How results are printed on stdout: a table, or one JSON object.")
    var format = OutputFormat.human

    @Flag(help: "Print errors only, no notes and no progress, on stderr.")
    var quiet = false

    /// A line for the reader on stderr, unless --quiet.
    func note(_ line: String) {
        if !quiet { Console.note(line) }
    }
}
