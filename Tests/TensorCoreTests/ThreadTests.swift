// The pool under stress: several callers at once, and a thread count that changes under them.
import Dispatch
import Foundation
import TensorCore
import TestSupport
import Testing

extension TensorCoreSuites {
    @Suite struct ThreadTests {
        @Test func countIsWhatWasConfigured() {
            for count in [1, 4, 2, 1] {
                Threads.configure(count)
                #expect(Threads.count == count)
            }
        }

        /// Callers that find the pool taken work alone; a caller that grows it must not outgrow another's scratch.
        @Test func callersShareThePool() {
            defer { Threads.configure(1) }
            let s = Sweep(
                batch: 8, height: 12, width: 12, channels: 16, kernelHeight: 3, kernelWidth: 3, stride: 1, padding: 1, filters: 24)
            @Sendable func work() -> [Float] {
                var random = TestRandom(1)
                let x = Tensor(s.input, random: &random), w = Tensor(s.weight, random: &random)
                let y = Kernels.conv2dForward(x, weight: w, bias: nil, stride: 1, padding: 1)
                let dw = Tensor(zeros: s.weight)
                Kernels.conv2dBackwardWeight(y, input: x, dWeight: dw, dBias: nil, stride: 1, padding: 1)
                return Kernels.reluForward(y).toArray() + dw.toArray()
            }
            let expected = work()
            let differing = NSLock()
            nonisolated(unsafe) var wrong = 0
            DispatchQueue.concurrentPerform(iterations: 5) { caller in
                for round in 0..<40 {
                    if caller == 0 {
                        Threads.configure(1 + round % 6)
                    } else if work() != expected {
                        differing.withLock { wrong += 1 }
                    }
                }
            }
            #expect(wrong == 0)
        }

        /// Many short jobs with pauses between: workers fall asleep and must wake for the next.
        @Test func sleepersWake() {
            Threads.configure(3)
            defer { Threads.configure(1) }
            var random = TestRandom(2)
            let x = Tensor(Shape(100_000), random: &random), expected = x.toArray().map { max($0, 0) }
            for round in 0..<200 {
                if round % 20 == 0 { Thread.sleep(forTimeInterval: 0.003) }
                #expect(Kernels.reluForward(x).toArray() == expected)
            }
        }
    }
}
