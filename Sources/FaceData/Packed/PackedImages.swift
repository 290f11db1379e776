// A packed data set, opened: checked whole, pixels mapped. PackedDescription.swift says what is in the file.
import Foundation
import TensorCore

/// Where a sample's pixels lie in a packed file.
struct PackedSample: Equatable, Sendable {
    let images: PackedImages
    /// Row of the images, or -1 - k for the k-th refused one.
    let position: Int32

    static func == (a: PackedSample, b: PackedSample) -> Bool { a.images === b.images && a.position == b.position }
}

public final class PackedImages: Sendable {
    public let url: URL
    public var layout: DatasetLayout { description.layout }
    public var preprocessing: PackedPreprocessing { description.preprocessing }
    /// Images that are in the file.
    public let count: Int
    public var refusedCount: Int { refusals.count }
    let description: PackedDescription
    let refusals: [PackedRefusal]
    private let file: SafeTensorsFile
    private nonisolated(unsafe) let pixels: UnsafePointer<UInt8>
    private let imageBytes: Int
    /// Row of the source's list → `PackedSample.position`.
    private let positions: [Int32]

    /// Maps the file and checks everything but the pixels, which may hold any bytes.
    ///
    /// Errors: ``DatasetError`` missing, or malformed with the reason.
    public init(_ url: URL) throws(DatasetError) {
        self.url = url
        let path = url.path
        func reject(_ reason: String) -> DatasetError {
            .malformed(file: path, row: nil, reason: reason, help: "Make it again: facefair data pack LAYOUT DIR --output \(path) --img-size S")
        }
        do { file = try SafeTensorsFile(url) } catch {
            if case SafeTensorsError.missing = error { throw .missing(path: path, help: "Pack a data set first: facefair data pack --help") }
            guard case SafeTensorsError.malformed(_, let reason) = error else { throw reject("\(error)") }
            throw reject("not a usable safetensors file: \(reason)")
        }
        guard let text = file.metadata[PackedDescription.key] else {
            throw reject("this safetensors file is no packed data set: its metadata lacks '\(PackedDescription.key)'")
        }
        do { description = try JSONDecoder().decode(PackedDescription.self, from: Data(text.utf8)) } catch {
            throw reject("its metadata '\(PackedDescription.key)' cannot be read: \(error)")
        }
        if let complaint = description.complaint { throw reject(complaint) }

        let file = file
        let size = description.preprocessing.imageSize
        func entry(_ name: String, _ dtype: String, _ shape: [Int?]) throws(DatasetError) -> SafeTensorsFile.Entry {
            guard let entry = file.entries[name] else { throw reject("the tensor '\(name)' is missing") }
            let fits = entry.shape.count == shape.count && zip(entry.shape, shape).allSatisfy { $1 == nil || $0 == $1 }
            guard entry.dtype == dtype, fits else {
                let expected = shape.map { $0.map { "\($0)" } ?? "any" }.joined(separator: ", ")
                throw reject("'\(name)' is \(entry.dtype) \(entry.shape), expected \(dtype) [\(expected)]")
            }
            return entry
        }
        let images = try entry("images", "U8", [nil, size, size, 3])
        let n = images.shape[0]
        let columns = description.columns.count
        // Read byte by byte: a foreign writer may have put it at any offset.
        let ids = file.bytes(try entry("file_id", "I32", [n]))
        let labels = file.bytes(try entry("labels", "I8", [n, columns]))
        let splits = file.bytes(try entry("split", "U8", [n]))
        let nameBytes = file.bytes(try entry("names", "U8", [nil]))
        count = n
        imageBytes = size * size * 3
        pixels = file.bytes(images).baseAddress!.assumingMemoryBound(to: UInt8.self)

        let lines = file.bytes(try entry("refused", "U8", [nil]))
        var refusals: [PackedRefusal] = []
        for line in lines.split(separator: UInt8(ascii: "\n")) {
            do { refusals.append(try JSONDecoder().decode(PackedRefusal.self, from: Data(line))) } catch {
                throw reject("line \(refusals.count + 1) of 'refused' cannot be read: \(error)")
            }
        }
        self.refusals = refusals
        let rows = description.rows
        guard rows == n + refusals.count, rows <= Int(Int32.max) else {
            throw reject("it claims \(rows) rows, but has \(n) images and \(refusals.count) refused ones")
        }

        var positions = [Int32](repeating: .min, count: rows)
        func place(_ id: Int, _ position: Int32) throws(DatasetError) {
            guard positions.indices.contains(id), positions[id] == .min else { throw reject("file_id \(id) is impossible or stands twice") }
            positions[id] = position
        }
        for row in 0..<n { try place(Int(ids.loadUnaligned(fromByteOffset: 4 * row, as: Int32.self)), Int32(row)) }
        for (index, refusal) in refusals.enumerated() { try place(refusal.fileID, -1 - Int32(index)) }
        self.positions = positions

        for (column, declared) in description.columns.enumerated() {
            let limit = declared.classes.count
            for row in 0..<n {
                let code = Int(Int8(bitPattern: labels[row * columns + column]))
                guard code >= -1, code < limit else { throw reject("row \(row): \(declared.name) is \(code), there are \(limit) classes") }
            }
            for refusal in refusals {
                guard refusal.labels.count == columns, (-1..<limit).contains(refusal.labels[column]) else {
                    throw reject("the labels of the refused \(refusal.file) are impossible")
                }
            }
        }
        for code in splits.map({ $0 }) + refusals.map(\.split) where Split.fromPacked(code) == nil { throw reject("\(code) is no split") }
        let nameCount = nameBytes.lazy.filter { $0 == 0 }.count
        guard nameCount >= n else { throw reject("\(nameCount) names for \(n) images") }
    }

    /// One image. Shape: [imageSize, imageSize, 3].
    func pixels(_ row: Int) -> UnsafePointer<UInt8> { pixels + row * imageBytes }

    func sample(_ row: Int) -> PackedSample { PackedSample(images: self, position: positions[row]) }

    /// Why a refused image was refused; `name` stands in the message.
    func refusal(_ index: Int, name: String) -> ImageError {
        ImageError(code: refusals[index].code, name: name, detail: refusals[index].message)
    }

    /// SHA-256 of the pixels, to compare with what the file says.
    func imagesDigest() -> String {
        var digest = SHA256()
        digest.update(UnsafeRawBufferPointer(start: pixels, count: count * imageBytes))
        return digest.finish()
    }

    /// All rows of the source, those of refused images included.
    func labelTable() throws(DatasetError) -> LabelTable {
        let n = count, columns = description.columns.count
        let labels = file.bytes(file.entries["labels"]!), splits = file.bytes(file.entries["split"]!)
        var kept: [String] = []
        kept.reserveCapacity(n)
        let bytes = file.bytes(file.entries["names"]!)
        var start = 0
        while kept.count < n {
            var end = start
            while bytes[end] != 0 { end += 1 }
            kept.append(String(decoding: bytes[start..<end], as: UTF8.self))
            start = end + 1
        }
        return LabelTable(
            layout: layout, root: url, folder: url.path, labelFiles: [], declarations: description.columns.map(\.declaration),
            codes: (0..<columns).map { column in
                positions.map { position in
                    position >= 0
                        ? Int16(Int8(bitPattern: labels[Int(position) * columns + column]))
                        : Int16(refusals[Int(-1 - position)].labels[column])
                }
            },
            names: positions.map { $0 >= 0 ? kept[Int($0)] : refusals[Int(-1 - $0)].file },
            given: positions.map { Split.fromPacked($0 >= 0 ? splits[Int($0)] : refusals[Int(-1 - $0)].split)! },
            isSynthetic: description.synthetic, packed: self)
    }

    // MARK: As a data set

    /// Opens a packed file as a data set that training and evaluation read like a folder.
    ///
    /// - `layout`: what the caller expects in it.
    /// - `imageSize`: what the network needs; nil accepts any.
    /// - `limits`: how images would be read from a folder; nil accepts any. ``DataLoader`` looks at it, too.
    ///
    /// Errors: ``DatasetError``: malformed when the file does not hold what is asked for.
    public static func load(
        _ url: URL, layout: DatasetLayout, imageSize: Int? = nil, limits: ImageLimits? = nil, target: String? = nil,
        groupBy: [String]? = nil
    ) throws(DatasetError) -> FaceDataset {
        let packed = try PackedImages(url)
        guard packed.layout == layout else {
            throw .malformed(
                file: url.path, row: nil, reason: "this is a packed \(packed.layout.rawValue) data set, not \(layout.rawValue)",
                help: "Name '\(packed.layout.rawValue)' on the command line, or another file.")
        }
        try packed.require(imageSize: imageSize, interpolation: nil, limits: limits)
        let table = try packed.labelTable()
        return try table.dataset(target: target, groupBy: groupBy) { reason in
            .malformed(file: url.path, row: nil, reason: reason, help: "If the label files have it by now, pack them again.")
        }
    }

    /// Refuses what would not give the batches that the images themselves would.
    func require(imageSize: Int?, interpolation: Interpolation?, limits: ImageLimits?) throws(DatasetError) {
        guard let mismatch = preprocessing.mismatch(imageSize: imageSize, interpolation: interpolation, limits: limits) else { return }
        throw .malformed(file: url.path, row: nil, reason: mismatch.reason, help: mismatch.help)
    }
}
