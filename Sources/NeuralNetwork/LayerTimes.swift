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

    /// The name of every layer: its label, or the label before it.
    static func names(of layers: [any Layer]) -> [String] {
        var last = ""
        return layers.map { layer in
            if let label = layer.label { last = label }
            return layer.label ?? "\(type(of: layer)) after \(last)"
        }
    }

    /// These book what they are made of.
    private static func isMadeOfLayers(_ layer: any Layer) -> Bool { layer is Sequential || layer is FusedRun }

    static func forward(_ layer: any Layer, _ name: @autoclosure () -> String, _ x: Tensor, _ mode: Mode) -> Tensor {
        guard attached != nil, !isMadeOfLayers(layer) else { return layer.forward(x, mode) }
        return part(name(), mode == .training ? .forward : .infer, layer.operations(input: x.shape)) { layer.forward(x, mode) }
    }

    static func backward(_ layer: any Layer, _ name: @autoclosure () -> String, _ dy: Tensor) -> Tensor {
        guard attached != nil, !isMadeOfLayers(layer) else { return layer.backward(dy) }
        return part(name(), .backward, (0, 0)) { layer.backward(dy) }
    }

    /// Runs one pass of a layer, or of what stands for several, and books it. Only the forward pass sees the input whose shape says how
    /// much arithmetic both will be; a backward pass takes what the forward pass announced.
    static func part<T>(
        _ name: @autoclosure () -> String, _ pass: Pass, _ operations: @autoclosure () -> (forward: Double, backward: Double),
        _ body: () -> T
    ) -> T {
        guard let times = attached else { return body() }
        let start = ContinuousClock.now
        let result = body()
        let seconds = (ContinuousClock.now - start) / .seconds(1)
        let key = Key(layer: name(), pass: pass)
        times.add(key, seconds: seconds) { operations().forward }
        if pass == .forward { times.expect(Key(layer: key.layer, pass: .backward), operations().backward) }
        return result
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

    private func expect(_ key: Key, _ operations: Double) {
        state.withLock { $0.backward[key] = operations }
    }
}
