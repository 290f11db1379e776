// The two readers of score tables: CSV with a header, and one JSON object per line.
import FaceData

extension ScoreTable {
    /// Reads CSV whose header names id, group, logit and perhaps label, in any order and among other columns.
    static func readCSV(_ bytes: ArraySlice<UInt8>, source: String) throws(ScoreTableError) -> ScoreTable {
        let records = CSVReader(Array(bytes))
        func next() throws(ScoreTableError) -> [String]? {
            do { return try records.next()?.fields } catch let error as CSVError {
                throw ScoreTableError(source: source, line: error.line, reason: Self.advice(error.reason))
            } catch {
                throw ScoreTableError(source: source, line: records.line, reason: "\(error)")
            }
        }
        guard let header = try next() else { throw ScoreTableError(source: source, reason: "is empty") }
        let columns = try CSVColumns(header: header.map(trim), line: records.line, source: source)
        var table = ScoreTable()
        table.ignoredColumns = columns.ignored
        while let fields = try next() {
            let line = records.line
            guard fields.count == header.count else {
                throw ScoreTableError(
                    source: source, line: line,
                    reason: "has \(fields.count) field\(fields.count == 1 ? "" : "s"), the header has \(header.count); quote fields that hold a comma")
            }
            func fail(_ column: Int, _ reason: String) -> ScoreTableError {
                ScoreTableError(source: source, line: line, column: header[column], value: fields[column], reason: reason)
            }
            switch number(fields[columns.logit]) {
            case .success(let logit): table.logits.append(logit)
            case .failure(let problem): throw fail(columns.logit, problem.reason)
            }
            if let column = columns.label {
                switch label(fields[column]) {
                case .success(let label): table.labels.append(label)
                case .failure(let problem): throw fail(column, problem.reason)
                }
            } else {
                table.labels.append(nil)
            }
            table.ids.append(.string(fields[columns.id]))
            let group = fields[columns.group]
            table.groups.append(trim(group).isEmpty ? "" : group)
        }
        return table
    }

    private static func advice(_ reason: String) -> String {
        if reason.contains("quote") { return reason + "; a quote inside a field is written as \"\", and the field quoted" }
        return reason.contains("UTF-8") ? reason + "; save the file as UTF-8" : reason
    }

    /// Reads one JSON object per line with the keys id, group, logit and perhaps label.
    static func readNDJSON(_ bytes: ArraySlice<UInt8>, source: String) throws(ScoreTableError) -> ScoreTable {
        var table = ScoreTable()
        var line = 0
        var start = bytes.startIndex
        while start < bytes.endIndex {
            let end = bytes[start...].firstIndex(of: 0x0A) ?? bytes.endIndex
            line += 1
            let text = bytes[start..<end]
            start = end < bytes.endIndex ? end + 1 : end
            if text.allSatisfy({ $0 == 0x20 || $0 == 0x09 || $0 == 0x0D }) { continue }
            let value: JSONValue
            do throws(JSONError) {
                value = try text.withUnsafeBufferPointer { (buffer) throws(JSONError) in try JSONValue.parse(buffer) }
            } catch { throw ScoreTableError(source: source, line: line, reason: "is \(error)") }
            try table.append(value, line: line, source: source)
        }
        return table
    }

    private mutating func append(_ record: JSONValue, line: Int, source: String) throws(ScoreTableError) {
        func fail(_ key: String, _ value: JSONValue?, _ reason: String) -> ScoreTableError {
            ScoreTableError(source: source, line: line, column: key, value: value.flatMap(\.spelling), reason: reason)
        }
        guard case .object(let members) = record else {
            throw ScoreTableError(source: source, line: line, reason: "is \(record.kind); expected an object with the keys id, group, logit")
        }
        var id = JSONValue.null, group = JSONValue.null, logit: JSONValue?, label: Int?
        for member in members {
            switch member.key {
            case "id": id = member.value
            case "group": group = member.value
            case "logit": logit = member.value
            case "label":
                guard member.value != .null else { continue }
                guard let text = member.value.spelling, case .success(let number) = Self.label(text) else {
                    throw fail("label", member.value, "is no label; labels are 0 or 1, or null where unknown")
                }
                label = number
            default: if !ignoredColumns.contains(member.key) { ignoredColumns.append(member.key) }
            }
        }
        switch id {
        case .array, .object: throw fail("id", nil, "an id is a string or a number, not \(id.kind)")
        default: break
        }
        guard let logit else { throw fail("logit", nil, "is missing; every row needs a logit") }
        guard let score = logit.double else {
            throw fail("logit", logit, logit == .null ? "is null; drop the row or repair the model that wrote it" : "is not a number")
        }
        guard let name = group.groupName else { throw fail("group", nil, "a group is a string, an object of features, or null; not \(group.kind)") }
        ids.append(id)
        groups.append(Self.trim(name).isEmpty ? "" : name)
        logits.append(score)
        labels.append(label)
    }
}

extension JSONValue {
    /// A scalar as one would write it in CSV; nil for arrays and objects.
    public var spelling: String? {
        switch self {
        case .null: ""
        case .bool(let value): value ? "true" : "false"
        case .number(let text), .string(let text): text
        case .array, .object: nil
        }
    }

    /// The group that a record names: a string or number as it stands, an object as "Male=0,Young=1" sorted by feature, null as "".
    var groupName: String? {
        guard case .object(let members) = self else { return spelling }
        var parts: [String] = []
        for member in members.sorted(by: { $0.key < $1.key }) {
            guard let value = member.value.spelling else { return nil }
            if value.isEmpty { return "" }  // one unknown feature leaves the group unknown
            parts.append("\(member.key)=\(value)")
        }
        return parts.joined(separator: ",")
    }
}

/// Where the columns we read stand in a CSV header.
private struct CSVColumns {
    var id = -1, group = -1, logit = -1
    var label: Int?
    var ignored: [String] = []

    init(header: [String], line: Int, source: String) throws(ScoreTableError) {
        var seen: [String: Int] = [:]
        for (index, name) in header.enumerated() {
            if let before = seen[name] {
                throw ScoreTableError(source: source, line: line, column: name, reason: "stands twice in the header, as columns \(before + 1) and \(index + 1)")
            }
            seen[name] = index
            switch name {
            case "id": id = index
            case "group": group = index
            case "logit": logit = index
            case "label": label = index
            default: ignored.append(name)
            }
        }
        let missing = [("id", id), ("group", group), ("logit", logit)].filter { $0.1 < 0 }.map(\.0)
        guard missing.isEmpty else {
            var help = "expected the header id,group,logit[,label]; rename your columns"
            if header.count == 1, let other = [";", "\t", "|"].first(where: { header[0].contains($0) }) {
                help = "the fields seem to be separated by \(other == "\t" ? "tabs" : "\"\(other)\""); save the file with commas"
            } else if missing == ["group"] {
                help += "; a group column may hold empty cells where the group is unknown"
            } else if header.contains(where: { ScoreTable.isNumber($0) }) {
                help = "line \(line) looks like data: put the header id,group,logit[,label] above it"
            }
            throw ScoreTableError(
                source: source, line: line,
                reason: "the header has no column \(missing.joined(separator: ", ")) (it has: \(header.joined(separator: ", "))); \(help)")
        }
    }
}

extension ScoreTable {
    fileprivate static func isNumber(_ text: String) -> Bool {
        if case .success = number(text) { true } else { false }
    }
}
