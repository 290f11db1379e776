// One self-contained page: headings, paragraphs, tables, charts, commands. No script, nothing fetched; everything that comes from
// data is escaped here and nowhere else.

/// Made by appending parts in order; taken with ``html(subtitle:footer:)``.
///
/// Texts are plain, except that what stands between backticks is set as code. They may hold anything else, markup included: it is
/// shown, not obeyed.
public struct HTMLPage: Sendable {
    /// How a notice is coloured; its words must say the same.
    public enum Tone: String, Sendable { case neutral, good, bad, unsure }

    /// A named value of ``facts(_:)``.
    public struct Fact: Sendable {
        public var name: String
        public var text: String
        /// Set as code that keeps its line breaks.
        public var isCode: Bool
        public var tone: Tone

        public init(_ name: String, _ text: String, isCode: Bool = false, tone: Tone = .neutral) {
            (self.name, self.text, self.isCode, self.tone) = (name, text, isCode, tone)
        }
    }

    public let title: String
    private var parts: [String] = []
    private var sections: [(id: String, title: String)] = []
    private var charts = 0

    public init(title: String) { self.title = title }

    // MARK: Parts

    /// A section with an entry in the table of contents.
    public mutating func section(_ title: String) {
        let id = "s\(sections.count + 1)"
        sections.append((id, title))
        parts.append("<h2 id=\"\(id)\">\(title.escapedForMarkup)</h2>\n")
    }

    public mutating func heading(_ title: String) { parts.append("<h3>\(title.escapedForMarkup)</h3>\n") }

    public mutating func paragraph(_ text: String) { parts.append("<p>\(Self.inline(text))</p>\n") }

    public mutating func list(_ items: [String]) {
        guard !items.isEmpty else { return }
        parts.append("<ul>\n" + items.map { "<li>\(Self.inline($0))</li>\n" }.joined() + "</ul>\n")
    }

    /// A paragraph that stands out.
    public mutating func notice(_ text: String, tone: Tone = .neutral) {
        parts.append("<p class=\"notice \(tone.rawValue)\">\(Self.inline(text))</p>\n")
    }

    /// Small labels beside each other, such as a verdict or what kind of data this is.
    public mutating func badges(_ badges: [(text: String, tone: Tone)]) {
        parts.append("<p class=\"badges\">" + badges.map { "<span class=\"badge \($0.tone.rawValue)\">\($0.text.escapedForMarkup)</span>" }.joined(separator: " ") + "</p>\n")
    }

    /// Names with their values, one per line.
    public mutating func facts(_ facts: [Fact]) {
        parts.append("<dl>\n" + facts.map { fact in
            let value = fact.isCode ? "<pre><code>\(fact.text.escapedForMarkup)</code></pre>" : Self.inline(fact.text)
            return "<div><dt>\(fact.name.escapedForMarkup)</dt><dd class=\"\(fact.tone.rawValue)\">\(value)</dd></div>\n"
        }.joined() + "</dl>\n")
    }

    /// A command or file content, line breaks kept.
    public mutating func code(_ text: String) { parts.append("<pre><code>\(text.escapedForMarkup)</code></pre>\n") }

    public mutating func table(_ table: Table) { parts.append(table.html) }

    /// Charts beside each other where the page is wide enough.
    public mutating func charts(_ charts: [SVGChart]) {
        guard !charts.isEmpty else { return }
        parts.append("<div class=\"charts\">\n")
        for chart in charts {
            self.charts += 1
            parts.append("<figure>\(chart.figure(id: "c\(self.charts)"))</figure>\n")
        }
        parts.append("</div>\n")
    }

    /// Something that is folded away on screen until it is opened. `body` appends its parts to the page it is given.
    public mutating func details(_ summary: String, open: Bool = false, _ body: (inout HTMLPage) -> Void) {
        parts.append("<details\(open ? " open=\"\"" : "")><summary>\(summary.escapedForMarkup)</summary>\n")
        body(&self)
        parts.append("</details>\n")
    }

    // MARK: The page

    /// The document; `subtitle` stands under the title, `footer` at the end.
    public func html(subtitle: String = "", footer: String = "") -> String {
        let contents = sections.map { "<a href=\"#\($0.id)\">\($0.title.escapedForMarkup)</a>" }.joined(separator: "\n")
        return """
            <!DOCTYPE html>
            <html lang="en">
            <head>
            <meta charset="utf-8"/>
            <meta name="viewport" content="width=device-width, initial-scale=1"/>
            <meta name="color-scheme" content="light dark"/>
            <meta name="generator" content="facefair"/>
            <title>\(title.escapedForMarkup)</title>
            <style>
            \(Self.style)
            \(SVGChart.style)
            </style>
            </head>
            <body>
            <header><h1>\(title.escapedForMarkup)</h1>\(subtitle.isEmpty ? "" : "\n<p>\(Self.inline(subtitle))</p>")</header>
            \(sections.count > 2 ? "<nav aria-label=\"Contents\">\n\(contents)\n</nav>\n" : "")<main>
            \(parts.joined())</main>
            \(footer.isEmpty ? "" : "<footer><p>\(Self.inline(footer))</p></footer>\n")</body>
            </html>

            """
    }

    /// Escaped, with `code` between backticks; a lone backtick is one.
    static func inline(_ text: String) -> String {
        let pieces = text.split(separator: "`", omittingEmptySubsequences: false).map { String($0).escapedForMarkup }
        var result = pieces[0]
        for (index, piece) in pieces.enumerated().dropFirst() {
            if index % 2 == 0 { result += piece } else if index + 1 < pieces.count { result += "<code>\(piece)</code>" } else { result += "`\(piece)" }
        }
        return result
    }

    static let style = """
        :root{color-scheme:light dark;--ink:#1b2430;--soft:#56616f;--line:#d8dde4;--paper:#fff;--shade:#f3f5f8;--link:#0b57b0;\
        --good:#15703a;--bad:#b3261e;--unsure:#835600}
        @media (prefers-color-scheme:dark){:root{--ink:#e6eaf0;--soft:#a3adba;--line:#333c49;--paper:#14181e;--shade:#1d232c;--link:#82b7ff;\
        --good:#56d364;--bad:#ff8a80;--unsure:#e3b341}}
        *{box-sizing:border-box}
        body{margin:0 auto;padding:1.25rem 1rem 3rem;max-width:70rem;color:var(--ink);background:var(--paper);\
        font:16px/1.5 system-ui,-apple-system,"Segoe UI",Roboto,"Liberation Sans",Arial,sans-serif;overflow-wrap:anywhere}
        h1{font-size:1.6rem;line-height:1.25;margin:0 0 .25rem}h2{font-size:1.25rem;margin:2.2rem 0 .6rem;padding-top:.6rem;border-top:1px solid var(--line)}
        h3{font-size:1rem;margin:1.4rem 0 .4rem}p,ul{margin:.5rem 0;max-width:48rem}header p{color:var(--soft);margin:.2rem 0}
        a{color:var(--link)}nav{display:flex;flex-wrap:wrap;gap:.2rem 1.1rem;margin:.9rem 0 0;font-size:.9rem}
        code{font:.86em/1.45 ui-monospace,SFMono-Regular,Menlo,"Liberation Mono",monospace;background:var(--shade);padding:.06em .3em;border-radius:3px}
        pre{background:var(--shade);border:1px solid var(--line);border-radius:6px;padding:.6rem .75rem;margin:.5rem 0;white-space:pre-wrap}
        pre code{background:none;padding:0}
        dl{margin:.6rem 0;border-top:1px solid var(--line)}dl>div{display:grid;grid-template-columns:13rem 1fr;gap:.2rem 1rem;padding:.4rem 0;border-bottom:1px solid var(--line)}
        dt{color:var(--soft)}dd{margin:0;min-width:0}dd pre{margin:0}
        .good{--tone:var(--good)}.bad{--tone:var(--bad)}.unsure{--tone:var(--unsure)}.neutral{--tone:var(--soft)}
        dd.good,dd.bad,dd.unsure{border-left:4px solid var(--tone);padding-left:.6rem}
        .notice{border-left:4px solid var(--tone);background:var(--shade);padding:.6rem .8rem;border-radius:0 6px 6px 0}
        .badges{margin:.7rem 0}.badge{display:inline-block;border:1.5px solid var(--tone);color:var(--tone);border-radius:1rem;padding:.05rem .65rem;margin:.1rem 0;font-size:.88rem;font-weight:600}
        .scroll{overflow-x:auto;margin:.6rem 0}.scroll:focus-visible{outline:2px solid var(--link)}
        table{border-collapse:collapse;font-size:.88rem;font-variant-numeric:tabular-nums;overflow-wrap:normal}
        caption{caption-side:top;text-align:left;color:var(--soft);padding:.2rem 0 .3rem}
        th,td{padding:.28rem .6rem;border-bottom:1px solid var(--line);text-align:right;vertical-align:top}
        thead th{border-bottom:2px solid var(--line);vertical-align:bottom}th{font-weight:600}tbody th{font-weight:400}td{white-space:nowrap}.l{text-align:left;white-space:normal}
        tbody tr:nth-child(even){background:var(--shade)}
        .charts{display:grid;grid-template-columns:repeat(auto-fill,minmax(min(100%,21rem),1fr));gap:1rem 1.5rem;margin:.8rem 0}
        figure{margin:0;min-width:0}figure .ff-chart{display:block;width:100%;max-width:30rem}
        details{margin:.6rem 0}summary{cursor:pointer;color:var(--link)}footer{margin-top:2.5rem;border-top:1px solid var(--line);color:var(--soft);font-size:.88rem}
        @media (max-width:40rem){dl>div{grid-template-columns:1fr}h1{font-size:1.35rem}body{padding:1rem .8rem 2rem}}
        @media print{:root{--ink:#000;--soft:#333;--line:#bbb;--paper:#fff;--shade:#f4f4f4;--link:#000;--good:#0b5c2c;--bad:#a11710;--unsure:#6a4600}
        body{max-width:none;padding:0;font-size:10.5pt}nav{display:none}h2,h3,caption{break-after:avoid}figure,tr,dl>div,pre{break-inside:avoid}
        .scroll{overflow:visible}table{font-size:8.5pt}th,td{padding:.15rem .35rem}details::details-content{content-visibility:visible;display:block}}
        """
}

extension Table {
    /// A `<table>` in a box that scrolls sideways where it is too wide. The first column heads its rows.
    public var html: String {
        func cell(_ tag: String, _ index: Int, _ text: String, scope: String) -> String {
            let style = columns[index].alignment == .left ? " class=\"l\"" : ""
            return "<\(tag)\(scope)\(style)>\(text.escapedForMarkup)</\(tag)>"
        }
        let head = columns.indices.map { cell("th", $0, columns[$0].title, scope: " scope=\"col\"") }.joined()
        let body = rows.map { row in
            "<tr>" + row.enumerated().map { index, text in
                index == 0 ? cell("th", 0, text, scope: " scope=\"row\"") : cell("td", index, text, scope: "")
            }.joined() + "</tr>\n"
        }.joined()
        let label = (title ?? columns.first?.title ?? "table").escapedForMarkup
        let caption = title.map { "<caption>\($0.escapedForMarkup)</caption>\n" } ?? ""
        return """
            <div class="scroll" role="region" aria-label="\(label)" tabindex="0"><table>
            \(caption)<thead><tr>\(head)</tr></thead>
            <tbody>
            \(body)</tbody></table></div>

            """
    }
}
