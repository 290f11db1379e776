// Whole training steps: they allocate nothing once warm, and the number of threads does not change a bit of them.
// Each runs in a process of its own, because thread count and pool belong to the process.
import AllocationCounter
import TensorCore
import Testing
import Training

struct SyntheticStepTests {
    @Test func aWarmStepAllocatesNothing() async {
        await #expect(processExitsWith: .success) {
            Threads.configure(2)
            for (size, batch) in [(32, 12), (41, 5)] {
                let step = SyntheticStep(.simpleCNN, imageSize: size, batchSize: batch)
                for _ in 0..<2 { try step.train() }
                let before = TensorStorage.systemAllocations
                for _ in 0..<4 { try step.train() }
                #expect(TensorStorage.systemAllocations == before, "a training step at \(size) px asked the system for memory")
                for _ in 0..<2 { step.infer() }
                let warm = TensorStorage.systemAllocations
                for _ in 0..<4 { step.infer() }
                #expect(TensorStorage.systemAllocations == warm, "inference at \(size) px asked the system for memory")
                #expect(before > 0)
            }
        }
    }

    /// What is left are objects of the language and arrays of the batch's logits: the same number at every image size.
    @Test func aWarmStepAsksTheHeapForNothingThatGrowsWithTheImages() async {
        await #expect(processExitsWith: .success) {
            Threads.configure(2)
            var training: [Int] = [], inference: [Int] = []
            for size in [32, 96] {
                let step = SyntheticStep(.simpleCNN, imageSize: size, batchSize: 12)
                func count(_ body: () throws -> Void) rethrows -> Int {
                    for _ in 0..<2 { try body() }
                    allocation_count_start()
                    try body()
                    let count = allocation_count_stop()
                    #expect(count.requests > 0, "the counter is not linked in front of libc")
                    #expect(count.largest <= 4096 && count.bytes <= 32768, "\(size) px: \(count)")
                    return count.requests
                }
                training.append(try count(step.train))
                inference.append(count(step.infer))
            }
            #expect(training[0] == training[1], "requests per training step at 32 and 96 px: \(training)")
            #expect(inference[0] == inference[1], "requests per inference at 32 and 96 px: \(inference)")
        }
    }

    @Test func threadsDoNotChangeABit() async {
        await #expect(processExitsWith: .success) {
            for isa in InstructionSet.available {
                InstructionSet.current = isa
                var first: [UInt32]?
                for threads in [1, 2, 3, 8] {
                    Threads.configure(threads)
                    let step = SyntheticStep(.simpleCNN, imageSize: 36, batchSize: 10)
                    for _ in 0..<3 { try step.train() }
                    let bits = step.model.store.values.toArray().map(\.bitPattern)
                    if let first {
                        #expect(bits == first, "\(threads) threads differ from 1 with \(isa)")
                    } else {
                        first = bits
                    }
                }
            }
        }
    }
}
