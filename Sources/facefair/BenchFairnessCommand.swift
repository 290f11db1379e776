// bench fairness
import ArgumentParser
import Fairness
import Foundation
import Inference
import Reporting
import Training

struct BenchFairnessCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "fairness",
        abstract: "Measure the fairness layer and the online algorithms by themselves.",
        discussion: """
            Microseconds, medians over rounds, one thread: the layer forward and backward, and one batch of each online algorithm with its \
            state in memory. With --format json, stdout gets one object: epsilon, layers [{rows, groups, microseconds}], online [{algorithm, \
            batch, groups, microseconds}]. tools/bench_fairness.py runs it beside cvxpylayers.

            --scores writes the table that the layer with so many rows is timed on, for 'facefair project' and for comparisons, and \
            measures nothing.
            """)

    @Option(help: "Rounds whose median is printed.")
    var rounds = 15
    @Option(help: ArgumentHelp("Write the table of so many rows, and stop.", valueName: "rows"))
    var scores: Int?
    @OptionGroup var printing: OutputArguments

    func validate() throws {
        guard rounds >= 1 else { throw ValidationError("--rounds \(rounds): must be at least 1") }
        if let scores, scores < 1 { throw ValidationError("--scores \(scores): must be at least 1") }
    }

    func run() throws {
        if let scores {
            let table = FairnessBenchmark.scores(count: scores, groupCount: 14)
            let rows = zip(table.scores, table.groups).enumerated().map { "\($0),\($1.1),\($1.0)\n" }
            return try ByteFiles.write(Array(("id,group,logit\n" + rows.joined()).utf8), to: STDOUT_FILENO, name: "standard output")
        }
        let result = try FairnessBenchmark.measure(repeats: rounds)
        guard printing.format == .human else { return try Console.json(result) }
        var table = Table(
            title: "epsilon \(result.epsilon), \(rounds) rounds", [.init("what", .left), .init("rows"), .init("groups"), .init("microseconds")])
        for layer in result.layers {
            table.append(["layer, forward and backward", "\(layer.rows)", "\(layer.groups)", String(format: "%.2f", layer.microseconds)])
        }
        for step in result.online {
            table.append(["\(step.algorithm.rawValue), one batch", "\(step.batch)", "\(step.groups)", String(format: "%.2f", step.microseconds)])
        }
        Console.output(table.text)
    }
}
