// A table of ready scores: id, group, logit and perhaps label per row, as `facefair project` reads it from CSV or NDJSON.

/// Ready scores of any model, in the order of the input.
public struct ScoreTable: Equatable, Sendable {
    /// A string in CSV; a string, number, boolean or null in NDJSON.
    public var ids: [JSONValue] = []
    /// The group as given; empty when unknown.
    public var groups: [String] = []
    /// Log-odds, all finite.
    public var logits: [Double] = []
    /// 0 or 1; nil where the row has none.
    public var labels: [Int?] = []
    /// Numbers instead of ``labels``, where they were asked for; nil where the row has none.
    public var targets: [Double?] = []
    /// The column that was asked for as stratum, empty where unknown; no values at all where the input lacks the column.
    public var strata: [String] = []
    /// Columns or keys that the input has and nobody reads, in order of appearance.
    public var ignoredColumns: [String] = []

    public init() {}

    public var count: Int { logits.count }

    /// Numbers the groups in order of first appearance.
    ///
    /// Returns the names, and each row's number or -1 for an empty name.
    public func numberedGroups() -> (names: [String], groups: [Int]) {
        var names: [String] = []
        var numbers: [String: Int] = [:]
        let groups = groups.map { name -> Int in
            if name.isEmpty { return -1 }
            if let number = numbers[name] { return number }
            numbers[name] = names.count
            names.append(name)
            return names.count - 1
        }
        return (names, groups)
    }
}

/// What a criterion wants of a table beyond id, group, logit and labels of 0 and 1.
public struct ScoreColumns: Equatable, Sendable {
    /// Labels are any numbers.
    public var numericLabels: Bool
    /// The column or key that is the stratum, if the table has it.
    public var stratum: String?

    public init(numericLabels: Bool = false, stratum: String? = nil) {
        self.numericLabels = numericLabels
        self.stratum = stratum
    }
}

/// The text form of a score table.
public enum ScoreFormat: String, CaseIterable, Sendable {
    case csv, ndjson
}

/// What is wrong with a score table, where, and what to do about it.
public struct ScoreTableError: Error, Equatable, CustomStringConvertible {
    public let source: String
    /// Counted from 1; nil when the file as a whole is meant.
    public let line: Int?
    public let column: String?
    /// The offending value, shortened.
    public let value: String?
    public let reason: String

    public init(source: String, line: Int? = nil, column: String? = nil, value: String? = nil, reason: String) {
        self.source = source
        self.line = line
        self.column = column
        self.value = value.map { $0.count > 40 ? String($0.prefix(40)) + "…" : $0 }
        self.reason = reason
    }

    public var description: String {
        var text = source
        if let line { text += ", line \(line)" }
        if let column { text += ", column \(column)" }
        text += ": "
        if let value { text += "\"\(value)\" " }
        return text + reason
    }
}

extension ScoreTable {
    /// Reads a table; `format` nil decides by content first and by the extension of `source` second.
    ///
    /// Errors: ``ScoreTableError`` for everything that is not a table of finite logits.
    public static func read(
        _ bytes: [UInt8], format: ScoreFormat? = nil, columns: ScoreColumns = ScoreColumns(), source: String
    ) throws(ScoreTableError) -> ScoreTable {
        let body = bytes.starts(with: [0xEF, 0xBB, 0xBF]) ? bytes[3...] : bytes[...]
        let first = body.first { $0 != 0x20 && $0 != 0x09 && $0 != 0x0A && $0 != 0x0D }
        guard let first else {
            throw ScoreTableError(
                source: source, reason: "is empty; expected CSV with the header id,group,logit[,label], or one JSON object per line with these keys")
        }
        if bytes.starts(with: [0xFF, 0xFE]) || bytes.starts(with: [0xFE, 0xFF]) {
            throw ScoreTableError(source: source, line: 1, reason: "is UTF-16; save it as UTF-8")
        }
        if format == nil && first == UInt8(ascii: "[") {
            throw ScoreTableError(
                source: source, line: 1, reason: "is one JSON array; expected one object per line: convert it with jq -c '.[]'")
        }
        let table: ScoreTable
        switch format ?? detect(first: first, source: source) {
        case .csv: table = try readCSV(body, columns, source: source)
        case .ndjson: table = try readNDJSON(body, columns, source: source)
        }
        if table.count == 0 { throw ScoreTableError(source: source, reason: "has a header and no rows") }
        return table
    }

    /// The format that `bytes` and the name `source` speak for.
    public static func detectFormat(_ bytes: [UInt8], source: String) -> ScoreFormat {
        let body = bytes.starts(with: [0xEF, 0xBB, 0xBF]) ? bytes[3...] : bytes[...]
        return detect(first: body.first { $0 != 0x20 && $0 != 0x09 && $0 != 0x0A && $0 != 0x0D }, source: source)
    }

    private static func detect(first: UInt8?, source: String) -> ScoreFormat {
        if first == UInt8(ascii: "{") { return .ndjson }
        let name = source.lowercased()
        return name.hasSuffix(".ndjson") || name.hasSuffix(".jsonl") ? .ndjson : .csv
    }

    /// A finite decimal number, or the reason why `text` is none.
    static func number(_ text: String) -> Result<Double, NumberProblem> {
        let trimmed = trim(text)
        if trimmed.isEmpty { return .failure(NumberProblem(reason: "is empty; every row needs a logit")) }
        // Double("0x1p3") is 8 and Double("infinity") is inf, neither of which a table of scores means.
        let decimal = trimmed.utf8.allSatisfy { ($0 >= 0x30 && $0 <= 0x39) || $0 == 0x2B || $0 == 0x2D || $0 == 0x2E || $0 | 0x20 == 0x65 }
        guard decimal, let value = Double(trimmed) else {
            let word = trimmed.lowercased().drop { $0 == "+" || $0 == "-" }
            if ["nan", "inf", "infinity", "null", "na", "none"].contains(word) {
                return .failure(NumberProblem(reason: "is not a finite number; drop the row or repair the model that wrote it"))
            }
            if trimmed.contains(",") { return .failure(NumberProblem(reason: "is not a number; write the decimals with a point")) }
            return .failure(NumberProblem(reason: "is not a number"))
        }
        guard value.isFinite else { return .failure(NumberProblem(reason: "is beyond what a double holds")) }
        return .success(value)
    }

    struct NumberProblem: Error { let reason: String }

    /// Takes a row's label in the form that was asked for.
    mutating func appendLabel(_ text: String?, numeric: Bool) -> NumberProblem? {
        guard numeric, let text, !Self.trim(text).isEmpty else {
            switch Self.label(text ?? "") {
            case .success(let label): labels.append(label)
            case .failure(let problem): return problem
            }
            if numeric { targets.append(nil) }
            return nil
        }
        switch Self.number(text) {
        case .success(let value):
            targets.append(value)
            labels.append(nil)
            return nil
        case .failure(let problem): return problem
        }
    }

    /// 0, 1, or nil for an empty cell.
    static func label(_ text: String) -> Result<Int?, NumberProblem> {
        switch trim(text) {
        case "": .success(nil)
        case "0", "0.0": .success(0)
        case "1", "1.0": .success(1)
        default: .failure(NumberProblem(reason: "is no label; labels are 0 or 1, or empty (null in NDJSON) where unknown"))
        }
    }

    static func trim(_ text: String) -> String {
        let bytes = text.utf8
        let isSpace: (UInt8) -> Bool = { $0 == 0x20 || $0 == 0x09 }
        guard let first = bytes.first, let last = bytes.last, isSpace(first) || isSpace(last) else { return text }
        let head = bytes.drop(while: isSpace)
        let kept = head.count - head.reversed().prefix(while: isSpace).count
        return String(head.prefix(kept))!
    }
}
