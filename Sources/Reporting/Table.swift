// A table of results as aligned text, Markdown or CSV. It knows no domain type.

public struct Table: Sendable {
    public struct Column: Sendable {
        public enum Alignment: Sendable { case left, right }
        public let title: String
        public let alignment: Alignment

        public init(_ title: String, _ alignment: Alignment = .right) {
            self.title = title
            self.alignment = alignment
        }
    }

    public let title: String?
    public let columns: [Column]
    public private(set) var rows: [[String]] = []

    public init(title: String? = nil, _ columns: [Column]) {
        self.title = title
        self.columns = columns
    }

    public mutating func append(_ row: [String]) {
        precondition(row.count == columns.count, "a row of \(row.count) cells in a table of \(columns.count) columns")
        rows.append(row)
    }

    /// Columns padded to their widest cell, two spaces between them, a rule under the head.
    public var text: String {
        let widths = columns.indices.map { i in ([columns[i].title] + rows.map { $0[i] }).map(\.count).max()! }
        func line(_ cells: [String]) -> String {
            let padded = cells.indices.map { i -> String in
                let space = String(repeating: " ", count: widths[i] - cells[i].count)
                return columns[i].alignment == .left ? cells[i] + space : space + cells[i]
            }
            var text = padded.joined(separator: "  ")
            while text.last == " " { text.removeLast() }
            return text
        }
        let rule = widths.map { String(repeating: "-", count: $0) }.joined(separator: "  ")
        let body = [line(columns.map(\.title)), rule] + rows.map(line)
        return ((title.map { [$0] } ?? []) + body).joined(separator: "\n")
    }

    /// GitHub's table syntax; pipes in cells are escaped.
    public var markdown: String {
        func line(_ cells: [String]) -> String {
            "| " + cells.map { $0.split(separator: "|", omittingEmptySubsequences: false).joined(separator: "\\|") }
                .joined(separator: " | ") + " |"
        }
        let rule = "|" + columns.map { $0.alignment == .left ? "---|" : "---:|" }.joined()
        let body = [line(columns.map(\.title)), rule] + rows.map(line)
        return ((title.map { ["### \($0)", ""] } ?? []) + body).joined(separator: "\n")
    }

    /// RFC 4180; the title is left out.
    public var csv: String {
        ([columns.map(\.title)] + rows).map { $0.map(Self.quoted).joined(separator: ",") + "\n" }.joined()
    }

    private static func quoted(_ cell: String) -> String {
        guard cell.contains(where: { ",\"\r\n".contains($0) }) else { return cell }
        return "\"" + cell.split(separator: "\"", omittingEmptySubsequences: false).joined(separator: "\"\"") + "\""
    }
}
