// A fingerprint of a data folder that is quick to take: what the label files say and which images lie there.
import Foundation

extension LabelTable {
    /// SHA-256 of every label file (name, length, bytes) and of the list of images (name, size in bytes, -1 for a missing one).
    /// Errors: ``DatasetError`` when a label file cannot be read.
    func sourceDigest() throws(DatasetError) -> String {
        var digest = SHA256()
        for url in labelFiles {
            let data: Data
            do { data = try Data(contentsOf: url, options: .mappedIfSafe) } catch {
                throw .missing(path: url.path, help: layout.guide.help)
            }
            digest.update("\(url.lastPathComponent)\0\(data.count)\0")
            data.withUnsafeBytes { digest.update($0) }
        }
        for name in names {
            var status = stat()
            let size = stat("\(folder)/\(name)", &status) == 0 ? Int(status.st_size) : -1
            digest.update("\(name)\0\(size)\0")
        }
        return digest.finish()
    }
}
