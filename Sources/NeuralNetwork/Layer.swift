// What every layer is: a forward pass, its hand-written backward pass, and a list of parameters.
import TensorCore

/// Training uses batch statistics and dropout and saves what `backward` needs; inference does neither.
public enum Mode: Sendable { case training, inference }

public protocol Layer: AnyObject {
    /// Shape: x `[N, …]` → `[N, …]`. Saves what `backward` needs only in `.training`.
    func forward(_ x: Tensor, _ mode: Mode) -> Tensor
    /// Shape: as forward's output → as forward's input. Adds into parameter gradients. May be called twice on one forward.
    func backward(_ dy: Tensor) -> Tensor
    /// Calls `visit` once per parameter, in checkpoint order.
    func visitParameters(_ visit: (Parameter) -> Void)
    /// Drops saved tensors.
    func trim()
    /// Drops what was computed from parameter values that have been written since.
    func parametersChanged()
    /// What a table of times calls it; nil for a layer without parameters, which is named after the one before it.
    var label: String? { get }
    /// Arithmetic worth counting, a multiplication and an addition as two; 0 for passes that are bound by memory.
    func operations(input: Shape) -> (forward: Double, backward: Double)
}

extension Layer {
    public var label: String? { nil }
    public func operations(input: Shape) -> (forward: Double, backward: Double) { (0, 0) }
    public func visitParameters(_ visit: (Parameter) -> Void) {}
    public func trim() {}
    public func parametersChanged() {}
}

/// What a layer says when `backward` comes before a training forward.
func unsaved(_ layer: String) -> Never {
    fatalError("\(layer).backward needs a forward in .training before it")
}
