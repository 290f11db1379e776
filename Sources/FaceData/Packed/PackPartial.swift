// A packed file under construction: FILE.partial with the pixels at their final place, and FILE.partial.jsonl, a journal of what
// has been packed. A killed process leaves both, and the next one goes on after the last stretch whose pixels are what the journal
// says.
import Foundation

final class PackPartial {
    /// The first line: what is being packed, so that nothing is mixed.
    struct Plan: Codable, Equatable {
        var version = 1
        var sourceSHA256: String
        var preprocessing: PackedPreprocessing
        var rows: Int
        /// Where the images begin in the file. Units: bytes.
        var imageOffset: Int
    }

    /// One line per stretch of rows.
    struct Stretch: Codable {
        /// Rows done and images kept, from the beginning.
        var rows: Int
        var kept: Int
        /// SHA-256 of all images so far.
        var sha256: String
        var refused: [PackedRefusal]
        var accepted: [Accepted]
    }

    /// An image that a lenient decoder accepted with warnings.
    struct Accepted: Codable {
        var file: String
        var warnings: Int
        var first: String
    }

    let plan: Plan
    private(set) var rows = 0
    private(set) var kept = 0
    private(set) var refused: [PackedRefusal] = []
    private(set) var accepted: [Accepted] = []
    private(set) var digest = SHA256()

    private let output: URL
    private let path: String
    private let journalPath: String
    private let imageBytes: Int
    private var file: Int32 = -1
    private var journal: Int32 = -1

    static func path(for output: URL) -> String { output.path + ".partial" }
    static func journalPath(for output: URL) -> String { output.path + ".partial.jsonl" }

    /// Opens or begins. Errors: ``PackError``; ``DatasetError`` malformed when what is there belongs to other data or settings.
    init(output: URL, plan: Plan, startAnew: Bool) throws {
        self.output = output
        self.plan = plan
        path = Self.path(for: output)
        journalPath = Self.journalPath(for: output)
        imageBytes = plan.preprocessing.imageSize * plan.preprocessing.imageSize * 3

        file = try Self.open(path)
        guard flock(file, LOCK_EX | LOCK_NB) == 0 else { throw PackError.inUse(path: output.path) }
        let earlier = startAnew ? nil : try? Data(contentsOf: URL(fileURLWithPath: journalPath))
        journal = try Self.open(journalPath)
        let valid = try resume(earlier ?? Data())
        guard ftruncate(file, off_t(plan.imageOffset + kept * imageBytes)) == 0, ftruncate(journal, off_t(valid)) == 0 else {
            throw PackError.io(path: path, code: errno)
        }
        lseek(journal, off_t(valid), SEEK_SET)
        if valid == 0 { try append(plan) }
        try checkSpace()
    }

    deinit {
        if file >= 0 { close(file) }
        if journal >= 0 { close(journal) }
    }

    private static func open(_ path: String) throws(PackError) -> Int32 {
        let descriptor = Foundation.open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0o644)
        guard descriptor >= 0 else { throw .io(path: path, code: errno) }
        return descriptor
    }

    /// Takes over what the journal lists and the file really holds; returns the length of the journal up to there.
    private func resume(_ text: Data) throws -> Int {
        var valid = 0
        var start = text.startIndex
        var buffer = [UInt8](repeating: 0, count: 1 << 20)
        while let end = text[start...].firstIndex(of: UInt8(ascii: "\n")) {
            let line = Data(text[start..<end])
            start = end + 1
            if valid == 0 {
                guard let earlier = try? JSONDecoder().decode(Plan.self, from: line), earlier == plan else {
                    throw DatasetError.malformed(
                        file: path, row: nil, reason: "this unfinished file was begun with other data or settings",
                        help: "Pack to another name, or start anew with --exist-ok.")
                }
            } else {
                guard let stretch = try? JSONDecoder().decode(Stretch.self, from: line), stretch.rows > rows, stretch.kept >= kept,
                    stretch.rows <= plan.rows, stretch.kept + refused.count + stretch.refused.count == stretch.rows
                else { break }
                var longer = digest
                guard readImages(kept..<stretch.kept, into: &longer, &buffer), longer.finish() == stretch.sha256 else { break }
                digest = longer
                (rows, kept) = (stretch.rows, stretch.kept)
                refused += stretch.refused
                accepted += stretch.accepted
            }
            valid = start - text.startIndex
        }
        return valid
    }

    /// False where the file is too short.
    private func readImages(_ images: Range<Int>, into digest: inout SHA256, _ buffer: inout [UInt8]) -> Bool {
        var at = plan.imageOffset + images.lowerBound * imageBytes
        let end = plan.imageOffset + images.upperBound * imageBytes
        while at < end {
            let got = buffer.withUnsafeMutableBytes { pread(file, $0.baseAddress, min($0.count, end - at), off_t(at)) }
            if got < 0 && errno == EINTR { continue }
            guard got > 0 else { return false }
            buffer.withUnsafeBytes { digest.update(UnsafeRawBufferPointer(rebasing: $0[..<got])) }
            at += got
        }
        return true
    }

    /// Refuses at the beginning what would fail at the end.
    private func checkSpace() throws(PackError) {
        var status = statvfs()
        guard fstatvfs(file, &status) == 0 else { return }
        let free = Int(status.f_bavail) * Int(status.f_frsize), needed = (plan.rows - rows) * imageBytes
        guard needed <= free else { throw .noSpace(path: output.path, needed: needed, free: free) }
    }

    /// Adds the next rows: first the pixels, then the line that says so.
    func add(rows count: Int, images: UnsafeRawBufferPointer, refused new: [PackedRefusal], accepted warned: [Accepted]) throws {
        precondition(images.count == (count - new.count) * imageBytes, "\(images.count) bytes for \(count) rows")
        try write(images, at: plan.imageOffset + kept * imageBytes)
        digest.update(images)
        rows += count
        kept += count - new.count
        refused += new
        accepted += warned
        try append(Stretch(rows: rows, kept: kept, sha256: digest.finish(), refused: new, accepted: warned))
    }

    /// Writes what stands before and after the images, and gives the file its name. Everything is on disk before that.
    func finish(head: Data, tail: Data) throws {
        precondition(head.count == plan.imageOffset, "a head of \(head.count) bytes, planned were \(plan.imageOffset)")
        try head.withUnsafeBytes { try write($0, at: 0) }
        try tail.withUnsafeBytes { try write($0, at: plan.imageOffset + kept * imageBytes) }
        guard fsync(file) == 0, rename(path, output.path) == 0 else { throw PackError.io(path: output.path, code: errno) }
        unlink(journalPath)
        let folder = Foundation.open(output.deletingLastPathComponent().path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        if folder >= 0 {
            _ = fsync(folder)  // the rename itself; some file systems cannot, which is no reason to fail
            _ = close(folder)
        }
    }

    private func append(_ line: some Encodable) throws {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        var data = try encoder.encode(line)
        data.append(UInt8(ascii: "\n"))
        try data.withUnsafeBytes { bytes in
            var written = 0
            while written < bytes.count {
                let count = Foundation.write(journal, bytes.baseAddress! + written, bytes.count - written)
                if count < 0 && errno == EINTR { continue }
                guard count > 0 else { throw PackError.io(path: journalPath, code: count < 0 ? errno : ENOSPC) }
                written += count
            }
        }
    }

    private func write(_ bytes: UnsafeRawBufferPointer, at offset: Int) throws(PackError) {
        var written = 0
        while written < bytes.count {
            let count = pwrite(file, bytes.baseAddress! + written, bytes.count - written, off_t(offset + written))
            if count < 0 && errno == EINTR { continue }
            guard count > 0 else { throw .io(path: path, code: count < 0 ? errno : ENOSPC) }
            written += count
        }
    }
}
