// The two readers of score tables: CSV with a header, and one JSON object per line.
import FaceData

extension ScoreTable {
    /// Reads CSV whose header names id, group, logit and perhaps label, in any order and among other columns.
    static func readCSV(_ bytes: ArraySlice<UInt8>, _ wanted: ScoreColumns, source: String) throws(ScoreTableError) -> ScoreTable {
        let records = CSVReader(Array(bytes))
        func next() throws(ScoreTableError) -> [String]? {
            do { return try records.next()?.fields } catch let error as CSVError {
                throw ScoreTableError(source: source, line: error.line, reason: Self.advice(error.reason))
            } catch {
                throw ScoreTableError(source: source, line: records.line, reason: "\(error)")
            }
        }
        guard let header = try next() else { throw ScoreTableError(source: source, reason: "is empty") }
        let columns = try CSVColumns(header: header.map(trim), wanted, line: records.line, source: source)
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
            if let problem = table.appendLabel(columns.label.map { fields[$0] }, numeric: wanted.numericLabels) {
                throw fail(columns.label!, problem.reason)
            }
            if let column = columns.stratum { table.strata.append(trim(fields[column])) }
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
    static func readNDJSON(_ bytes: ArraySlice<UInt8>, _ wanted: ScoreColumns, source: String) throws(ScoreTableError) -> ScoreTable {
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
            try table.append(value, wanted, line: line, source: source)
        }
        // A key that no line has is no column.
        if table.strata.allSatisfy(\.isEmpty) { table.strata = [] }
        return table
    }

    private mutating func append(
        _ record: JSONValue, _ wanted: ScoreColumns, line: Int, source: String
    ) throws(ScoreTableError) {
        func fail(_ key: String, _ value: JSONValue?, _ reason: String) -> ScoreTableError {
            ScoreTableError(source: source, line: line, column: key, value: value.flatMap(\.spelling), reason: reason)
        }
        guard case .object(let members) = record else {
            throw ScoreTableError(source: source, line: line, reason: "is \(record.kind); expected an object with the keys id, group, logit")
        }
        var id = JSONValue.null, group = JSONValue.null, logit: JSONValue?, label: String?, stratum = ""
        for member in members {
            if member.key == wanted.stratum {
                guard let text = member.value.spelling else { throw fail(member.key, nil, "a stratum is a string, a number or null, not \(member.value.kind)") }
                stratum = Self.trim(text)
                continue
            }
            switch member.key {
            case "id": id = member.value
            case "group": group = member.value
            case "logit": logit = member.value
            case "label":
                guard let text = member.value.spelling else { throw fail("label", nil, "a label is 0, 1 or null, not \(member.value.kind)") }
                label = text
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
        if let problem = appendLabel(label, numeric: wanted.numericLabels) {
            throw fail("label", label.map(JSONValue.string), problem.reason)
        }
        ids.append(id)
        groups.append(Self.trim(name).isEmpty ? "" : name)
        logits.append(score)
        if wanted.stratum != nil { strata.append(stratum) }
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
    var label: Int?, stratum: Int?
    var ignored: [String] = []

    init(header: [String], _ wanted: ScoreColumns, line: Int, source: String) throws(ScoreTableError) {
        var seen: [String: Int] = [:]
        for (index, name) in header.enumerated() {
            if let before = seen[name] {
                throw ScoreTableError(source: source, line: line, column: name, reason: "stands twice in the header, as columns \(before + 1) and \(index + 1)")
            }
            seen[name] = index
            if name == wanted.stratum { stratum = index }
            switch name {
            case "id": id = index
            case "group": group = index
            case "logit": logit = index
            case "label": label = index
            default: if name != wanted.stratum { ignored.append(name) }
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
