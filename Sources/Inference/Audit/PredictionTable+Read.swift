// Reads prediction tables: CSV with a header or one JSON object per line, columns named by the user or found by their usual names.
import FaceData
import Fairness

extension PredictionTable {
    /// Reads a whole table; `needsGroups` is false for one that only lends its labels.
    ///
    /// Errors: ``ScoreTableError`` naming line, column and value, and what to do.
    public static func read(
        _ bytes: [UInt8], format: ScoreFormat? = nil, source: String, columns: PredictionColumns = .init(), needsGroups: Bool = true
    ) throws(ScoreTableError) -> PredictionTable {
        var reader = PredictionReader(source: source, wanted: columns, needsGroups: needsGroups)
        switch format ?? ScoreTable.detectFormat(bytes, source: source) {
        case .csv: try reader.readCSV(bytes)
        case .ndjson: try reader.readNDJSON(bytes)
        }
        return try reader.finish()
    }
}

private struct PredictionReader {
    let source: String
    let wanted: PredictionColumns
    let needsGroups: Bool
    private var table = PredictionTable()
    /// Distinct texts of each group column in order of appearance, and each row's.
    private var groupColumns: [GroupColumn] = []
    private var names: [String] = []
    private var roles: [String: Int] = [:]
    private var logits: [Double] = [], rawLogits: [Double] = [], probabilities: [Double] = [], decisions: [Int] = []
    private var thresholds: Set<Double> = []
    private var trace = StreamTraceReader()

    private struct GroupColumn {
        let name: String
        let index: Int
        var texts: [String] = []
        var numbers: [String: Int] = [:]
        var rows: [Int] = []

        mutating func append(_ text: String) {
            if let number = numbers[text] { return rows.append(number) }
            numbers[text] = texts.count
            rows.append(texts.count)
            texts.append(text)
        }
    }

    init(source: String, wanted: PredictionColumns, needsGroups: Bool) {
        (self.source, self.wanted, self.needsGroups) = (source, wanted, needsGroups)
    }

    private func fail(line: Int? = nil, column: String? = nil, value: String? = nil, _ reason: String) -> ScoreTableError {
        ScoreTableError(source: source, line: line, column: column, value: value, reason: reason)
    }

    // MARK: CSV

    mutating func readCSV(_ bytes: [UInt8]) throws(ScoreTableError) {
        let records = CSVReader(bytes)
        func fields<T>(_ body: () throws -> T) throws(ScoreTableError) -> T {
            do { return try body() } catch let error as CSVError {
                throw fail(line: error.line, error.reason)
            } catch { throw fail(line: records.line, "\(error)") }
        }
        guard let header = try fields({ try records.next()?.fields }) else {
            throw fail("is empty; expected CSV with a header, or one JSON object per line")
        }
        try resolve(header.map(ScoreTable.trim))
        var texts = [String](repeating: "", count: header.count)
        let used = Set(roles.values).union(groupColumns.map(\.index)).union(names.indices.filter { names[$0] == "threshold" })
        while try fields({ try records.advance() }) {
            guard records.fieldCount == header.count else {
                throw fail(line: records.line, "has \(records.fieldCount) fields, the header has \(header.count); quote fields that hold a comma")
            }
            for index in used { texts[index] = ScoreTable.trim(try fields { try records.string(index) }) }
            try append(texts, line: records.line)
        }
    }

    // MARK: NDJSON

    mutating func readNDJSON(_ bytes: [UInt8]) throws(ScoreTableError) {
        var line = 0
        var start = bytes.starts(with: [0xEF, 0xBB, 0xBF]) ? 3 : 0
        var isFirst = true
        while start < bytes.count {
            let end = bytes[start...].firstIndex(of: 0x0A) ?? bytes.count
            line += 1
            let text = bytes[start..<end]
            start = end + 1
            if text.allSatisfy({ $0 == 0x20 || $0 == 0x09 || $0 == 0x0D }) { continue }
            let value: JSONValue
            do throws(JSONError) {
                value = try text.withUnsafeBufferPointer { (buffer) throws(JSONError) in try JSONValue.parse(buffer) }
            } catch { throw fail(line: line, "is \(error)") }
            guard case .object(let members) = value else { throw fail(line: line, "is \(value.kind); expected one object per line") }
            if value["status"] == .string("error") {
                table.failedRecords += 1
                continue
            }
            if isFirst {
                try resolve(members.map(\.key))
                isFirst = false
            }
            var texts: [String] = []
            for name in names {
                let member = value[name] ?? .null
                // Nobody reads what is neither a value nor a group, such as a stream's `fairness` object.
                let spelling = (name == "group" ? member.groupName : member.spelling) ?? ""
                texts.append(spelling == "true" ? "1" : spelling == "false" ? "0" : spelling)
            }
            try append(texts, line: line)
            trace.add(value["fairness"])
        }
    }

    // MARK: Columns

    private mutating func resolve(_ header: [String]) throws(ScoreTableError) {
        names = header
        if let twice = header.first(where: { name in header.count { $0 == name } > 1 }) {
            throw fail(line: 1, column: twice, "stands twice in the header")
        }
        let flags: [(role: String, flag: String, name: String?)] = [
            ("id", "--id", wanted.id), ("logit", "--logit", wanted.logit), ("logit_raw", "--raw-logit", wanted.rawLogit),
            ("score", "--score", wanted.score), ("decision", "--decision", wanted.decision), ("label", "--label", wanted.label),
        ]
        for (role, flag, name) in flags {
            if let name {
                guard let index = header.firstIndex(of: name) else { throw missing(name, flag) }
                roles[role] = index
            } else if let usual = PredictionColumns.usual.first(where: { $0.role == role })?.names.first(where: header.contains) {
                roles[role] = header.firstIndex(of: usual)
            }
        }
        // A column named for one thing is not also taken for another by its name.
        let named = flags.filter { $0.name != nil }
        for (role, _, name) in flags where name == nil {
            if let index = roles[role], named.contains(where: { $0.role != role && roles[$0.role] == index }) { roles[role] = nil }
        }
        // Somebody who names one form of the score means that one.
        if wanted.score != nil && wanted.logit == nil { roles["logit"] = nil }
        if wanted.logit != nil && wanted.score == nil { roles["score"] = nil }
        if (wanted.logit != nil || wanted.score != nil) && wanted.decision == nil { roles["decision"] = nil }
        if wanted.logit != nil && wanted.rawLogit == nil { roles["logit_raw"] = nil }
        if roles["logit"] == nil { roles["logit_raw"] = nil }
        if needsGroups && roles["logit"] == nil && roles["score"] == nil && roles["decision"] == nil {
            throw fail(
                line: 1, "has no score and no decision (its columns: \(header.joined(separator: ", "))); "
                    + "name them with --logit (log-odds), --score (probabilities) or --decision (0 or 1)")
        }
        if !needsGroups {
            guard roles["id"] != nil, roles["label"] != nil else {
                throw fail(line: 1, "lends labels and so needs the columns id and label (it has: \(header.joined(separator: ", ")))")
            }
            return
        }
        try resolveGroups(header)
    }

    private mutating func resolveGroups(_ header: [String]) throws(ScoreTableError) {
        let usual = PredictionColumns.usual.first { $0.role == "group" }!.names.first(where: header.contains)
        var found: [GroupColumn] = []
        func add(_ name: String) {
            if !found.contains(where: { $0.name == name }) {
                found.append(GroupColumn(name: name, index: header.firstIndex(of: name)!))
            }
        }
        guard let chosen = wanted.groupBy else {
            guard let usual else {
                throw fail(line: 1, "has no column group; name the sensitive features with --group-by (columns: \(header.joined(separator: ", ")))")
            }
            add(usual)
            groupColumns = found
            return
        }
        for name in chosen {
            if header.contains(name) { add(name) } else if let usual { add(usual) } else { throw missing(name, "--group-by") }
        }
        groupColumns = found
    }

    private func missing(_ name: String, _ flag: String) -> ScoreTableError {
        fail(
            line: 1, column: name,
            "of \(flag) is not there\(Suggestion.hint(for: name, in: names)) (columns: \(names.joined(separator: ", ")))")
    }

    // MARK: Rows

    private mutating func append(_ texts: [String], line: Int) throws(ScoreTableError) {
        if let index = roles["logit"] { logits.append(try number(texts[index], index, "a logit", line)) }
        if let index = roles["logit_raw"] { rawLogits.append(try number(texts[index], index, "a logit", line)) }
        if let index = roles["score"] {
            let value = try number(texts[index], index, "a score", line)
            // Where there are logits too, the score is only their sigmoid and is not looked at.
            guard (0...1).contains(value) || roles["logit"] != nil else {
                throw fail(
                    line: line, column: names[index], value: texts[index],
                    "is no probability; if these are log-odds, say --logit \(names[index])")
            }
            probabilities.append(value)
        }
        if let index = names.firstIndex(of: "threshold"), roles["decision"] != nil, let value = Double(texts[index]) { thresholds.insert(value) }
        if let index = roles["decision"] {
            guard case .success(let value?) = ScoreTable.label(texts[index]) else {
                throw fail(line: line, column: names[index], value: texts[index], "is no decision; every row needs 0 or 1")
            }
            decisions.append(value)
        }
        var label: Int?
        if let index = roles["label"] {
            guard case .success(let value) = ScoreTable.label(texts[index]) else {
                throw fail(
                    line: line, column: names[index], value: texts[index], "is no label; labels are 0 or 1, or empty where unknown")
            }
            label = value
        }
        table.labels.append(label)
        table.ids.append(roles["id"].map { texts[$0] } ?? "\(table.labels.count)")
        for column in groupColumns.indices { groupColumns[column].append(texts[groupColumns[column].index]) }
    }

    private func number(_ text: String, _ index: Int, _ what: String, _ line: Int) throws(ScoreTableError) -> Double {
        switch ScoreTable.number(text) {
        case .success(let value): return value
        case .failure(let problem):
            throw fail(
                line: line, column: names[index], value: text.isEmpty ? nil : text,
                text.isEmpty ? "is empty; every row needs \(what)" : problem.reason)
        }
    }

    // MARK: Features

    mutating func finish() throws(ScoreTableError) -> PredictionTable {
        guard table.count > 0 else {
            throw fail(table.failedRecords > 0 ? "has \(table.failedRecords) failed records and no answered one" : "has a header and no rows")
        }
        table.stream = trace.finish()
        if roles["logit"] != nil { table.logits = logits }
        if roles["logit_raw"] != nil { table.rawLogits = rawLogits }
        if roles["score"] != nil && roles["logit"] == nil { table.probabilities = probabilities }
        if roles["decision"] != nil { table.decisions = decisions }
        table.threshold = thresholds.count == 1 ? thresholds.first : nil
        func name(_ role: String) -> String? { roles[role].map { names[$0] } }
        table.columns = PredictionColumns(
            id: name("id"), groupBy: groupColumns.map(\.name), logit: name("logit"), rawLogit: name("logit_raw"),
            score: table.probabilities == nil ? nil : name("score"), decision: name("decision"), label: name("label"))
        for column in groupColumns { table.features += try features(of: column) }
        if let chosen = wanted.groupBy {
            // In the order asked for; the group column may hold more features than that.
            table.features = try chosen.map { name throws(ScoreTableError) in
                if let feature = table.features.first(where: { $0.name == name }) { return feature }
                throw fail(
                    column: name,
                    "of --group-by is neither a column nor a feature of the group column (features: \(table.features.map(\.name).joined(separator: ", ")))")
            }
        }
        let groups = table.features.reduce(1) { $0.multipliedReportingOverflow(by: max($1.values.count, 1)).partialValue }
        guard groups >= 1, groups <= PredictionTable.largestGroupCount,
            table.features.allSatisfy({ $0.values.count <= PredictionTable.largestGroupCount })
        else {
            let counts = table.features.map { "\($0.name) has \($0.values.count) values" }.joined(separator: ", ")
            throw fail("makes more than \(PredictionTable.largestGroupCount) groups: \(counts); name fewer features, or coarser ones, with --group-by")
        }
        return table
    }

    /// A column as a feature; a column of `Male=0,Young=1` as the features it is made of.
    private func features(of column: GroupColumn) throws(ScoreTableError) -> [PredictionTable.Feature] {
        let parsed = column.texts.map { text in text.isEmpty ? [] : Self.parts(text) }
        let composite = zip(column.texts, parsed).first { !$0.0.isEmpty }?.1?.map(\.name)
        let isComposite =
            composite != nil && zip(column.texts, parsed).allSatisfy { $0.0.isEmpty || ($0.1.map { $0.map(\.name) } ?? []) == composite }
        guard isComposite, let composite else {
            return [Self.feature(column.name, column.texts.map { $0.isEmpty ? nil : $0 }, column.rows)]
        }
        return composite.indices.map { position in
            Self.feature(composite[position], parsed.map { $0!.isEmpty ? nil : $0![position].value }, column.rows)
        }
    }

    /// `Male=0,Young=1` taken apart; nil when the text is not of this form.
    private static func parts(_ text: String) -> [(name: String, value: String)]? {
        var result: [(name: String, value: String)] = []
        for part in text.split(separator: ",", omittingEmptySubsequences: false) {
            guard let sign = part.firstIndex(of: "=") else { return nil }
            let name = ScoreTable.trim(String(part[..<sign])), value = ScoreTable.trim(String(part[part.index(after: sign)...]))
            if name.isEmpty || value.isEmpty || result.contains(where: { $0.name == name }) { return nil }
            result.append((name, value))
        }
        return result
    }

    /// Values in order: numbers by size, words by letter.
    private static func feature(_ name: String, _ texts: [String?], _ rows: [Int]) -> PredictionTable.Feature {
        let distinct = Set(texts.compactMap(\.self))
        let isNumeric = distinct.allSatisfy { Double($0) != nil }
        let values = distinct.sorted { isNumeric && Double($0)! != Double($1)! ? Double($0)! < Double($1)! : $0 < $1 }
        let positions = texts.map { text in text.flatMap { values.firstIndex(of: $0) } }
        return PredictionTable.Feature(name: name, values: values, rows: rows.map { positions[$0] })
    }
}
