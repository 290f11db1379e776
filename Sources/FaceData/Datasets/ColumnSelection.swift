// From "--target race=Black --group-by gender,age" to a label and a group per row, for any table of categorical columns.

/// A column that a data set offers, before its rows are read.
struct ColumnDeclaration: Codable, Equatable, Sendable {
    let name: String
    let values: [String]
    /// The values that mean label 1 when the column is named alone; nil where it takes NAME=VALUE.
    let positive: Set<Int>?
    /// What label 1 then means.
    let positiveName: String?

    /// A yes/no column with values "0" and "1".
    static func binary(_ name: String) -> ColumnDeclaration {
        ColumnDeclaration(name: name, values: ["0", "1"], positive: [1], positiveName: name)
    }
}

/// Which columns a data set reads, resolved from names. Errors here are usage errors.
struct ColumnRequest: Sendable {
    let target: String
    let positive: String
    let targetColumn: Int
    let positiveValues: Set<Int>
    let groupColumns: [Int]
    let declarations: [ColumnDeclaration]

    static let mostGroups = 4096

    /// The columns to read, target first, each once.
    var columns: [Int] { [targetColumn] + groupColumns }

    /// The end of a message about an unknown name: the nearest one, if any, and all of them.
    private static func choices(for name: String, of known: [String]) -> String {
        let hint = Suggestion.closest(to: name, in: known).map { "; did you mean '\($0)'?" } ?? "."
        return "\(hint) It has: \(known.joined(separator: ", "))"
    }

    /// `absent` makes the error for a column or value that is not there.
    init(
        dataset: String, declarations: [ColumnDeclaration], target: String, groupBy: [String],
        absent: (String) -> DatasetError = { .usage($0) }
    ) throws(DatasetError) {
        self.target = target
        self.declarations = declarations
        let names = declarations.map(\.name)
        func column(_ name: String, _ what: String) throws(DatasetError) -> Int {
            if let found = names.firstIndex(of: name) { return found }
            throw absent("\(dataset) has no \(what) '\(name)'\(ColumnRequest.choices(for: name, of: names))")
        }

        let parts = target.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
        targetColumn = try column(parts[0], "target")
        let declaration = declarations[targetColumn]
        if parts.count == 2 {
            guard let value = declaration.values.firstIndex(of: parts[1]) else {
                throw absent(
                    "target '\(target)': \(parts[0]) has no value '\(parts[1])'\(ColumnRequest.choices(for: parts[1], of: declaration.values))")
            }
            positiveValues = [value]
            positive = target
        } else if let alone = declaration.positive {
            positiveValues = alone
            positive = declaration.positiveName ?? target
        } else {
            let example = "\(target)=\(declaration.values.first ?? "VALUE")"
            throw .usage(
                "target '\(target)' has \(declaration.values.count) values; say which one is label 1, for example --target '\(example)'. Its values: \(declaration.values.joined(separator: ", "))")
        }

        guard !groupBy.isEmpty else { throw .usage("--group-by needs at least one feature of: \(names.joined(separator: ", "))") }
        var groups: [Int] = []
        for name in groupBy {
            let index = try column(name, "feature")
            guard !groups.contains(index) else { throw .usage("--group-by names '\(name)' twice") }
            guard index != targetColumn else {
                throw .usage(
                    "'\(name)' is the target and cannot be a group-by feature too: every group would have one label only. Leave it out of --group-by or choose another --target")
            }
            groups.append(index)
        }
        groupColumns = groups
        let count = groups.reduce(1.0) { $0 * Double(declarations[$1].values.count) }
        guard count <= Double(ColumnRequest.mostGroups) else {
            throw .usage("--group-by \(groupBy.joined(separator: ",")) makes \(Int(count)) groups; \(ColumnRequest.mostGroups) are allowed")
        }
    }
}

/// The chosen columns of a table that has been read: value codes per row, -1 where a cell is empty.
struct ColumnSelection: Sendable {
    let request: ColumnRequest
    /// As `request.columns`: the target's codes first.
    let codes: [[Int16]]

    var target: String { request.target }
    var positive: String { request.positive }
    var features: [DatasetFeature] {
        request.groupColumns.map { DatasetFeature(name: request.declarations[$0].name, values: request.declarations[$0].values) }
    }

    func label(_ row: Int) -> Int? {
        let code = Int(codes[0][row])
        return code < 0 ? nil : request.positiveValues.contains(code) ? 1 : 0
    }

    func group(_ row: Int) -> Int {
        var group = 0
        for (position, column) in request.groupColumns.enumerated() {
            let code = Int(codes[position + 1][row])
            if code < 0 { return -1 }
            group = group * request.declarations[column].values.count + code
        }
        return group
    }
}
