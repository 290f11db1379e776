// Charts as plain SVG text: lines, bars and intervals, with axes, units, legend and a text alternative. No script, no fonts,
// no colours but CSS classes, so one picture serves light and dark pages.
import Foundation

/// One chart. Make it with ``lines(title:description:x:y:series:limits:)``, ``bars(title:description:x:categories:series:limits:)``
/// or ``intervals(title:description:x:rows:limits:)``; take it with ``svg(id:)`` (a file of its own) or ``figure(id:)`` (inside a page).
public struct SVGChart: Sendable {
    /// A named run of points; they are joined in the order given, with a gap wherever a value is not finite.
    public struct Series: Sendable {
        public var name: String
        public var points: [(x: Double, y: Double)]

        public init(_ name: String, _ points: [(x: Double, y: Double)]) {
            self.name = name
            self.points = points
        }
    }

    /// One bar per category; nil draws none and says so.
    public struct Bars: Sendable {
        public var name: String
        public var values: [Double?]

        public init(_ name: String, _ values: [Double?]) {
            self.name = name
            self.values = values
        }
    }

    /// A point with its interval.
    public struct Interval: Sendable {
        public enum Tone: String, Sendable { case neutral, good, bad, unsure }
        public var label: String
        public var value: Double?
        public var low: Double?
        public var high: Double?
        public var tone: Tone

        public init(_ label: String, value: Double?, low: Double?, high: Double?, tone: Tone = .neutral) {
            self.label = label
            self.value = value
            self.low = low
            self.high = high
            self.tone = tone
        }
    }

    /// A dashed line across the plot, such as a tolerance. Without a name it is not in the legend.
    public struct Limit: Sendable {
        public var name: String
        public var value: Double

        public init(_ name: String, _ value: Double) {
            self.name = name
            self.value = value
        }
    }

    enum Content: Sendable {
        case lines(x: Axis, y: Axis, [Series])
        case bars(x: Axis, categories: [String], [Bars])
        case intervals(x: Axis, [Interval])
    }

    public let title: String
    /// What the chart shows, in words, for those who cannot see it.
    public let description: String
    /// Units: pixels at full size. The picture scales to its place.
    public var width = 460.0
    /// Of the plot area of a line chart; rows set the height of the others.
    public var plotHeight = 190.0
    let content: Content
    let limits: [Limit]

    /// Series over a common axis.
    public static func lines(
        title: String, description: String, x: Axis, y: Axis, series: [Series], limits: [Limit] = []
    ) -> SVGChart {
        SVGChart(title: title, description: description, content: .lines(x: x, y: y, series), limits: limits)
    }

    /// Horizontal bars, one row per category, grouped where there are several series. Bars start at 0.
    public static func bars(
        title: String, description: String, x: Axis, categories: [String], series: [Bars], limits: [Limit] = []
    ) -> SVGChart {
        precondition(series.allSatisfy { $0.values.count == categories.count }, "bars and categories of unequal number")
        return SVGChart(title: title, description: description, content: .bars(x: x, categories: categories, series), limits: limits)
    }

    /// One row per interval: a point and its whiskers.
    public static func intervals(
        title: String, description: String, x: Axis, rows: [Interval], limits: [Limit] = []
    ) -> SVGChart {
        SVGChart(title: title, description: description, content: .intervals(x: x, rows), limits: limits)
    }

    /// A file of its own: the style inside, an XML document.
    public func svg(id: String = "chart") -> String { markup(id: id, style: "<style>\(Self.style)</style>\n") }

    /// For a page that holds ``style`` once. `id` must differ between the charts of a page.
    public func figure(id: String) -> String { markup(id: id, style: "") }

    private func markup(id: String, style: String) -> String {
        var writer = SVGWriter()
        var y = 16.0
        for line in wrapped(title, width: width - 8, characterWidth: 8.6) {
            writer.label(line, 4, y, "ff-title")
            y += 18
        }
        y = drawLegend(at: y, &writer)
        let height: Double
        switch content {
        case .lines(let x, let axis, let series): height = drawLines(x, axis, series, top: y, &writer)
        case .bars(let axis, let categories, let series): height = drawBars(axis, categories, series, top: y, &writer)
        case .intervals(let axis, let rows): height = drawIntervals(axis, rows, top: y, &writer)
        }
        let head = """
            <svg xmlns="http://www.w3.org/2000/svg" class="ff-chart" viewBox="0 0 \(coordinate(width)) \(coordinate(height))" \
            width="\(coordinate(width))" height="\(coordinate(height))" role="img" aria-labelledby="\(id.escapedForMarkup)-t \(id.escapedForMarkup)-d">
            <title id="\(id.escapedForMarkup)-t">\(title.escapedForMarkup)</title>
            <desc id="\(id.escapedForMarkup)-d">\(description.escapedForMarkup)</desc>

            """
        return head + style + writer.text + "</svg>\n"
    }

    // MARK: Legend

    /// Swatch and name per series and limit, wrapped; nothing where one series needs no name. Returns the next free y.
    private func drawLegend(at top: Double, _ writer: inout SVGWriter) -> Double {
        var names: [String]
        switch content {
        case .lines(_, _, let series): names = series.map(\.name)
        case .bars(_, _, let series): names = series.map(\.name)
        case .intervals(_, let rows): names = Self.toneNames(rows)
        }
        if case .intervals = content {} else if names.count == 1 && limits.isEmpty { names = [] }
        var x = 4.0, y = top + 4
        func place(_ name: String, _ draw: (Double, Double, inout SVGWriter) -> Void, _ writer: inout SVGWriter) {
            let space = 26 + textWidth(name) + 12
            if x > 4 && x + space > width { (x, y) = (4, y + 17) }
            draw(x, y, &writer)
            writer.label(name, x + 24, y + 4, "ff-text")
            x += space
        }
        for (index, name) in names.enumerated() where !name.isEmpty {
            place(
                name,
                { x, y, writer in
                    switch content {
                    case .lines:
                        writer.line(x, y, x + 19, y, "ff-line ff-s\(index % 6) ff-d\(index % 4)")
                        Self.marker(index, x + 9.5, y, &writer)
                    case .bars:
                        writer.element(
                            "rect", ["x": coordinate(x + 3), "y": coordinate(y - 5), "width": "13", "height": "10", "class": "ff-bar ff-s\(index % 6)"])
                    case .intervals(_, let rows):
                        let tones = Self.tones(rows)
                        writer.line(x, y, x + 19, y, "ff-whisker ff-\(tones[index].rawValue)")
                        Self.dot(tones[index], x + 9.5, y, &writer)
                    }
                }, &writer)
        }
        for limit in limits where !limit.name.isEmpty { place(limit.name, { x, y, writer in writer.line(x, y, x + 19, y, "ff-limit") }, &writer) }
        return x > 4 || y > top + 4 ? y + 14 : top
    }

    private static func tones(_ rows: [Interval]) -> [Interval.Tone] {
        [.good, .bad, .unsure, .neutral].filter { tone in rows.contains { $0.tone == tone } }
    }

    private static func toneNames(_ rows: [Interval]) -> [String] {
        let tones = tones(rows)
        if tones == [.neutral] { return [] }
        return tones.map { tone in
            switch tone {
            case .good: "within the tolerance"
            case .bad: "beyond it"
            case .unsure: "cannot be told"
            case .neutral: "no tolerance"
            }
        }
    }

    /// Shapes differ beside colours: circle, square, triangle, diamond.
    static func marker(_ index: Int, _ x: Double, _ y: Double, _ writer: inout SVGWriter) {
        let style = "ff-mark ff-s\(index % 6)"
        switch index % 4 {
        case 0: writer.element("circle", ["cx": coordinate(x), "cy": coordinate(y), "r": "2.8", "class": style])
        case 1: writer.element("rect", ["x": coordinate(x - 2.6), "y": coordinate(y - 2.6), "width": "5.2", "height": "5.2", "class": style])
        case 2: writer.element("path", ["d": "M\(coordinate(x)) \(coordinate(y - 3.5))l3.4 6h-6.8z", "class": style])
        default: writer.element("path", ["d": "M\(coordinate(x)) \(coordinate(y - 3.6))l3.6 3.6l-3.6 3.6l-3.6 -3.6z", "class": style])
        }
    }

    /// Filled where the answer is known, hollow where it is not.
    static func dot(_ tone: Interval.Tone, _ x: Double, _ y: Double, _ writer: inout SVGWriter) {
        writer.element("circle", ["cx": coordinate(x), "cy": coordinate(y), "r": "3.6", "class": "ff-dot ff-\(tone.rawValue)"])
    }

    // MARK: Text

    /// About the width of a text at 12 pixels, on the wide side: there is no font to ask.
    func textWidth(_ text: String) -> Double { Double(text.count) * 7.1 }

    func wrapped(_ text: String, width: Double, characterWidth: Double) -> [String] {
        let limit = max(8, Int(width / characterWidth))
        var lines: [String] = []
        for word in text.split(separator: " ") {
            if let last = lines.last, last.count + 1 + word.count <= limit {
                lines[lines.count - 1] = "\(last) \(word)"
            } else {
                lines.append(String(word))
            }
        }
        return lines
    }

    func shortened(_ text: String, width: Double) -> String {
        let limit = max(4, Int(width / 7.1))
        return text.count <= limit ? text : String(text.prefix(limit - 1)) + "…"
    }
}
