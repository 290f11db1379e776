// data verify: is this data set what it claims to be, file by file?
import ArgumentParser
import FaceData
import Foundation

struct VerifyCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "verify",
        abstract: "Check a data set: labels, splits, published checksums, and the header of every image.",
        discussion: """
            Prints what is wrong, file by file: missing and unreadable images, web pages and Git LFS pointers saved in place of a \
            file, malformed lines of label files (then no image is looked at), rows listed twice, splits and MD5 sums that are not \
            the published ones. Images that no label file lists are warnings. PATH may be a file made by 'data pack': its structure \
            and the SHA-256 of its pixels are checked. Exit codes: 0 nothing wrong (there may be warnings), 65 something is, \
            66 the folder, a label file or the image folder is missing. With --format json, stdout gets one object: layout, path, \
            synthetic, ok, listed, usable, decoded, splits, checksums [{file, md5, published, is_published}], problems and warnings \
            [{file, code, message}].
            """)

    @Argument(help: "celeba, fairface or folder.")
    var layout: DatasetName
    @Argument(help: ArgumentHelp("Folder of the data set, or a packed file.", valueName: "path"))
    var path: String
    @Flag(help: "Decode every image whole, not only its header.")
    var decode = false
    @Option(help: ArgumentHelp("Also check that this packed file was made of the folder as it is now.", valueName: "file"))
    var packed: String?
    @Option(name: [.customShort("j"), .long], help: "Threads that read images (default: one per core).")
    var workers: Int?
    @OptionGroup(title: "Images") var images: ImageArguments
    @OptionGroup var printing: OutputArguments
    @Flag(help: "No progress bar.")
    var noProgress = false

    func validate() throws {
        if let workers, workers < 1 { throw ValidationError("--workers \(workers): must be at least 1") }
    }

    func run() throws {
        var verifier = DatasetVerifier()
        verifier.decodes = decode
        verifier.limits = images.limits
        verifier.workers = workers ?? ProcessInfo.processInfo.activeProcessorCount
        verifier.packed = packed.map { URL(fileURLWithPath: $0) }
        var progress = RateProgress(what: "images", isQuiet: printing.quiet, showsBar: !noProgress)
        let check = try verifier.check(layout, at: URL(fileURLWithPath: path)) { progress.show(done: $0, total: $1) }
        progress.end()
        switch printing.format {
        case .json: try Console.json(check)
        case .human: Console.output(text(check))
        }
        if !check.ok { throw ExitCode(ExitStatus.badData.rawValue) }
    }

    private func text(_ check: DatasetCheck) -> String {
        let splits = check.splits.sorted { $0.key < $1.key }.map { "\($0.key) \($0.value)" }.joined(separator: ", ")
        var lines = [
            "\(check.synthetic ? "SYNTHETIC " : "")\(check.layout) at \(check.path): \(check.listed) images listed"
                + (splits.isEmpty ? "" : " (\(splits))") + ", \(check.usable) \(check.decoded ? "decoded" : "with a good header")"
        ]
        for sum in check.checksums { lines.append("\(sum.file): MD5 \(sum.md5), \(sum.isPublished ? "as published" : "NOT as published")") }
        for finding in check.problems { lines.append("problem: \(finding.file): \(finding.message) (\(finding.code))") }
        for finding in check.warnings { lines.append("warning: \(finding.file): \(finding.message) (\(finding.code))") }
        func count(_ number: Int, _ what: String) -> String { "\(number) \(what)\(number == 1 ? "" : "s")" }
        lines.append(
            (check.ok ? "ok" : count(check.problems.count, "problem"))
                + (check.warnings.isEmpty ? "" : ", \(count(check.warnings.count, "warning"))"))
        return lines.joined(separator: "\n")
    }
}
