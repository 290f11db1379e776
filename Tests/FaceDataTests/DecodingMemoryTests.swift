// Decoding asks the heap for nothing once a decoder has seen an image. In a process of its own, whose heap nobody else uses.
import AllocationCounter
import FaceData
import TestSupport
import Testing

struct DecodingMemoryTests {
    @Test func aWarmDecoderAsksTheHeapForNothing() async {
        await #expect(processExitsWith: .success) {
            let decoder = ImageDecoder()
            let transform = FaceTransform(imageSize: 20)
            var pixels = [Float](repeating: 0, count: transform.byteCount)
            var cold = 0, warm = 0
            for fixture in ImageFixtures.all.accepted {
                let path = ImageFixtures.path(fixture.file)
                // The coefficients of progressive scans are the one thing that libjpeg allocates past the decoder.
                if try decoder.header(path: path).conversions.contains("progressive scans joined") { continue }
                func requests() throws -> Int {
                    allocation_count_start()
                    try decoder.decode(path: path, transform: transform, into: &pixels)
                    return allocation_count_stop().requests
                }
                cold += try requests()
                let again = try requests()
                #expect(again == 0, "\(fixture.file): \(again) requests")
                warm += 1
            }
            #expect(warm > 40)
            #expect(cold > 0, "the counter is not linked in front of libc")
        }
    }
}
