// Where a network's time goes, layer by layer and pass by pass.
import Synchronization
import TensorCore

/// Collects the time of every layer that runs while it is attached by ``record(_:)``. Costs nothing otherwise.
public final class LayerTimes: Sendable {
    public enum Pass: String, Codable, Sendable { case forward, backward, infer, update }

    public struct Key: Hashable, Sendable {
        public var layer: String
        public var pass: Pass
    }

    public struct Entry: Sendable {
        public var key: Key
        /// One per run, in order.  Units: seconds.
        public var seconds: [Double]
        /// Arithmetic of one run, a multiplication and an addition counted as two; 0 where it is not worth counting.
        public var operations: Double

        public var median: Double { seconds.sorted()[seconds.count / 2] }
    }

    @TaskLocal static var attached: LayerTimes?
    private struct State {
        var order: [Key] = []
        var entries: [Key: Entry] = [:]
        /// Arithmetic of backward passes to come.
        var backward: [Key: Double] = [:]
    }

    private let state = Mutex(State())

    public init() {}

    /// In the order in which they first ran.
    public var entries: [Entry] { state.withLock { state in state.order.map { state.entries[$0]! } } }

    /// Books the layers that `body` runs on this thread.
    public func record<T>(_ body: () throws -> T) rethrows -> T {
        try LayerTimes.$attached.withValue(self, operation: body)
    }

    /// Books a piece of work that is no layer.
    public func time<T>(_ name: String, _ pass: Pass, _ body: () throws -> T) rethrows -> T {
        let start = ContinuousClock.now
        defer { add(Key(layer: name, pass: pass), seconds: (ContinuousClock.now - start) / .seconds(1)) { 0 } }
        return try body()
    }

    static func forward(_ layer: any Layer, _ name: @autoclosure () -> String, _ x: Tensor, _ mode: Mode) -> Tensor {
        guard let times = attached, !(layer is Sequential) else { return layer.forward(x, mode) }
        let start = ContinuousClock.now
        let y = layer.forward(x, mode)
        let seconds = (ContinuousClock.now - start) / .seconds(1)
        let key = Key(layer: name(), pass: mode == .training ? .forward : .infer)
        times.add(key, seconds: seconds) { layer.operations(input: x.shape).forward }
        if mode == .training { times.expect(Key(layer: key.layer, pass: .backward), layer.operations(input: x.shape).backward) }
        return y
    }

    static func backward(_ layer: any Layer, _ name: @autoclosure () -> String, _ dy: Tensor) -> Tensor {
        guard let times = attached, !(layer is Sequential) else { return layer.backward(dy) }
        let start = ContinuousClock.now
        let dx = layer.backward(dy)
        let seconds = (ContinuousClock.now - start) / .seconds(1)
        times.add(Key(layer: name(), pass: .backward), seconds: seconds) { 0 }
        return dx
    }

    private func add(_ key: Key, seconds: Double, operations: () -> Double) {
        state.withLock { state in
            if state.entries[key] == nil {
                state.entries[key] = Entry(key: key, seconds: [], operations: state.backward[key] ?? operations())
                state.order.append(key)
            }
            state.entries[key]!.seconds.append(seconds)
        }
    }

    /// Only the forward pass sees the input whose shape says how much arithmetic the backward pass will be.
    private func expect(_ key: Key, _ operations: Double) {
        state.withLock { $0.backward[key] = operations }
    }
}
