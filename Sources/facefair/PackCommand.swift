// data pack: a data set decoded once, in one file
import ArgumentParser
import FaceData
import Foundation
import TensorCore

struct PackCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "pack",
        abstract: "Decode a data set once into one file that 'train' and 'evaluate' map: same batches, no decoding.",
        discussion: """
            Writes a safetensors file (images U8 [N,S,S,3], labels of every column, names, splits; see docs/data.md) for --data of \
            'train' and 'evaluate'. Size: N x S x S x 3 bytes, 2.5 GB for CelebA at 64 px. Until it is whole it is called \
            FILE.partial; the same command goes on where an interrupted one stopped. An image that cannot be decoded is left out and \
            listed in bad_images.jsonl beside the file. Exit codes: 0 packed, or unchanged since the last time; 2 packed without some \
            images; 65 bad labels, more than --max-errors images, or an unfinished file of other data; 73 another file is there. \
            With --format json, stdout gets one object: status (packed, unchanged, interrupted), output, layout, synthetic, \
            image_size, images, refused, accepted (with decoder warnings, --lenient-images), resumed, left_out, bytes, bad_images, \
            source_sha256, peak_memory_mb.
            """)

    @Argument(help: "celeba, fairface or folder.")
    var layout: DatasetName
    @Argument(help: ArgumentHelp("Folder of the data set.", valueName: "dir"))
    var folder: String
    @Option(name: [.short, .long], help: ArgumentHelp("File to write, such as celeba64.safetensors.", valueName: "file"))
    var output: String
    @Option(help: "Side to which images are resized, in pixels.")
    var imgSize: Int
    @Option(help: "How images are resized.")
    var interpolation = Interpolation.bilinear
    @Option(name: [.customShort("j"), .long], help: "Threads that decode (default: one per core).")
    var workers: Int?
    @Option(help: "Refused images that are tolerated before the command gives up (default: any number).")
    var maxErrors: Int?
    @Flag(help: "Replace a file that is there, and start anew instead of going on with an unfinished one.")
    var existOk = false
    @OptionGroup(title: "Images") var images: ImageArguments
    @OptionGroup var printing: OutputArguments
    @Flag(help: "No progress bar.")
    var noProgress = false

    func validate() throws {
        guard (1...4096).contains(imgSize) else { throw ValidationError("--img-size \(imgSize): must be 1 to 4096") }
        if let workers, workers < 1 { throw ValidationError("--workers \(workers): must be at least 1") }
        if let maxErrors, maxErrors < 0 { throw ValidationError("--max-errors \(maxErrors): must be at least 0") }
        guard output.hasSuffix(".safetensors") else { throw ValidationError("--output \(output): must end in .safetensors") }
    }

    func run() throws {
        var settings = PackSettings(imageSize: imgSize)
        settings.workers = workers ?? ProcessInfo.processInfo.activeProcessorCount
        settings.maxErrors = maxErrors
        settings.replaces = existOk
        settings.limits = images.limits
        settings.interpolation = interpolation
        let job = try PackJob(layout, root: URL(fileURLWithPath: folder), output: URL(fileURLWithPath: output), settings: settings)
        Interruption.install()
        var progress = RateProgress(what: "images", isQuiet: printing.quiet, showsBar: !noProgress)
        let summary = try job.run(shouldStop: { Interruption.isRequested }) { state in
            if state.resumed > 0, state.done == state.resumed { progress.note("going on after \(state.resumed) of \(state.total) rows") }
            progress.show(done: state.done, total: state.total, from: state.resumed)
        }
        progress.end()
        if !summary.leftOut.isEmpty {
            printing.note("left out, as neither target nor feature: \(summary.leftOut.joined(separator: ", "))")
        }
        if let log = summary.badImages {
            if summary.refused > 0 { printing.note("\(summary.refused) images could not be decoded and are left out; see \(log)") }
            if summary.accepted > 0 { printing.note("\(summary.accepted) images were accepted with decoder warnings (--lenient-images); see \(log)") }
        }
        switch printing.format {
        case .json: try Console.json(summary)
        case .human: Console.output(text(summary))
        }
        if summary.status == .interrupted { throw ExitCode(Interruption.exitCode) }
        if summary.refused > 0 { throw ExitCode(ExitStatus.someInputsFailed.rawValue) }
    }

    private func text(_ summary: PackSummary) -> String {
        let kind = summary.synthetic ? "SYNTHETIC \(summary.layout)" : summary.layout
        let images = "\(summary.images) images of \(kind) at \(summary.imageSize) px"
        return switch summary.status {
        case .packed: "packed \(images), \(summary.bytes) bytes: \(summary.output)"
        case .unchanged: "unchanged, \(images): \(summary.output)"
        case .interrupted: "interrupted after \(summary.images) images; the same command goes on"
        }
    }
}
