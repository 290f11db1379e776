// data synthesize | records; verify, inspect, pack and bench have files of their own
import ArgumentParser
import FaceData
import Fairness
import Foundation
import Inference

struct DataCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "data", abstract: "Make, check, look at, pack, decode and list data sets.",
        subcommands: [
            Synthesize.self, VerifyCommand.self, DataInspectCommand.self, PackCommand.self, DataDecodeCommand.self, Records.self,
            DataBenchCommand.self,
        ])
}

extension SyntheticFaces.Layout: ExpressibleByArgument {}

extension DataCommand {
    struct Synthesize: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Draw faces as JPEG files in CelebA's or FairFace's exact layout, labels included.",
            discussion: "The same count and seed give the same bytes. The folder says in SYNTHETIC.md what it is.")

        @Argument(help: ArgumentHelp("Folder to make; must be empty or absent.", valueName: "dir"))
        var folder: String
        @Option(help: "Whose layout.")
        var layout = SyntheticFaces.Layout.celeba
        @Option(help: "Number of faces.")
        var count = 4000
        @Option(help: "Seed of everything drawn.")
        var seed: UInt64 = 1
        @Option(name: [.short, .long], help: "Threads that draw (default: one per core).")
        var workers: Int?
        @OptionGroup var printing: OutputArguments

        func validate() throws {
            guard count >= 1 else { throw ValidationError("--count \(count): must be at least 1") }
            if let workers, workers < 1 { throw ValidationError("--workers \(workers): must be at least 1") }
        }

        func run() throws {
            let url = URL(fileURLWithPath: folder)
            let start = ContinuousClock.now
            let showsBar = !printing.quiet && isatty(STDERR_FILENO) == 1
            try SyntheticFaces.write(
                to: url, layout: layout, count: count, seed: seed,
                workers: workers ?? ProcessInfo.processInfo.activeProcessorCount
            ) { done in
                if showsBar, done % 50 == 0 || done == count {
                    FileHandle.standardError.write(Data("\r\(done)/\(count) faces\(done == count ? "\n" : "")".utf8))
                }
            }
            let seconds = (ContinuousClock.now - start) / .seconds(1)
            switch printing.format {
            case .json:
                try Console.json(
                    SynthesisSummary(folder: url.path, layout: layout.rawValue, count: count, seed: seed, synthetic: true, seconds: seconds))
            case .human:
                Console.output("\(count) synthetic faces in \(layout.rawValue) layout at \(url.path)")
            }
        }
    }

    struct Records: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Print a split as NDJSON records (id, image, group, label) for 'infer --stream'.")

        @Argument(help: "celeba, fairface or folder.")
        var dataset: DatasetName
        @OptionGroup(title: "Data") var data: DataArguments
        @Option(help: "train, valid or test.")
        var split = Split.test

        func run() throws {
            let dataset = try data.load(dataset)
            let features = SensitiveFeatures(dataset.features.map { .init(name: $0.name, values: $0.values) })
            let encoder = JSONEncoder()
            encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
            var text = Data()
            for sample in dataset.samples(split) {
                let record = SampleRecord(
                    id: sample.name, image: sample.file,
                    group: sample.group == unknownGroup ? nil : features.label(sample.group), label: sample.label)
                text.append(try encoder.encode(record))
                text.append(UInt8(ascii: "\n"))
            }
            FileHandle.standardOutput.write(text)
        }
    }
}

private struct SynthesisSummary: Encodable {
    let folder: String, layout: String
    let count: Int
    let seed: UInt64
    let synthetic: Bool
    let seconds: Double
}

private struct SampleRecord: Encodable {
    let id: String, image: String
    let group: String?
    let label: Int?
}
