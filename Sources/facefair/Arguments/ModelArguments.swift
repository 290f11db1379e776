// Which model file a command means.
import Foundation

enum ModelLocator {
    static let runsFolder = "runs"

    /// A `.safetensors` file itself, or a run folder's `best.safetensors`. nil: neither.
    static func modelFile(at path: String) -> URL? {
        let url = URL(fileURLWithPath: path)
        var isDirectory: ObjCBool = false
        guard FileManager.default.fileExists(atPath: path, isDirectory: &isDirectory) else {
            return path.hasSuffix(".safetensors") ? url : nil
        }
        if !isDirectory.boolValue { return url }
        let best = url.appendingPathComponent("best.safetensors")
        return FileManager.default.fileExists(atPath: best.path) ? best : nil
    }

    /// The model that the user named.
    static func require(_ path: String) throws -> URL {
        guard let url = modelFile(at: path) else {
            throw Failure(
                .inputMissing, "\(path): no model there; name a .safetensors file or a run folder that holds best.safetensors")
        }
        return url
    }

    /// The newest run's best model under `runs/`, searched two levels deep.
    static func newest() throws -> URL {
        let manager = FileManager.default
        var newest: (url: URL, date: Date)?
        func visit(_ folder: URL, depth: Int) {
            let best = folder.appendingPathComponent("best.safetensors")
            if let date = try? manager.attributesOfItem(atPath: best.path)[.modificationDate] as? Date,
                newest.map({ date > $0.date }) ?? true
            {
                newest = (best, date)
            }
            guard depth > 0 else { return }
            for name in (try? manager.contentsOfDirectory(atPath: folder.path)) ?? [] {
                visit(folder.appendingPathComponent(name), depth: depth - 1)
            }
        }
        visit(URL(fileURLWithPath: runsFolder), depth: 2)
        guard let newest else {
            throw Failure(.inputMissing, "no MODEL given and no trained run under \(runsFolder)/; train one with 'facefair train'")
        }
        return newest.url
    }
}
