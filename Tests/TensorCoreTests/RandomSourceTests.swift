// The generator against the published vectors of its authors, and what callers rely on.
import Foundation
import TensorCore
import TestSupport
import Testing

extension TensorCoreSuites {
    @Suite struct RandomSourceTests {
        /// Source: kat_vectors of Random123, philox4x32, 10 rounds.
        @Test func knownAnswers() {
            let all = UInt32.max
            #expect(
                RandomSource.philox(counter: (0, 0, 0, 0), key: (0, 0))
                    == (0x6627_e8d5, 0xe169_c58d, 0xbc57_ac4c, 0x9b00_dbd8))
            #expect(
                RandomSource.philox(counter: (all, all, all, all), key: (all, all))
                    == (0x408f_276d, 0x41c8_3b0e, 0xa20b_c7c6, 0x6d54_51fd))
            #expect(
                RandomSource.philox(
                    counter: (0x243f_6a88, 0x85a3_08d3, 0x1319_8a2e, 0x0370_7344), key: (0xa409_3822, 0x299f_31d0))
                    == (0xd16c_fe09, 0x94fd_cceb, 0x5001_e420, 0x2412_6ea1))
        }

        @Test func firstValuesAreTheFirstBlock() {
            var random = RandomSource(seed: 0)
            #expect(random.next() == 0xe169_c58d_6627_e8d5)
            #expect(random.next() == 0x9b00_dbd8_bc57_ac4c)
            #expect(random.position == 2)
        }

        @Test func resumesFromItsEncoding() throws {
            var random = RandomSource(seed: 42, stream: 7)
            for _ in 0..<5 { _ = random.next() }
            var resumed = try JSONDecoder().decode(RandomSource.self, from: JSONEncoder().encode(random))
            #expect(resumed == random)
            #expect((0..<9).map { _ in resumed.next() } == (0..<9).map { _ in random.next() })
        }

        @Test func forksDependOnSeedAndStreamOnly() {
            var random = RandomSource(seed: 1)
            let early = random.fork(3)
            _ = random.next()
            #expect(random.fork(3) == early)
            var sources = [RandomSource(seed: 1), RandomSource(seed: 2), RandomSource(seed: 1, stream: 1)]
            sources += (0..<50).map { RandomSource(seed: 1).fork($0) }
            sources += (0..<50).map { RandomSource(seed: 1).fork(0).fork($0) }
            let firsts = sources.map { source in
                var source = source
                return source.next()
            }
            #expect(Set(firsts).count == sources.count)
        }

        @Test func distributions() {
            var random = RandomSource(seed: 9)
            let n = 200_000
            let uniform = (0..<n).map { _ in random.uniform() }
            #expect(uniform.allSatisfy { $0 >= 0 && $0 < 1 })
            expectClose(uniform.reduce(0, +) / Double(n), 0.5, atol: 0.004)
            let normal = (0..<n).map { _ in random.normal() }
            expectClose(normal.reduce(0, +) / Double(n), 0, atol: 0.01)
            expectClose(normal.reduce(0) { $0 + $1 * $1 } / Double(n), 1, atol: 0.02)
            #expect(normal.allSatisfy { $0.isFinite })
            var counts = [Int](repeating: 0, count: 7)
            for _ in 0..<70_000 { counts[random.int(below: 7)] += 1 }
            #expect(counts.allSatisfy { abs($0 - 10_000) < 500 })
        }

        @Test(arguments: [0, 1, 2, 1000])
        func permutationHoldsEveryNumberOnce(_ n: Int) {
            var random = RandomSource(seed: 3)
            let first = random.permutation(n), second = random.permutation(n)
            #expect(first.sorted() == Array(0..<n))
            if n == 1000 { #expect(first != second && first != Array(0..<n)) }
        }
    }
}
