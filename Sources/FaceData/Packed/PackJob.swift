// data pack: decodes a data set once into one file that training maps.
import Foundation
import TensorCore

public struct PackSettings: Sendable {
    public var imageSize: Int
    public var interpolation = Interpolation.bilinear
    public var limits = ImageLimits()
    /// Threads that decode.
    public var workers = 2
    /// Refused images that are tolerated; nil allows any number.
    public var maxErrors: Int?
    /// Replace what is at the output path, and start anew where an unfinished file lies.
    public var replaces = false

    public init(imageSize: Int) { self.imageSize = imageSize }
}

/// How far a pack has come.
public struct PackProgress: Sendable {
    public let done: Int
    public let total: Int
    /// Rows that an earlier, interrupted process had packed.
    public let resumed: Int
    public let refused: Int
}

public struct PackSummary: Encodable, Equatable, Sendable {
    public enum Status: String, Encodable, Sendable {
        case packed
        /// The file was there, made of the same data with the same settings.
        case unchanged
        /// Stopped; the same command goes on.
        case interrupted
    }

    public let status: Status
    public let output: String
    public let layout: String
    public let synthetic: Bool
    public let imageSize: Int
    public let images: Int
    public let refused: Int
    /// Images that a lenient decoder accepted with warnings.
    public let accepted: Int
    /// Rows taken over from an interrupted process.
    public let resumed: Int
    /// Columns of a folder that can be neither target nor feature.
    public let leftOut: [String]
    public let bytes: Int
    /// The list of refused images and of those accepted with warnings, where there are any.
    public let badImages: String?
    public let sourceSha256: String
    /// The most memory that was resident. Units: 10⁶ bytes.
    public let peakMemoryMb: Double
}

public struct PackJob {
    private let table: LabelTable
    private let leftOut: [String]
    private let output: URL
    private let settings: PackSettings
    private let description: PackedDescription

    public var isSynthetic: Bool { table.isSynthetic }
    public var rows: Int { table.names.count }

    /// Reads the labels and looks at every image's size.
    ///
    /// Errors: ``DatasetError``.
    public init(_ layout: DatasetLayout, root: URL, output: URL, settings: PackSettings) throws(DatasetError) {
        var leftOut: [String] = []
        let table = try LabelTable.readAll(layout, root: root, leftOut: &leftOut)
        guard !table.names.isEmpty, table.names.count <= Int(Int32.max) else {
            throw .malformed(
                file: root.path, row: nil, reason: "the label files list \(table.names.count) images", help: layout.guide.help)
        }
        if let name = table.names.first(where: { $0.utf8.contains(0) }) {
            throw .malformed(file: root.path, row: nil, reason: "the file name '\(name)' holds a zero byte", help: "Rename the file.")
        }
        self.table = table
        self.leftOut = leftOut
        self.output = output
        self.settings = settings
        description = PackedDescription(
            layout: layout, synthetic: table.isSynthetic,
            preprocessing: PackedPreprocessing(
                imageSize: settings.imageSize, interpolation: settings.interpolation, limits: settings.limits),
            columns: table.declarations.map(PackedDescription.Column.init), rows: table.names.count,
            sourceSHA256: try table.sourceDigest(), imagesSHA256: String(repeating: "0", count: 64))
    }

    /// Packs, or goes on where an earlier process was interrupted.
    ///
    /// - `shouldStop`: asked after every few images; what is done stays for the next call.
    /// Errors: ``PackError``, ``DatasetError``, ``TooManyBadImages``.
    public func run(shouldStop: () -> Bool = { false }, progress: (PackProgress) -> Void = { _ in }) throws -> PackSummary {
        if let summary = try existing() { return summary }
        let frame = try PackFrame(description, names: table.names)
        let plan = PackPartial.Plan(
            sourceSHA256: description.sourceSHA256, preprocessing: description.preprocessing, rows: rows, imageOffset: frame.imageOffset)
        let partial = try PackPartial(output: output, plan: plan, startAnew: settings.replaces)
        let resumed = partial.rows
        func tell() {
            progress(PackProgress(done: partial.rows, total: rows, resumed: resumed, refused: partial.refused.count))
        }
        func summary(_ status: PackSummary.Status, bytes: Int) -> PackSummary {
            PackSummary(
                status: status, output: output.path, layout: table.layout.rawValue, synthetic: table.isSynthetic,
                imageSize: settings.imageSize, images: partial.kept, refused: partial.refused.count,
                accepted: partial.accepted.count, resumed: resumed, leftOut: leftOut, bytes: bytes,
                badImages: partial.refused.isEmpty && partial.accepted.isEmpty ? nil : badImagesURL.path, sourceSha256: description.sourceSHA256,
                peakMemoryMb: Double(ProcessMemory.peakBytes) / 1e6)
        }
        try checkErrors(partial)
        tell()
        guard try decode(into: partial, shouldStop: shouldStop, tell: tell) else {
            try writeBadImages(partial)
            return summary(.interrupted, bytes: 0)
        }
        try writeBadImages(partial)
        let (head, tail) = try frame.parts(table, refused: partial.refused, imagesSHA256: partial.digest.finish())
        try partial.finish(head: head, tail: tail)
        let imageBytes = settings.imageSize * settings.imageSize * 3
        return summary(.packed, bytes: head.count + partial.kept * imageBytes + tail.count)
    }

    /// Beside the output: celeba64.bad_images.jsonl.
    private var badImagesURL: URL { output.deletingPathExtension().appendingPathExtension("bad_images.jsonl") }

    /// What is at the output path: nothing, the same pack, or something else, which is an error.
    private func existing() throws -> PackSummary? {
        guard !settings.replaces, FileManager.default.fileExists(atPath: output.path) else { return nil }
        let packed: PackedImages
        do { packed = try PackedImages(output) } catch {
            throw PackError.wouldOverwrite(path: output.path, reason: "something that is no packed data set is there")
        }
        guard packed.description.sourceSHA256 == description.sourceSHA256, packed.preprocessing == description.preprocessing else {
            throw PackError.wouldOverwrite(
                path: output.path,
                reason: packed.preprocessing.mismatch(
                    imageSize: settings.imageSize, interpolation: settings.interpolation, limits: settings.limits)?.reason
                    ?? (packed.preprocessing == description.preprocessing
                        ? "it was packed from other labels or images" : "it was packed with other --max-image limits"))
        }
        let bytes = (try? FileManager.default.attributesOfItem(atPath: output.path)[.size] as? Int) ?? 0
        return PackSummary(
            status: .unchanged, output: output.path, layout: table.layout.rawValue, synthetic: table.isSynthetic,
            imageSize: settings.imageSize, images: packed.count, refused: packed.refusedCount, accepted: 0, resumed: 0, leftOut: leftOut, bytes: bytes,
            badImages: nil, sourceSha256: description.sourceSHA256,
            peakMemoryMb: Double(ProcessMemory.peakBytes) / 1e6)
    }

    // MARK: Decoding

    /// Units: bytes of pixels in one stretch.
    private static let stretchBytes = 4 << 20
    private static let stretchesAhead = 3

    /// False if stopped on the way. Workers decode the next stretches while this thread writes one.
    private func decode(into partial: PackPartial, shouldStop: () -> Bool, tell: () -> Void) throws -> Bool {
        let samples = (0..<rows).map { FaceSample(folder: table.folder, name: table.names[$0], label: nil, group: -1) }
        let transform = FaceTransform(imageSize: settings.imageSize, interpolation: settings.interpolation)
        let pool = LoaderPool(
            samples: samples, transform: transform, limits: settings.limits, workers: settings.workers, cacheBytes: 0, output: .bytes)
        pool.start()
        defer { pool.stop() }
        let length = max(1, min(256, Self.stretchBytes / transform.byteCount))
        var next = partial.rows
        var slots: [LoaderSlot] = []
        while partial.rows < rows {
            while slots.count < Self.stretchesAhead && next < rows {
                slots.append(pool.load(Array(next..<min(next + length, rows))))
                next += length
            }
            let slot = slots.removeFirst()
            let errors = slot.wait()
            try add(slot, errors, transform.byteCount, to: partial)
            try checkErrors(partial)
            tell()
            if shouldStop() && partial.rows < rows { return false }
        }
        return true
    }

    private func add(_ slot: LoaderSlot, _ errors: [Int: ImageError], _ imageBytes: Int, to partial: PackPartial) throws {
        var kept = 0
        var refused: [PackedRefusal] = []
        let accepted = slot.warnings.sorted { $0.key < $1.key }.map { position, warning in
            PackPartial.Accepted(file: table.names[slot.indices[position]], warnings: warning.count, first: warning.first)
        }
        for position in slot.indices.indices {
            let row = slot.indices[position]
            if let error = errors[position] {
                refused.append(
                    PackedRefusal(
                        fileID: row, file: table.names[row], code: error.code, message: error.detail,
                        labels: table.codes.map { Int($0[row]) }, split: table.given[row]?.packedCode ?? PackedDescription.noSplit))
            } else {
                if kept != position {
                    (slot.bytes + kept * imageBytes).update(from: slot.bytes + position * imageBytes, count: imageBytes)
                }
                kept += 1
            }
        }
        try withExtendedLifetime(slot) {
            try partial.add(
                rows: slot.indices.count, images: UnsafeRawBufferPointer(start: slot.bytes, count: kept * imageBytes), refused: refused,
                accepted: accepted)
        }
    }

    private func checkErrors(_ partial: PackPartial) throws {
        guard let limit = settings.maxErrors, partial.refused.count > limit, let last = partial.refused.last else { return }
        try writeBadImages(partial)
        throw TooManyBadImages(
            count: partial.refused.count, limit: limit,
            last: ImageError(code: last.code, name: "\(table.folder)/\(last.file)", detail: last.message))
    }

    private func writeBadImages(_ partial: PackPartial) throws {
        guard !partial.refused.isEmpty || !partial.accepted.isEmpty else {
            unlink(badImagesURL.path)
            return
        }
        let log = BadImageLog()
        for refusal in partial.refused {
            log.add(ImageError(code: refusal.code, name: "\(table.folder)/\(refusal.file)", detail: refusal.message))
        }
        for warning in partial.accepted {
            log.add(ImageWarning(name: "\(table.folder)/\(warning.file)", count: warning.warnings, first: warning.first))
        }
        try log.write(to: badImagesURL)
    }
}
