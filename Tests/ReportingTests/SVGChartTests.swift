// Charts are well-formed, place values where their axis says, escape what they are given, and say what is undefined.
import Foundation
import FoundationXML
import Reporting
import Testing

/// Elements with their attributes and text, in document order; throws when the text is not XML.
private final class Elements: NSObject, XMLParserDelegate {
    struct Element { let name: String, attributes: [String: String]; var text = "" }
    private(set) var all: [Element] = []
    private var open: [Int] = []

    init(_ text: String) throws {
        super.init()
        let parser = XMLParser(data: Data(text.utf8))
        parser.delegate = self
        if !parser.parse() { throw parser.parserError ?? CocoaError(.fileReadCorruptFile) }
    }

    func parser(
        _ parser: XMLParser, didStartElement name: String, namespaceURI: String?, qualifiedName: String?, attributes: [String: String]
    ) {
        open.append(all.count)
        all.append(Element(name: name, attributes: attributes))
    }
    func parser(_ parser: XMLParser, didEndElement name: String, namespaceURI: String?, qualifiedName: String?) { open.removeLast() }
    func parser(_ parser: XMLParser, foundCharacters string: String) { if let last = open.last { all[last].text += string } }

    func with(_ style: String) -> [Element] {
        all.filter { ($0.attributes["class"] ?? "").split(separator: " ").contains(Substring(style)) }
    }
    func texts(_ style: String) -> [String] { with(style).map(\.text) }
}

private func number(_ element: Elements.Element, _ key: String) throws -> Double {
    try #require(element.attributes[key].flatMap(Double.init))
}

struct SVGChartTests {
    private let hostile = "a<b>&\"'\u{1}"

    @Test func everyKindIsAWellFormedPictureWithATextAlternative() throws {
        let charts = [
            SVGChart.lines(
                title: hostile, description: hostile, x: .init(hostile, unit: hostile), y: .init("y"),
                series: [.init(hostile, [(x: 0, y: 1), (x: 1, y: 2)]), .init("b", [])], limits: [.init(hostile, 1.5)]),
            .bars(title: hostile, description: hostile, x: .init("x"), categories: [hostile], series: [.init(hostile, [1]), .init("c", [nil])]),
            .intervals(
                title: hostile, description: hostile, x: .init("x"),
                rows: [.init(hostile, value: 1, low: 0, high: 2), .init("none", value: nil, low: nil, high: nil)]),
            .lines(title: "none", description: "none", x: .init("x"), y: .init("y"), series: []),
            .bars(title: "none", description: "none", x: .init("x"), categories: [], series: []),
            .intervals(title: "none", description: "none", x: .init("x"), rows: []),
        ]
        for chart in charts {
            for text in [chart.svg(), chart.figure(id: hostile)] {
                let picture = try Elements(text)
                let root = try #require(picture.all.first)
                #expect(root.name == "svg" && root.attributes["role"] == "img")
                #expect(picture.all.contains { $0.name == "title" } && picture.all.contains { $0.name == "desc" })
                #expect(!text.contains("NaN") && !text.contains("inf\"") && !text.contains("<script"))
            }
            #expect(chart.svg().contains("prefers-color-scheme:dark") && !chart.figure(id: "x").contains("<style"))
        }
        #expect(try Elements(charts[3].svg()).texts("ff-text").contains("no data"))
        #expect(try Elements(charts[0].svg()).texts("ff-axis").contains("\(hostile.dropLast())\u{FFFD} (\(hostile.dropLast())\u{FFFD})"))
    }

    @Test func linesRunWhereTheAxesSay() throws {
        let chart = SVGChart.lines(
            title: "t", description: "d", x: .init("epoch"), y: .init("loss"),
            series: [.init("a", [(x: 0, y: 0), (x: 5, y: 5), (x: 6, y: .nan), (x: 10, y: 10)])])
        let picture = try Elements(chart.svg())
        let path = try #require(picture.with("ff-line").first?.attributes["d"])
        #expect(path.split(separator: "M").count == 2, "the missing value parts the line")
        let marks = picture.with("ff-mark")
        #expect(marks.count == 3)
        // The middle of both axes is in the middle of the plot, and y grows upwards.
        let x = try marks.map { try number($0, "cx") }, y = try marks.map { try number($0, "cy") }
        #expect(abs(x[1] - (x[0] + x[2]) / 2) < 0.02 && abs(y[1] - (y[0] + y[2]) / 2) < 0.02)
        #expect(x[2] > x[0] && y[2] < y[0])
        #expect(picture.texts("ff-text").filter { $0 == "10" }.count == 2)
    }

    @Test func logarithmicAxesHaveDecades() throws {
        let chart = SVGChart.lines(
            title: "t", description: "d", x: .init("epoch"), y: .init("gap", unit: "logits", scale: .logarithmic),
            series: [.init("a", [(x: 1, y: 10), (x: 2, y: 0.1), (x: 3, y: 0.001), (x: 4, y: 0)])])
        let picture = try Elements(chart.svg())
        let y = try picture.with("ff-mark").map { try number($0, "cy") }
        #expect(y.count == 3, "0 has no place")
        #expect(abs((y[1] - y[0]) - (y[2] - y[1])) < 0.03)
        for tick in ["10", "1", "0.1", "0.01", "0.001"] { #expect(picture.texts("ff-text").contains(tick)) }
    }

    @Test func barsStartAtZeroAndUndefinedHasNone() throws {
        let chart = SVGChart.bars(
            title: "t", description: "d", x: .init("gap"), categories: ["a", "b", "c"], series: [.init("s", [2, -1, nil])])
        let picture = try Elements(chart.svg())
        let bars = picture.with("ff-bar")
        #expect(bars.count == 2 && picture.texts("ff-small") == ["undefined"])
        let zero = try number(bars[0], "x")
        #expect(abs(try number(bars[1], "x") + number(bars[1], "width") - zero) < 0.02)
        #expect(abs(try number(bars[0], "width") - 2 * number(bars[1], "width")) < 0.03)
    }

    @Test func intervalsShowTheirToneAndLimits() throws {
        let chart = SVGChart.intervals(
            title: "t", description: "d", x: .init("difference"),
            rows: [
                .init("a", value: 0.1, low: 0.05, high: 0.15, tone: .bad), .init("b", value: 0.01, low: -0.02, high: 0.03, tone: .good),
                .init("c", value: nil, low: nil, high: nil, tone: .unsure),
            ], limits: [.init("tolerance", 0.04), .init("", -0.04)])
        let picture = try Elements(chart.svg())
        #expect(picture.with("ff-limit").count == 3, "two in the plot, one in the legend")
        for name in ["within the tolerance", "beyond it", "cannot be told", "tolerance"] {
            #expect(picture.texts("ff-text").contains(name))
        }
        let dots = picture.with("ff-dot").suffix(2)
        #expect(try number(dots.first!, "cx") > number(dots.last!, "cx"))
    }

    @Test func longNamesStandAboveTheirRows() throws {
        let long = "Female,Southeast Asian − Male,Latino_Hispanic"
        for name in ["short", long] {
            let rows = [SVGChart.Interval(name, value: 0.1, low: 0, high: 0.2), .init("b", value: 0.1, low: 0, high: 0.2)]
            let picture = try Elements(SVGChart.intervals(title: "t", description: "d", x: .init("x"), rows: rows).svg())
            let label = try #require(picture.with("ff-text").first { $0.text == name }, "\(name) is not cut")
            let dot = try #require(picture.with("ff-dot").first)
            let isAbove = try number(label, "y") < number(dot, "cy") - 3
            #expect(isAbove == (name == long) && label.attributes["text-anchor"] == (name == long ? "start" : "end"))
        }
    }

    @Test(arguments: [(0.0, 0.0), (1e-300, 2e-300), (-1e150, 1e150), (1e15, 1e15 + 0.25), (.infinity, .nan), (3, 3)])
    func anyRangeGivesAPicture(low: Double, high: Double) throws {
        for scale in [SVGChart.Axis.Scale.linear, .logarithmic] {
            let chart = SVGChart.lines(
                title: "t", description: "d", x: .init("x"), y: .init("y", scale: scale), series: [.init("s", [(x: 0, y: low), (x: 1, y: high)])])
            let text = chart.svg()
            _ = try Elements(text)
            #expect(text.utf8.count < 20_000 && !text.contains("nan"))
        }
    }

    @Test func figures() {
        #expect(Figure.text(0.12345) == "0.1235" && Figure.text(nil) == "–" && Figure.text(0) == "0.0000")
        #expect(Figure.text(0.00012) == "1.2e-04" && Figure.text(-.infinity) == "–" && Figure.percent(0.1234) == "12.3 %")
    }
}
