// What the suites of this module share: tensors from test data and the one serial parent suite.
import TensorCore
import TestSupport
import Testing

/// Parent of all suites here. They run one after the other because the thread count is process-wide.
@Suite(.serialized) struct TensorCoreSuites {}

extension Tensor {
    init(_ shape: Shape, random: inout TestRandom) { self.init(shape, random.floats(shape.count)) }
}

/// Thread counts that every kernel must agree on, bit for bit; 3 and 8 exceed the cores of a small machine on purpose.
let threadCounts = [1, 2, 3, 8]

/// Runs `body` once per thread count and expects bit-equal arrays.
func expectSameForAnyThreadCount(
    _ what: String, sourceLocation: SourceLocation = #_sourceLocation, _ body: () -> [[Float]]
) {
    let before = Threads.count
    defer { Threads.configure(before) }
    var first: [[UInt32]]?
    for count in threadCounts {
        Threads.configure(count)
        let bits = body().map { $0.map(\.bitPattern) }
        if let first {
            #expect(bits == first, "\(what): \(count) threads differ from 1", sourceLocation: sourceLocation)
        } else {
            first = bits
        }
    }
}
