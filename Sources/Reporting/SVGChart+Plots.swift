// How the three kinds of chart fill their plot area.

extension SVGChart {
    /// Returns the height of the picture.
    func drawLines(_ xAxis: Axis, _ yAxis: Axis, _ series: [Series], top: Double, _ writer: inout SVGWriter) -> Double {
        let points = series.flatMap(\.points)
        let plotTop = top + 22, bottom = plotTop + plotHeight
        let y = AxisScale(yAxis, values: points.map(\.y) + limits.map(\.value), from: bottom, to: plotTop, tickCount: 5)
        let left = 14 + (y.ticks.map { textWidth(y.label($0)) }.max() ?? 20), right = width - 14
        let x = AxisScale(xAxis, values: points.map(\.x), from: left, to: right, tickCount: 6)
        writer.label(yAxis.caption, 4, top + 10, "ff-axis")
        for tick in y.ticks {
            guard let at = y.position(tick) else { continue }
            writer.line(left, at, right, at, "ff-grid")
            writer.label(y.label(tick), left - 6, at + 4, "ff-text", anchor: "end")
        }
        drawHorizontalTicks(x, top: bottom, tickLength: 4, &writer)
        writer.line(left, bottom, right, bottom, "ff-rule")
        writer.label(xAxis.caption, (left + right) / 2, bottom + 34, "ff-axis", anchor: "middle")
        for limit in limits {
            if let at = y.position(limit.value) { writer.line(left, at, right, at, "ff-limit") }
        }
        for (index, line) in series.enumerated() {
            let places = line.points.map { point in x.position(point.x).flatMap { px in y.position(point.y).map { (px, $0) } } }
            var path = "", isDrawing = false
            for place in places {
                guard let (px, py) = place else {
                    isDrawing = false
                    continue
                }
                path += "\(isDrawing ? "L" : "M")\(coordinate(px)) \(coordinate(py))"
                isDrawing = true
            }
            if !path.isEmpty { writer.element("path", ["d": path, "class": "ff-line ff-s\(index % 6) ff-d\(index % 4)"]) }
            // Many points would hide the line; a lone one would not be seen without its mark.
            if line.points.count <= 40 {
                for case let (px, py)? in places { Self.marker(index, px, py, &writer) }
            }
        }
        if points.isEmpty { writer.label("no data", (left + right) / 2, (plotTop + bottom) / 2, "ff-text", anchor: "middle") }
        return bottom + 42
    }

    func drawBars(_ axis: Axis, _ categories: [String], _ series: [Bars], top: Double, _ writer: inout SVGWriter) -> Double {
        let barHeight = series.count > 2 ? 8.0 : 10.0
        let rowHeight = max(20, barHeight * Double(series.count) + 8)
        let values = series.flatMap { $0.values.compactMap(\.self) }
        return drawRows(categories, axis, values + [0], rowHeight: rowHeight, top: top, &writer) { row, center, scale, writer in
            let zero = scale.position(0) ?? scale.position(scale.low) ?? 0
            for (index, bars) in series.enumerated() {
                let y = center + (Double(index) - Double(series.count) / 2) * barHeight
                guard let value = bars.values[row], let at = scale.position(value) else {
                    writer.label("undefined", zero + 4, y + barHeight - 1, "ff-small")
                    continue
                }
                writer.element(
                    "rect",
                    [
                        "x": coordinate(min(zero, at)), "y": coordinate(y + 0.5), "width": coordinate(max(abs(at - zero), 0.8)),
                        "height": coordinate(barHeight - 1), "class": "ff-bar ff-s\(index % 6)",
                    ])
            }
        }
    }

    func drawIntervals(_ axis: Axis, _ rows: [Interval], top: Double, _ writer: inout SVGWriter) -> Double {
        let values = rows.flatMap { [$0.value, $0.low, $0.high].compactMap(\.self) }
        return drawRows(rows.map(\.label), axis, values, rowHeight: 20, top: top, &writer) { index, y, scale, writer in
            let row = rows[index]
            let style = "ff-whisker ff-\(row.tone.rawValue)"
            if let low = row.low.flatMap(scale.position), let high = row.high.flatMap(scale.position) {
                writer.line(low, y, high, y, style)
                writer.line(low, y - 4, low, y + 4, style)
                writer.line(high, y - 4, high, y + 4, style)
            }
            if let at = row.value.flatMap(scale.position) {
                Self.dot(row.tone, at, y, &writer)
            } else {
                writer.label("undefined", (scale.position(scale.low) ?? 0) + 4, y + 4, "ff-small")
            }
        }
    }

    /// What bars and intervals share: names at the left, or above each row where that would take more than half the width; one axis
    /// below, limits down through all rows.
    private func drawRows(
        _ names: [String], _ axis: Axis, _ values: [Double], rowHeight: Double, top: Double, _ writer: inout SVGWriter,
        _ drawRow: (Int, Double, AxisScale, inout SVGWriter) -> Void
    ) -> Double {
        let nameWidth = names.map { textWidth($0) }.max() ?? 0
        let isStacked = nameWidth > width * 0.5, nameHeight = isStacked ? 15.0 : 0
        let left = isStacked ? 16 : nameWidth + 16, right = width - 18, rowHeight = rowHeight + nameHeight
        let plotTop = top + 8, bottom = plotTop + rowHeight * Double(max(names.count, 1)) + 4
        let scale = AxisScale(axis, values: values + limits.map(\.value), from: left, to: right, tickCount: 5)
        for tick in scale.ticks {
            if let at = scale.position(tick) { writer.line(at, plotTop, at, bottom, "ff-grid") }
        }
        drawHorizontalTicks(scale, top: bottom, tickLength: 4, &writer)
        writer.line(left, bottom, right, bottom, "ff-rule")
        writer.label(axis.caption, (left + right) / 2, bottom + 34, "ff-axis", anchor: "middle")
        for (index, name) in names.enumerated() {
            let center = plotTop + rowHeight * (Double(index) + 0.5) + nameHeight / 2
            if !isStacked { writer.label(name, left - 8, center + 4, "ff-text", anchor: "end") }
            drawRow(index, center, scale, &writer)
        }
        if scale.low < 0 && scale.high > 0, let zero = scale.position(0) { writer.line(zero, plotTop, zero, bottom, "ff-rule") }
        for limit in limits {
            if let at = scale.position(limit.value) { writer.line(at, plotTop, at, bottom, "ff-limit") }
        }
        // Last, on a halo: lines run behind these names.
        for (index, name) in names.enumerated() where isStacked {
            writer.label(shortened(name, width: width - 24), left, plotTop + rowHeight * Double(index) + 13, "ff-text ff-halo")
        }
        if names.isEmpty { writer.label("no data", (left + right) / 2, (plotTop + bottom) / 2, "ff-text", anchor: "middle") }
        return bottom + 42
    }

    /// Ticks and their labels along a horizontal axis; labels that would touch are left out.
    private func drawHorizontalTicks(_ scale: AxisScale, top: Double, tickLength: Double, _ writer: inout SVGWriter) {
        var free = -Double.infinity
        for tick in scale.ticks {
            guard let at = scale.position(tick) else { continue }
            writer.line(at, top, at, top + tickLength, "ff-rule")
            let text = scale.label(tick), half = textWidth(text) / 2
            if at - half > free {
                writer.label(text, at, top + 17, "ff-text", anchor: "middle")
                free = at + half + 4
            }
        }
    }

    /// The look of all charts: colours that differ for colour-blind readers, on light and on dark ground, and in print.
    public static let style = """
        .ff-chart{--ff-ink:#1b2430;--ff-soft:#5a6675;--ff-grid:#e3e7ec;--ff-paper:#fff;\
        --ff0:#0b62c4;--ff1:#c2410c;--ff2:#0f766e;--ff3:#7c3aed;--ff4:#a16207;--ff5:#be185d;\
        --ff-good:#15803d;--ff-bad:#c62828;--ff-unsure:#9a6700;max-width:100%;height:auto;\
        font-family:system-ui,-apple-system,"Segoe UI",Roboto,"Liberation Sans",Arial,sans-serif}
        @media (prefers-color-scheme:dark){.ff-chart{--ff-ink:#e6eaf0;--ff-soft:#a3adba;--ff-grid:#2c3440;--ff-paper:#14181e;\
        --ff0:#6cb0ff;--ff1:#ff9a5c;--ff2:#4fd1c0;--ff3:#bb9bff;--ff4:#e3b341;--ff5:#ff85b5;\
        --ff-good:#56d364;--ff-bad:#ff7b72;--ff-unsure:#e3b341}}
        @media print{.ff-chart{--ff-ink:#000;--ff-soft:#333;--ff-grid:#ddd;--ff-paper:#fff;\
        --ff0:#0b62c4;--ff1:#c2410c;--ff2:#0f766e;--ff3:#7c3aed;--ff4:#a16207;--ff5:#be185d;\
        --ff-good:#15803d;--ff-bad:#c62828;--ff-unsure:#9a6700}}
        .ff-title{font-size:14px;font-weight:600;fill:var(--ff-ink)}.ff-text{font-size:12px;fill:var(--ff-ink)}
        .ff-halo{paint-order:stroke;stroke:var(--ff-paper);stroke-width:4px;stroke-linejoin:round}
        .ff-axis{font-size:12px;fill:var(--ff-soft)}.ff-small{font-size:10px;fill:var(--ff-soft)}
        .ff-grid{stroke:var(--ff-grid);stroke-width:1}.ff-rule{stroke:var(--ff-soft);stroke-width:1}
        .ff-limit{stroke:var(--ff-ink);stroke-width:1.4;stroke-dasharray:5 3}
        .ff-line{fill:none;stroke-width:2;stroke-linejoin:round;stroke:var(--ff-c)}.ff-mark,.ff-bar{fill:var(--ff-c)}
        .ff-d1{stroke-dasharray:7 3}.ff-d2{stroke-dasharray:2 3}.ff-d3{stroke-dasharray:9 3 2 3}
        .ff-s0{--ff-c:var(--ff0)}.ff-s1{--ff-c:var(--ff1)}.ff-s2{--ff-c:var(--ff2)}.ff-s3{--ff-c:var(--ff3)}.ff-s4{--ff-c:var(--ff4)}.ff-s5{--ff-c:var(--ff5)}
        .ff-whisker{stroke-width:2;stroke:var(--ff-c)}.ff-dot{fill:var(--ff-c);stroke:var(--ff-c);stroke-width:1.6}
        .ff-neutral{--ff-c:var(--ff0)}.ff-good{--ff-c:var(--ff-good)}.ff-bad{--ff-c:var(--ff-bad)}.ff-unsure{--ff-c:var(--ff-unsure)}
        .ff-dot.ff-unsure{fill:var(--ff-paper)}
        """
}
