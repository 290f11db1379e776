// Pages are well-formed, self-contained, escape what they are given, and lead to every section.
import Foundation
import FoundationXML
import Reporting
import Testing

/// Names, attributes and text of a document that is XML as well as HTML; throws when it is not.
private final class Markup: NSObject, XMLParserDelegate {
    private(set) var names: [String] = []
    private(set) var attributes: [(name: String, value: String)] = []
    private(set) var text = ""

    init(_ markup: String) throws {
        super.init()
        let parser = XMLParser(data: Data(markup.utf8))
        parser.delegate = self
        if !parser.parse() { throw parser.parserError ?? CocoaError(.fileReadCorruptFile) }
    }

    func parser(
        _ parser: XMLParser, didStartElement name: String, namespaceURI: String?, qualifiedName: String?, attributes: [String: String]
    ) {
        names.append(name)
        self.attributes += attributes.map { ($0.key, $0.value) }
    }
    func parser(_ parser: XMLParser, foundCharacters string: String) { text += string }
}

struct HTMLPageTests {
    private let hostile = "</style><script>alert('x')</script> \"&\u{1} `a<b` `"

    private var page: String {
        var page = HTMLPage(title: hostile)
        page.badges([(hostile, .good)])
        page.section(hostile)
        page.heading(hostile)
        page.paragraph(hostile)
        page.list([hostile, "b"])
        page.notice(hostile, tone: .bad)
        page.facts([.init(hostile, hostile), .init("code", hostile, isCode: true, tone: .unsure)])
        page.code(hostile)
        page.section("Second")
        var table = Table(title: hostile, [.init(hostile, .left), .init("n")])
        table.append([hostile, "1"])
        page.table(table)
        page.section("Third")
        page.details(hostile, open: true) { $0.paragraph("inside") }
        page.charts([
            .lines(title: hostile, description: hostile, x: .init("x"), y: .init("y"), series: [.init("a", [(x: 0, y: 0)])]),
            .bars(title: "b", description: "d", x: .init("x"), categories: [hostile], series: [.init("c", [1])]),
        ])
        return page.html(subtitle: hostile, footer: hostile)
    }

    @Test func everyPartIsWellFormedAndEscaped() throws {
        let html = page
        let markup = try Markup(html)
        #expect(!markup.names.contains("script") && markup.names.filter { $0 == "style" }.count == 1)
        #expect(html.hasPrefix("<!DOCTYPE html>") && markup.names.filter { $0 == "svg" }.count == 2)
        #expect(markup.text.contains("alert('x')") && html.contains("<code>a&lt;b</code> `"))
        let ids = markup.attributes.filter { $0.name == "id" }.map(\.value)
        #expect(Set(ids).count == ids.count, "\(ids)")
        for target in markup.attributes where target.name == "href" { #expect(ids.contains(String(target.value.dropFirst()))) }
        #expect(markup.attributes.filter { $0.name == "href" }.count == 3)
    }

    @Test func nothingIsFetched() {
        let html = page
        for word in ["http:", "https:", "src=", "@import", "url(", "onload", "javascript:"] {
            #expect(!html.replacingOccurrences(of: "http://www.w3.org/2000/svg", with: "").contains(word), "\(word)")
        }
        for rule in ["prefers-color-scheme:dark", "@media print", "max-width:40rem", "width=device-width"] { #expect(html.contains(rule)) }
    }

    @Test func tablesHeadTheirRowsAndColumns() throws {
        var table = Table(title: "Fruit", [.init("name", .left), .init("n")])
        table.append(["a|<b>", "7"])
        let html = table.html
        _ = try Markup(html)
        #expect(html.contains("<caption>Fruit</caption>") && html.contains("<th scope=\"col\" class=\"l\">name</th><th scope=\"col\">n</th>"))
        #expect(html.contains("<tr><th scope=\"row\" class=\"l\">a|&lt;b&gt;</th><td>7</td></tr>"))
        #expect(try Markup(Table([.init("only")]).html).names.filter { $0 == "tr" }.count == 1)
    }

    @Test func aShortPageNeedsNoContents() {
        var page = HTMLPage(title: "t")
        page.section("one")
        #expect(!page.html().contains("<nav") && !page.html().contains("<footer"))
    }
}
