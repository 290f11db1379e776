// The two label files of CelebA, each as published (blanks between columns) or as Kaggle's CSV.
import Foundation

/// list_attr_celeba: the chosen attributes of every image, 1 where the file says 1 and 0 where it says -1.
struct CelebAAttributeFile {
    let url: URL
    let names: [String]
    private let data: Data
    private let isCSV: Bool
    private let body: Int
    private let declaredCount: Int?
    private let guide: DatasetGuide

    /// Reads the head: line 1 count and line 2 names, or the CSV's header.
    init(_ url: URL, guide: DatasetGuide) throws(DatasetError) {
        self.url = url
        self.guide = guide
        data = try LabelText.load(url, guide: guide)
        isCSV = url.pathExtension == "csv"
        if isCSV {
            declaredCount = nil
            body = 0
            let header: CSVRecord?
            do { header = try CSVReader(data).next() } catch { throw datasetError(url, error, help: "Obtain the original from \(guide.url)") }
            guard let header, header.fields.count > 1 else {
                throw .malformed(file: url.path, row: 1, reason: "the header must be image_id and the attribute names", help: guide.help)
            }
            names = Array(header.fields.dropFirst())
        } else {
            var lines = LineScanner(data)
            let first = lines.next().map { lines.words($0) } ?? []
            guard first.count == 1, let count = Int(first[0]) else {
                throw .malformed(
                    file: url.path, row: 1, reason: "the first line must be the number of images, found '\(first.joined(separator: " ").prefix(60))'",
                    help: guide.help)
            }
            declaredCount = count
            names = lines.next().map { lines.words($0) } ?? []
            guard !names.isEmpty else {
                throw .malformed(file: url.path, row: 2, reason: "the second line must be the attribute names", help: guide.help)
            }
            body = lines.position
        }
    }

    /// Files and, per chosen column, a code per file. Every row is checked whole.
    func read(columns: [Int], malformed: MalformedLines?) throws(DatasetError) -> (files: [String], codes: [[Int16]]) {
        isCSV ? try readCSV(columns, malformed) : try readText(columns, malformed)
    }

    private func readText(_ columns: [Int], _ malformed: MalformedLines?) throws(DatasetError) -> (files: [String], codes: [[Int16]]) {
        let expected = declaredCount ?? 0
        var files: [String] = []
        var codes = [[Int16]](repeating: [], count: columns.count)
        // A false count on line 1 must not reserve memory that the file cannot fill.
        let plausible = min(expected, data.count / (2 * names.count + 1))
        files.reserveCapacity(plausible)
        for index in codes.indices { codes[index].reserveCapacity(plausible) }
        var row = [Int16](repeating: 0, count: names.count)
        var failure: DatasetError?
        data.withUnsafeBytes { bytes in
            var at = body
            var line = 3
            while at < bytes.count && failure == nil {
                switch scanRow(bytes, &at, &row, &files) {
                case .row: for (index, column) in columns.enumerated() { codes[index].append(row[column]) }
                case .blank: break
                case .bad(let reason):
                    let error = DatasetError.malformed(file: url.path, row: line, reason: reason, help: "Obtain the original from \(guide.url)")
                    do throws(DatasetError) { try malformed.refuse(error) } catch { failure = error }
                }
                line += 1
            }
        }
        if let failure { throw failure }
        guard files.count == expected else {
            try malformed.refuse(
                .malformed(
                    file: url.path, row: 1, reason: "line 1 says \(expected) images, but \(files.count) rows follow",
                    help: "The file is incomplete or was edited; obtain the original from \(guide.url), or correct line 1."))
            return (files, codes)
        }
        return (files, codes)
    }

    private enum RowOutcome { case row, blank, bad(String) }

    /// One line: a file name, then as many of -1 and 1 as there are attributes. Always ends behind the line.
    private func scanRow(
        _ bytes: UnsafeRawBufferPointer, _ at: inout Int, _ row: inout [Int16], _ files: inout [String]
    ) -> RowOutcome {
        let feed = UInt8(ascii: "\n")
        func isBlank(_ byte: UInt8) -> Bool { byte == UInt8(ascii: " ") || byte == UInt8(ascii: "\t") || byte == UInt8(ascii: "\r") }
        var word = 0
        var outcome = RowOutcome.blank
        while at < bytes.count && bytes[at] != feed {
            if isBlank(bytes[at]) {
                at += 1
                continue
            }
            // Other control characters are part of a word, which is then refused.
            let start = at
            while at < bytes.count && bytes[at] != feed && !isBlank(bytes[at]) { at += 1 }
            if word == 0 {
                files.append(String(decoding: bytes[start..<at], as: UTF8.self))
                outcome = .row
            } else if word <= names.count {
                let length = at - start
                if length == 1 && bytes[start] == UInt8(ascii: "1") {
                    row[word - 1] = 1
                } else if length == 2 && bytes[start] == UInt8(ascii: "-") && bytes[start + 1] == UInt8(ascii: "1") {
                    row[word - 1] = 0
                } else {
                    let text = String(decoding: bytes[start..<at], as: UTF8.self)
                    while at < bytes.count && bytes[at] != feed { at += 1 }
                    at += 1
                    return .bad("\(files.last!): \(names[word - 1]) is '\(text)', expected -1 or 1")
                }
            }
            word += 1
        }
        at += 1
        if word > 0 && word != names.count + 1 {
            return .bad("\(files.last!): \(word - 1) values for \(names.count) attributes")
        }
        return outcome
    }

    private func readCSV(_ columns: [Int], _ malformed: MalformedLines?) throws(DatasetError) -> (files: [String], codes: [[Int16]]) {
        var files: [String] = []
        var codes = [[Int16]](repeating: [], count: columns.count)
        let reader = CSVReader(data)
        do {
            _ = try reader.advance()
            while try reader.advance() {
                do { try addRow(of: reader, columns, &files, &codes) } catch {
                    try malformed.refuse(datasetError(url, error, help: "Obtain the original from \(guide.url)"))
                }
            }
        } catch { try malformed.refuse(datasetError(url, error, help: "Obtain the original from \(guide.url)")) }
        return (files, codes)
    }

    private func addRow(of reader: CSVReader, _ columns: [Int], _ files: inout [String], _ codes: inout [[Int16]]) throws {
        let file = try reader.string(0)
        guard reader.fieldCount == names.count + 1 else {
            throw DatasetError.malformed(
                file: url.path, row: reader.line, reason: "\(file): \(reader.fieldCount - 1) values for \(names.count) attributes",
                help: guide.help)
        }
        files.append(file)
        for (index, column) in columns.enumerated() {
            let value = try reader.string(column + 1)
            guard value == "1" || value == "-1" || value == "0" else {
                throw DatasetError.malformed(
                    file: url.path, row: reader.line, reason: "\(file): \(names[column]) is '\(value)', expected -1 or 1", help: guide.help)
            }
            codes[index].append(value == "1" ? 1 : 0)
        }
    }
}

/// list_eval_partition: 0, 1, 2 = train, valid, test, for the files in the order of the attribute file.
func readCelebAPartition(
    _ url: URL, files: [String], guide: DatasetGuide, malformed: MalformedLines?
) throws(DatasetError) -> [Split] {
    let data: Data
    do throws(DatasetError) { data = try LabelText.load(url, guide: guide) } catch {
        try malformed.refuse(error)
        return []
    }
    let isCSV = url.pathExtension == "csv"
    let splitOf: [String: Split] = ["0": .train, "1": .valid, "2": .test]
    var listed: [(String, Split)] = []
    listed.reserveCapacity(files.count)
    func add(_ words: [String], _ line: Int) throws(DatasetError) {
        guard words.count == 2, let split = splitOf[words[1]] else {
            return try malformed.refuse(
                .malformed(
                    file: url.path, row: line, reason: "'\(words.joined(separator: " ").prefix(60))' is not a file name and 0, 1 or 2",
                    help: "Obtain the original from \(guide.url)"))
        }
        listed.append((words[0], split))
    }
    if isCSV {
        let reader = CSVReader(data)
        do {
            _ = try reader.advance()
            while try reader.advance() {
                do { try add(try reader.record().fields, reader.line) } catch {
                    try malformed.refuse(datasetError(url, error, help: "Obtain the original from \(guide.url)"))
                }
            }
        } catch { try malformed.refuse(datasetError(url, error, help: "Obtain the original from \(guide.url)")) }
    } else {
        var lines = LineScanner(data)
        while let line = lines.next() {
            let words = lines.words(line)
            if !words.isEmpty { try add(words, lines.number) }
        }
    }
    if listed.count == files.count && zip(listed, files).allSatisfy({ $0.0.0 == $0.1 }) { return listed.map(\.1) }
    // A line that could not be read is no split that is missing.
    if malformed?.listed.isEmpty == false { return [] }
    let byName = Dictionary(listed, uniquingKeysWith: { first, _ in first })
    var splits: [Split] = []
    splits.reserveCapacity(files.count)
    for file in files {
        guard let split = byName[file] else {
            try malformed.refuse(
                .malformed(
                    file: url.path, row: nil, reason: "\(file) has attributes but no split here",
                    help: "Both label files must come from the same release: \(guide.url)"))
            continue
        }
        splits.append(split)
    }
    return splits
}
