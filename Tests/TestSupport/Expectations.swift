// Comparison helpers that keep the caller's source location.
import Testing

/// Records one issue for the element that misses `|actual − expected| ≤ atol + rtol·|expected|` by most.
public func expectClose<T: BinaryFloatingPoint>(
    _ actual: [T], _ expected: [T], rtol: T = 0, atol: T = 0, _ what: String = "",
    sourceLocation: SourceLocation = #_sourceLocation
) {
    guard actual.count == expected.count else {
        Issue.record("\(what): \(actual.count) values, expected \(expected.count)", sourceLocation: sourceLocation)
        return
    }
    var worst: (index: Int, excess: T)?
    var misses = 0
    for (index, (a, e)) in zip(actual, expected).enumerated() {
        let excess = abs(a - e) - (atol + rtol * abs(e))
        if excess <= 0 { continue }  // false for NaN, which counts as a miss
        misses += 1
        if worst == nil || !(excess <= worst!.excess) { worst = (index, excess) }
    }
    if let worst {
        Issue.record(
            "\(what)[\(worst.index)]: \(actual[worst.index]), expected \(expected[worst.index]); \(misses) of \(actual.count) beyond rtol \(rtol), atol \(atol)",
            sourceLocation: sourceLocation)
    }
}

/// The one-value form of ``expectClose(_:_:rtol:atol:_:sourceLocation:)-([T],_,_,_,_,_)``.
public func expectClose<T: BinaryFloatingPoint>(
    _ actual: T, _ expected: T, rtol: T = 0, atol: T = 0, _ what: String = "",
    sourceLocation: SourceLocation = #_sourceLocation
) {
    expectClose([actual], [expected], rtol: rtol, atol: atol, what, sourceLocation: sourceLocation)
}
