// What `data verify` keeps of label files that contradict their format. Every other command stops at the first such line.

/// Malformed lines in the order in which they were found. A reader that is given one goes on to the next line.
final class MalformedLines {
    /// Of each file; the rest is counted.
    static let listedPerFile = 100

    private(set) var listed: [DatasetError] = []
    private var counts: [String: Int] = [:]
    private var files: [String] = []

    /// How many more there are than are listed, by file.
    var unlisted: [(file: String, count: Int)] {
        files.compactMap { file in
            let more = counts[file]! - MalformedLines.listedPerFile
            return more > 0 ? (file, more) : nil
        }
    }

    fileprivate func add(_ error: DatasetError, _ file: String) {
        if counts[file] == nil { files.append(file) }
        counts[file, default: 0] += 1
        if counts[file]! <= MalformedLines.listedPerFile { listed.append(error) }
    }
}

extension MalformedLines? {
    /// Throws where nobody collects, or where `error` is about no line; else keeps it, and the reader goes on.
    func refuse(_ error: DatasetError) throws(DatasetError) {
        guard let self, case .malformed(let file, _, _, _) = error else { throw error }
        self.add(error, file)
    }

    /// Throws the first that was kept: what is left of the rows is no table.
    func requireNone() throws(DatasetError) {
        if let first = self?.listed.first { throw first }
    }
}
