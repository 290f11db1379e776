// The test helpers must fail when they should.
import TestSupport
import Testing

extension TensorCoreSuites {
    @Suite struct HelperTests {
        @Test func gradCheckSeesAWrongGradient() {
            var random = TestRandom(1)
            let x = random.floats(50)
            func square(_ x: [Float]) -> [Float] { x.map { $0 * $0 } }
            gradCheck(at: x, forward: square, backward: { zip($0, x).map { 2 * $0 * $1 } })
            for wrong: Float in [1.002, .nan] {
                withKnownIssue { gradCheck(at: x, forward: square, backward: { zip($0, x).map { 2 * wrong * $0 * $1 } }) }
            }
            withKnownIssue {
                gradCheck(at: x, forward: square, backward: { dy in x.indices.map { $0 == 7 ? 0 : 2 * dy[$0] * x[$0] } })
            }
        }

        @Test(arguments: [-1, 0, 4])
        func guardsSeeAWriteOutside(_ index: Int) {
            let buffer = GuardedBuffer(floats: 4, misalignment: 12)
            buffer.expectIntact()
            #expect(buffer.values.allSatisfy { $0.isNaN })
            buffer.floats[index] = 1
            if index == 0 { buffer.expectIntact() } else { withKnownIssue { buffer.expectIntact() } }
        }
    }
}
