// Loading a label file, and recognising what people put in its place: web pages, archives, spreadsheets.
import Foundation

enum LabelText {
    /// The file's bytes. Errors: missing, or malformed when the content is plainly no text.
    static func load(_ url: URL, guide: DatasetGuide) throws(DatasetError) -> Data {
        let data: Data
        do { data = try Data(contentsOf: url, options: .mappedIfSafe) } catch {
            throw .missing(path: url.path, help: guide.help)
        }
        if let reason = wrongKind(data) {
            throw .malformed(file: url.path, row: nil, reason: reason, help: "Obtain the original from \(guide.url)")
        }
        return data
    }

    private static func wrongKind(_ data: Data) -> String? {
        if data.isEmpty { return "the file is empty" }
        if data.starts(with: [0x50, 0x4B, 0x03, 0x04]) { return "this is a zip archive or a spreadsheet document, not a text file" }
        if data.starts(with: [0x1F, 0x8B]) { return "this is a gzip file; unpack it first" }
        if data.starts(with: [0xFF, 0xFE]) || data.starts(with: [0xFE, 0xFF]) { return "the text is UTF-16; save it as UTF-8" }
        let start = data.prefix(256).drop { $0 <= 0x20 }
        if start.first == UInt8(ascii: "<") { return "this is a web page, not a label file (did a download fail?)" }
        return nil
    }

    private static let months = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"]

    /// Where a value looks like a range that a spreadsheet turned into a date, says so: "9-Mar" was "3-9".
    static func dateExplanation(_ value: String) -> String? {
        let parts = value.split { "-/. ".contains($0) }.map { $0.lowercased() }
        guard parts.count >= 2, parts.count <= 3 else { return nil }
        let month = parts.firstIndex { part in months.contains { part.hasPrefix($0) } }
        let numbers = parts.compactMap { Int($0) }
        guard let month else {
            // 2019-10-01 or 3/9/2025: three numbers, one of them a year.
            return parts.count == 3 && numbers.count == 3 && numbers.contains { $0 >= 1900 }
                ? "a spreadsheet program has probably turned an age range into a date" : nil
        }
        let monthNumber = months.firstIndex { parts[month].hasPrefix($0) }! + 1
        let original = numbers.first.map { " (probably \(min($0, monthNumber))-\(max($0, monthNumber)))" } ?? ""
        return "a spreadsheet program has turned an age range\(original) into a date"
    }
}

/// Gives a CSV error its file; passes data set errors through.
func datasetError(_ url: URL, _ error: any Error, help: String) -> DatasetError {
    if let error = error as? DatasetError { return error }
    if let error = error as? CSVError { return .malformed(file: url.path, row: error.line, reason: error.reason, help: help) }
    return .malformed(file: url.path, row: nil, reason: "\(error)", help: help)
}

/// Lines of a text file and the words in them, by bytes.
struct LineScanner {
    private let bytes: [UInt8]
    /// Start of the next line.
    private(set) var position = 0
    /// Number of the line last returned, 1-based.
    private(set) var number = 0

    init(_ data: Data) { bytes = [UInt8](data) }

    mutating func next() -> Range<Int>? {
        guard position < bytes.count else { return nil }
        var end = position
        while end < bytes.count && bytes[end] != UInt8(ascii: "\n") { end += 1 }
        defer { position = end + 1 }
        number += 1
        return position..<end
    }

    /// Stretches without blanks, tabs or carriage returns.
    func words(_ line: Range<Int>) -> [String] {
        bytes[line].split { $0 <= UInt8(ascii: " ") }.map { String(decoding: $0, as: UTF8.self) }
    }
}
