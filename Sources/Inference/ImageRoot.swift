// Confines the image paths of records, which may come from strangers, to one folder.
import Foundation

/// Turns the path a record names into the path that is opened.
public struct ImageRoot: Sendable {
    /// The real path of the folder, without links; nil allows every path.
    private let root: String?

    /// Paths as they are, relative ones from the current folder.
    public static let anywhere = ImageRoot(root: nil)

    private init(root: String?) { self.root = root }

    /// Only regular files inside `folder`; relative paths start there.
    ///
    /// Errors: ``FileError`` missing when there is no such folder.
    public init(_ folder: String) throws(FileError) {
        guard let real = Self.realPath(folder) else { throw FileError(.missing, "--image-root \(folder): no such folder") }
        var status = stat()
        guard stat(real, &status) == 0, status.st_mode & S_IFMT == S_IFDIR else {
            throw FileError(.missing, "--image-root \(folder) is not a folder")
        }
        root = real
    }

    /// The path to open for `name`.
    ///
    /// Errors: path_not_allowed when it leads outside the root, by `..`, by a leading `/` or by a link; image_missing when there is no such file.
    public func resolve(_ name: String) throws(RecordError) -> String {
        if name.isEmpty { throw RecordError(.imageMissing, "image is an empty path") }
        if name.utf8.contains(0) { throw RecordError(.pathNotAllowed, "image path holds a NUL byte") }
        if ["http://", "https://", "file://", "data:"].contains(where: { name.lowercased().hasPrefix($0) }) {
            throw RecordError(.imageUnsupported, "\(Self.shown(name)): URLs are not fetched; give a file path, or the bytes in image_b64")
        }
        guard let root else { return name }
        let outside = RecordError(.pathNotAllowed, "\(Self.shown(name)): outside of --image-root")
        // Decided on the text first, so that the answer does not tell whether a file outside exists.
        var depth = 0
        let path = name.hasPrefix(root + "/") ? String(name.dropFirst(root.utf8.count + 1)) : name
        if path.hasPrefix("/") { throw outside }
        for part in path.split(separator: "/") where part != "." {
            depth += part == ".." ? -1 : 1
            if depth < 0 { throw outside }
        }
        guard let real = Self.realPath(root + "/" + path) else {
            throw RecordError(.imageMissing, "\(Self.shown(name)): no such file under --image-root")
        }
        guard real.hasPrefix(root == "/" ? "/" : root + "/") else { throw outside }
        var status = stat()
        guard stat(real, &status) == 0, status.st_mode & S_IFMT == S_IFREG else {
            throw RecordError(.pathNotAllowed, "\(Self.shown(name)): not a regular file")
        }
        return real
    }

    private static func shown(_ name: String) -> String { name.count > 200 ? name.prefix(200) + "…" : name }

    private static func realPath(_ path: String) -> String? {
        guard let real = realpath(path, nil) else { return nil }
        defer { free(real) }
        return String(cString: real)
    }
}
