// Resized pixels kept in memory, so that epochs after the first do not decode.
import Synchronization

/// Room for the first samples of a list, as many as the budget allows: which samples are kept never depends on timing.
final class PixelCache: Sendable {
    private enum State: UInt8 { case empty, filling, filled }

    let capacity: Int
    private let imageBytes: Int
    // A plain buffer that workers share: an image's bytes are written by the one worker that moved its state to filling, and read
    // only after the state, under the lock, became filled.
    private nonisolated(unsafe) let pixels: UnsafeMutablePointer<UInt8>
    private let states: Mutex<[State]>

    init(sampleCount: Int, imageBytes: Int, budget: Int) {
        capacity = min(sampleCount, max(0, budget) / imageBytes)
        self.imageBytes = imageBytes
        pixels = .allocate(capacity: max(1, capacity * imageBytes))  // untouched pages cost nothing
        states = Mutex([State](repeating: .empty, count: capacity))
    }

    deinit { pixels.deallocate() }

    /// The kept pixels of a sample.
    func pixels(_ sample: Int) -> UnsafePointer<UInt8>? {
        guard sample < capacity, states.withLock({ $0[sample] }) == .filled else { return nil }
        return UnsafePointer(pixels + sample * imageBytes)
    }

    /// Where to decode a sample to; nil when there is no room or another worker is at it. Finish with ``end(_:isFilled:)``.
    func begin(_ sample: Int) -> UnsafeMutablePointer<UInt8>? {
        guard sample < capacity else { return nil }
        let isMine = states.withLock { states in
            guard states[sample] == .empty else { return false }
            states[sample] = .filling
            return true
        }
        return isMine ? pixels + sample * imageBytes : nil
    }

    func end(_ sample: Int, isFilled: Bool) {
        states.withLock { $0[sample] = isFilled ? .filled : .empty }
    }
}
