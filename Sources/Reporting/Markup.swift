// Text that goes into SVG and HTML: escaped once, here, and without the characters that XML forbids.

extension String {
    /// For element content and quoted attributes; control characters that no XML document may hold become U+FFFD.
    package var escapedForMarkup: String {
        var result = ""
        result.reserveCapacity(utf8.count)
        for scalar in unicodeScalars {
            switch scalar {
            case "&": result += "&amp;"
            case "<": result += "&lt;"
            case ">": result += "&gt;"
            case "\"": result += "&quot;"
            case "'": result += "&#39;"
            case "\t", "\n", "\r": result.unicodeScalars.append(scalar)
            case _ where scalar.value < 0x20 || scalar.value == 0x7F || scalar.value == 0xFFFE || scalar.value == 0xFFFF:
                result += "\u{FFFD}"
            default: result.unicodeScalars.append(scalar)
            }
        }
        return result
    }
}

/// A coordinate with at most two decimals: more cannot be seen.
func coordinate(_ value: Double) -> String {
    let rounded = (value * 100).rounded() / 100
    return rounded == rounded.rounded() ? String(Int(rounded)) : String(rounded)
}

/// Collects the elements of one picture.
struct SVGWriter {
    private(set) var text = ""

    mutating func element(_ name: String, _ attributes: KeyValuePairs<String, String>, _ content: String? = nil) {
        text += "<\(name)"
        for (key, value) in attributes { text += " \(key)=\"\(value.escapedForMarkup)\"" }
        text += content.map { ">\($0.escapedForMarkup)</\(name)>\n" } ?? "/>\n"
    }

    mutating func line(_ x1: Double, _ y1: Double, _ x2: Double, _ y2: Double, _ style: String) {
        element("line", ["x1": coordinate(x1), "y1": coordinate(y1), "x2": coordinate(x2), "y2": coordinate(y2), "class": style])
    }

    mutating func label(_ content: String, _ x: Double, _ y: Double, _ style: String, anchor: String = "start") {
        element("text", ["x": coordinate(x), "y": coordinate(y), "class": style, "text-anchor": anchor], content)
    }

    mutating func raw(_ markup: String) { text += markup }
}
