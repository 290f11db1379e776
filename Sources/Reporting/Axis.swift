// Axes of charts: what is measured in which unit, the range that holds all values, and ticks at round numbers.
import Foundation

extension SVGChart {
    public struct Axis: Sendable {
        public enum Scale: Sendable {
            case linear
            /// Decades; values of 0 and below have no place and are left out.
            case logarithmic
        }

        public var title: String
        /// Appended to the title in parentheses.
        public var unit: String?
        public var scale: Scale
        /// Values the axis must reach, such as 0...1 for a rate; it grows where the data need more.
        public var includes: [Double]
        /// Counts have no ticks between whole numbers.
        public var isWhole: Bool

        public init(_ title: String, unit: String? = nil, scale: Scale = .linear, includes: [Double] = [], isWhole: Bool = false) {
            self.title = title
            self.unit = unit
            self.scale = scale
            self.includes = includes
            self.isWhole = isWhole
        }

        var caption: String { unit.map { "\(title) (\($0))" } ?? title }
    }
}

/// An axis laid over pixels.
struct AxisScale {
    let low: Double, high: Double
    let ticks: [Double]
    let isLogarithmic: Bool
    private let from: Double, to: Double

    /// - Parameters:
    ///   - values: everything that will be drawn; what is not finite (or not positive on a logarithmic axis) is ignored.
    ///   - from: Units: pixels; where `low` is drawn.
    ///   - to: Units: pixels; where `high` is drawn.
    init(_ axis: SVGChart.Axis, values: [Double], from: Double, to: Double, tickCount: Int) {
        (self.from, self.to) = (from, to)
        isLogarithmic = axis.scale == .logarithmic
        let logarithmic = isLogarithmic
        let usable = (values + axis.includes).filter { $0.isFinite && abs($0) < 1e200 && (!logarithmic || $0 > 1e-200) }
        var low = usable.min() ?? (logarithmic ? 1 : 0), high = usable.max() ?? 1
        if logarithmic {
            low = pow(10, log10(low).rounded(.down))
            high = pow(10, log10(high).rounded(.up))
            if high <= low { high = low * 10 }
            let decades = Int((log10(high / low)).rounded())
            let stride = max(1, (decades + tickCount - 1) / tickCount)
            ticks = Swift.stride(from: 0, through: decades, by: stride).map { low * pow(10, Double($0)) }
        } else {
            if high == low { (low, high) = low == 0 ? (0, 1) : (low - abs(low) / 2, high + abs(high) / 2) }
            let round = AxisScale.roundStep((high - low) / Double(max(tickCount, 1)))
            let step = axis.isWhole ? max(1, round.rounded(.up)) : round
            // A hair of slack, so that 0.30000000000000004 does not open another step.
            low = (low / step + 1e-9).rounded(.down) * step
            high = (high / step - 1e-9).rounded(.up) * step
            ticks = (0...Int(((high - low) / step).rounded())).map { low + Double($0) * step }
        }
        (self.low, self.high) = (low, high)
    }

    /// 1, 2 or 5 times a power of ten, at least `step`.
    static func roundStep(_ step: Double) -> Double {
        let power = pow(10, log10(step).rounded(.down))
        let multiple = [1.0, 2, 5, 10].first { $0 * power >= step * (1 - 1e-9) } ?? 10
        return multiple * power
    }

    /// Pixels of a value; nil where it has no place on the axis.
    func position(_ value: Double) -> Double? {
        guard value.isFinite, !isLogarithmic || value > 0 else { return nil }
        let fraction = isLogarithmic ? log(value / low) / log(high / low) : (value - low) / (high - low)
        return from + min(max(fraction, -0.02), 1.02) * (to - from)
    }

    func label(_ tick: Double) -> String {
        if isLogarithmic { return Figure.short(tick) }
        let step = ticks.count > 1 ? ticks[1] - ticks[0] : 1
        let size = max(abs(low), abs(high))
        if size >= 1e6 || step < 1e-5 { return Figure.short(abs(tick) < step / 2 ? 0 : tick) }
        let digits = max(0, Int((-log10(step) - 1e-9).rounded(.up)))
        return Figure.fixed(abs(tick) < step / 2 ? 0 : tick, digits)
    }
}

/// Numbers as people read them.
public enum Figure {
    /// Four digits after the point; 1.2e-05 below a thousandth; "–" for what is undefined.
    public static func text(_ value: Double?) -> String {
        guard let value, value.isFinite else { return "–" }
        if value != 0 && (abs(value) < 0.001 || abs(value) >= 1e6) { return String(format: "%.1e", value) }
        return fixed(value, 4)
    }

    public static func fixed(_ value: Double, _ digits: Int) -> String { String(format: "%.\(digits)f", value) }

    /// A share of one as a percentage with one decimal.
    public static func percent(_ value: Double?) -> String {
        guard let value, value.isFinite else { return "–" }
        return fixed(value * 100, 1) + " %"
    }

    /// Up to three significant digits.
    static func short(_ value: Double) -> String { String(format: "%.3g", value) }
}
