// Where tests find fixtures, put temporary files, and look for the optional data that a user's checkout does not have.
import Foundation

/// Committed reference data in `Tests/Fixtures`; each file's origin stands in a manifest beside it.
public enum Fixture {
    public static let folder = URL(fileURLWithPath: #filePath)
        .deletingLastPathComponent().deletingLastPathComponent().appendingPathComponent("Fixtures")

    public static func url(_ name: String) -> URL { folder.appendingPathComponent(name) }

    public static func data(_ name: String) throws -> Data { try Data(contentsOf: url(name)) }
}

/// A folder that is removed with the object.
public final class TemporaryFolder {
    public let url: URL

    public init() throws {
        url = FileManager.default.temporaryDirectory.appendingPathComponent("facefair-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
    }

    deinit { try? FileManager.default.removeItem(at: url) }

    public func file(_ name: String) -> URL { url.appendingPathComponent(name) }

    /// Writes `text` as UTF-8 and returns the file's URL; makes the folders on the way.
    @discardableResult
    public func write(_ text: String, to name: String) throws -> URL {
        let target = file(name)
        try FileManager.default.createDirectory(at: target.deletingLastPathComponent(), withIntermediateDirectories: true)
        try Data(text.utf8).write(to: target)
        return target
    }
}

/// The developers' data folder beside the checkout, or nil where there is none (a user's machine).
/// Use as `@Test(.enabled(if: sharedData != nil, "…"))`.
public let sharedData: URL? = {
    let url = Fixture.folder.deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent().appendingPathComponent("shared/data")
    return FileManager.default.fileExists(atPath: url.path) ? url : nil
}()

/// What an optional test prints when ``sharedData`` is nil.
public let sharedDataReason = "needs the developers' data folder ../shared/data, which this checkout does not have"
