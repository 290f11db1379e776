// What people find where an image, an archive or a label file should be, told from its first bytes.
import Foundation

/// Something that is wrong with a file.
public struct Finding: Codable, Equatable, Sendable {
    public let file: String
    /// An image error code, or one of web_page, git_lfs_pointer, archive, empty, zeros, checksum, count, label_malformed,
    /// listed_twice, not_listed, pack_malformed, pack_outdated.
    public let code: String
    public let message: String
}

enum FileKind {
    /// Enough to find the words of a quota page.
    private static let headBytes = 1 << 16

    /// Why the file is plainly something else, nil if it may be what its name says. A missing file is nothing else.
    static func explain(_ path: String) -> (code: String, message: String)? {
        guard let handle = FileHandle(forReadingAtPath: path) else { return nil }
        defer { try? handle.close() }
        guard let head = try? handle.read(upToCount: headBytes), !head.isEmpty else { return ("empty", "the file is empty") }
        if head.starts(with: Data("version https://git-lfs".utf8)) {
            return ("git_lfs_pointer", "this is a Git LFS pointer, not the file; run 'git lfs pull' in the repository it came from")
        }
        if let page = webPage(head) { return ("web_page", page) }
        if !head.contains(where: { $0 != 0 }) { return ("zeros", "the file begins with \(head.count) zero bytes: a download or copy was cut off") }
        return nil
    }

    /// The same for an image, for which an archive is wrong too.
    static func explainImage(_ path: String) -> (code: String, message: String)? {
        if let found = explain(path) { return found }
        guard let handle = FileHandle(forReadingAtPath: path), let head = try? handle.read(upToCount: 8) else { return nil }
        try? handle.close()
        if head.starts(with: [0x50, 0x4B, 0x03, 0x04]) { return ("archive", "this is a zip archive, not an image; unpack it") }
        if head.starts(with: [0x1F, 0x8B]) { return ("archive", "this is a gzip file, not an image; unpack it") }
        return nil
    }

    static func isZip(_ path: String) -> Bool {
        guard let handle = FileHandle(forReadingAtPath: path), let head = try? handle.read(upToCount: 4) else { return false }
        try? handle.close()
        return head.starts(with: [0x50, 0x4B, 0x03, 0x04]) || head.starts(with: [0x50, 0x4B, 0x05, 0x06])
    }

    private static func webPage(_ head: Data) -> String? {
        let text = String(decoding: head, as: UTF8.self).lowercased()
        let start = text.drop { $0.isWhitespace || $0 == "\u{FEFF}" }
        guard start.hasPrefix("<!doctype html") || start.hasPrefix("<html") || (start.hasPrefix("<") && text.contains("<html")) else { return nil }
        if text.contains("quota exceeded") || text.contains("too many users have viewed or downloaded") {
            return "this is Google Drive's page 'Quota exceeded', saved in place of the file; download it again later or from another mirror"
        }
        if text.contains("virus scan warning") || text.contains("can't scan this file for viruses") {
            return "this is Google Drive's page 'Virus scan warning', saved in place of the file; confirm the download on that page"
        }
        return "this is a web page, saved in place of the file; download it again"
    }
}
