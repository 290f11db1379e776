// data decode: what the network would see of image files, before normalisation, or why a file is refused
import ArgumentParser
import FaceData
import Foundation
import TensorCore

struct DataDecodeCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "decode",
        abstract: "Decode image files as training and serving do, say what was done, and write the pixels as PNG.",
        discussion: """
            --format json prints one object: files [path, status ok | error, and for ok: format, width, height, conversions, output; \
            for error: code, message], summary {files, decoded, refused, warned}. A file that --lenient-images accepted has warnings \
            and warning. Exit code 2 when files were refused, 65 when more than --max-errors were.

            --benchmark decodes all files to normalised floats again and again, on one thread, and prints images per second. \
            Sizes, limits, conversions and codes: docs/images.md.
            """)

    @Argument(help: ArgumentHelp("Image files.", valueName: "files"))
    var files: [String]
    @Option(name: [.short, .long], help: ArgumentHelp("Folder for the PNG files; made if absent. Default: none are written.", valueName: "dir"))
    var output: String?
    @Flag(help: "Write into a folder that is not empty.")
    var existOk = false
    @Option(help: "Resize to a square of this side, in pixels. Default: the image's own size.")
    var imgSize: Int?
    @Option(help: "How --img-size resizes.")
    var interpolation = Interpolation.bilinear
    @Option(help: "Refused files that are tolerated before the command gives up (default: any number).")
    var maxErrors: Int?
    @Option(help: ArgumentHelp("Measure: passes over the files. Needs --img-size; nothing is written.", valueName: "passes"))
    var benchmark: Int?
    @OptionGroup(title: "Images") var images: ImageArguments
    @OptionGroup var printing: OutputArguments

    func validate() throws {
        if let imgSize, imgSize < 1 || imgSize > images.maxImageSide {
            throw ValidationError("--img-size \(imgSize): must lie between 1 and --max-image-side \(images.maxImageSide)")
        }
        if let maxErrors, maxErrors < 0 { throw ValidationError("--max-errors \(maxErrors): must be at least 0") }
        if let benchmark {
            guard benchmark >= 1 else { throw ValidationError("--benchmark \(benchmark): must be at least 1 pass") }
            guard imgSize != nil else { throw ValidationError("--benchmark needs --img-size") }
            guard output == nil else { throw ValidationError("--benchmark writes nothing; leave --output out") }
        }
    }

    func run() throws {
        if let benchmark { return try measure(passes: benchmark, size: imgSize!) }
        let folder = try output.map(prepare)
        let decoder = ImageDecoder(limits: images.limits)
        var names = OutputNames()
        var reports: [Report] = []
        var refused = 0
        for file in files {
            let report = try decode(file, decoder, folder, &names)
            if report.status == "error" { refused += 1 }
            if printing.format == .human { Console.output(report.line) }
            reports.append(report)
            if let maxErrors, refused > maxErrors {
                throw Failure(
                    .badData, "\(refused) images refused, \(maxErrors) are allowed (--max-errors). The last one: \(report.message ?? file)")
            }
        }
        let summary = Summary(
            files: files.count, decoded: files.count - refused, refused: refused, warned: reports.count { $0.warnings != nil })
        switch printing.format {
        case .json: try Console.json(Reports(files: reports, summary: summary))
        case .human:
            printing.note("\(summary.decoded) decoded, \(refused) refused\(summary.warned > 0 ? ", \(summary.warned) accepted with warnings" : "")")
        }
        if refused > 0 { throw ExitCode(ExitStatus.someInputsFailed.rawValue) }
    }

    private func decode(_ file: String, _ decoder: ImageDecoder, _ folder: URL?, _ names: inout OutputNames) throws -> Report {
        var report = Report(path: file)
        let image: PixelImage
        do throws(ImageError) {
            image = try pixels(file, decoder)
        } catch {
            report.refuse(error)
            return report
        }
        if let header = decoder.lastHeader { report.describe(header, image) }
        report.warnings = decoder.lastWarning?.count
        report.warning = decoder.lastWarning?.first
        guard let folder else { return report }
        let target = folder.appendingPathComponent(names.next(for: file))
        do { try image.pngData().write(to: target, options: .atomic) } catch {
            throw Failure(.ioError, "\(target.path): cannot be written: \(error.localizedDescription)")
        }
        report.output = target.path
        return report
    }

    private func pixels(_ file: String, _ decoder: ImageDecoder) throws(ImageError) -> PixelImage {
        guard let imgSize else { return try decoder.decode(path: file) }
        var pixels = [UInt8](repeating: 0, count: imgSize * imgSize * 3)
        try decoder.decode(path: file, size: imgSize, interpolation: interpolation, into: &pixels)
        return PixelImage(width: imgSize, height: imgSize, pixels: pixels)
    }

    /// Errors: 73 where something else has the name or the folder has files.
    private func prepare(_ path: String) throws -> URL {
        let url = URL(fileURLWithPath: path)
        do { try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true) } catch {
            throw Failure(.cannotCreate, "--output \(path): \(error.localizedDescription)")
        }
        let found = try FileManager.default.contentsOfDirectory(atPath: path)
        guard existOk || found.isEmpty else {
            throw Failure(.cannotCreate, "--output \(path): the folder is not empty; --exist-ok writes into it, over files of the same name")
        }
        return url
    }

    private func measure(passes: Int, size: Int) throws {
        let decoder = ImageDecoder(limits: images.limits)
        let transform = FaceTransform(imageSize: size, interpolation: interpolation)
        var pixels = [Float](repeating: 0, count: transform.byteCount)
        var rates: [Double] = []
        for pass in 0...passes {  // the first one warms up
            let start = ContinuousClock.now
            for file in files { try decoder.decode(path: file, transform: transform, into: &pixels) }
            if pass > 0 { rates.append(Double(files.count) / ((ContinuousClock.now - start) / .seconds(1))) }
        }
        let median = rates.sorted()[rates.count / 2]
        switch printing.format {
        case .json: try Console.json(Rates(images: files.count, imgSize: size, passes: rates, imagesPerSecond: median))
        case .human: Console.output("\(Int(median)) images/s (median of \(passes) passes over \(files.count) files, one thread, to \(size)×\(size))")
        }
    }
}

/// Names of the written files: the input's own with .png; a number where two inputs share one.
private struct OutputNames {
    private var used: Set<String> = []

    mutating func next(for file: String) -> String {
        let stem = URL(fileURLWithPath: file).deletingPathExtension().lastPathComponent
        var name = stem + ".png"
        var number = 2
        while !used.insert(name).inserted {
            name = "\(stem)-\(number).png"
            number += 1
        }
        return name
    }
}

private struct Report: Encodable {
    let path: String
    var status = "ok"
    var format: ImageHeader.Format?
    var width: Int?
    var height: Int?
    var colour: ImageHeader.Colour?
    var bits: Int?
    var conversions: [String]?
    var warnings: Int?
    var warning: String?
    var output: String?
    var code: ImageErrorCode?
    var message: String?

    init(path: String) { self.path = path }

    mutating func describe(_ header: ImageHeader, _ image: PixelImage) {
        format = header.format
        width = header.width
        height = header.height
        colour = header.colour
        bits = header.bitsPerChannel
        conversions = header.conversions
        if (image.width, image.height) != (header.width, header.height) { conversions?.append("resized to \(image.width)×\(image.height)") }
    }

    mutating func refuse(_ error: ImageError) {
        status = "error"
        code = error.code
        message = error.description
    }

    var line: String {
        if let code { return "error  \(code.rawValue): \(message ?? path)" }
        let size = "\(width ?? 0)×\(height ?? 0)"
        let steps = (conversions ?? []).isEmpty ? "" : ": " + conversions!.joined(separator: ", ")
        let forgiven = warnings.map { "; \($0) decoder warning\($0 == 1 ? "" : "s") accepted: \(warning ?? "")" } ?? ""
        return "ok     \(path): \(format?.rawValue ?? "") \(size)\(steps)\(forgiven)"
    }
}

private struct Reports: Encodable {
    let files: [Report]
    let summary: Summary
}

private struct Summary: Encodable {
    let files: Int, decoded: Int, refused: Int, warned: Int
}

private struct Rates: Encodable {
    let images: Int, imgSize: Int
    let passes: [Double]
    let imagesPerSecond: Double
}
