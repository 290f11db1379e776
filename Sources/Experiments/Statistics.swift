// Mean and spread over seeds, as tables print them.
import Foundation

enum Statistics {
    static func mean(_ values: [Double?]) -> Double? {
        let known = values.compactMap(\.self)
        return known.count == values.count && !known.isEmpty ? known.reduce(0, +) / Double(known.count) : nil
    }

    /// The sample standard deviation; nil for fewer than two values.
    static func deviation(_ values: [Double?]) -> Double? {
        guard let mean = mean(values), values.count > 1 else { return nil }
        return (values.reduce(0) { $0 + ($1! - mean) * ($1! - mean) } / Double(values.count - 1)).squareRoot()
    }

    /// Mean, and the deviation where there are several seeds; a dash where a seed has no value.
    static func spread(_ values: [Double?]) -> String {
        guard let mean = mean(values) else { return "-" }
        return deviation(values).map { "\(digits(mean)) ± \(digits($0))" } ?? digits(mean)
    }

    static func digits(_ value: Double) -> String {
        abs(value) < 0.001 && value != 0 ? String(format: "%.1e", value) : String(format: "%.4f", value)
    }

    static func signed(_ value: Double?) -> String { value.map { String(format: "%+.4f", $0) } ?? "-" }
}

extension Sequence {
    /// The elements by key, in the order in which the keys first come.
    func grouped<Key: Hashable>(by key: (Element) -> Key) -> [(key: Key, elements: [Element])] {
        var order: [Key] = []
        var groups: [Key: [Element]] = [:]
        for element in self {
            let key = key(element)
            if groups[key] == nil { order.append(key) }
            groups[key, default: []].append(element)
        }
        return order.map { ($0, groups[$0]!) }
    }
}
