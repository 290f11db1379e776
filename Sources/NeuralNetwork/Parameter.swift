// One named tensor of a model, and the flat buffers that hold all of them.
import TensorCore

/// The two learning rates of the paper.
public enum ParameterGroup: String, CaseIterable, Codable, Sendable { case backbone, head }

/// A trainable tensor, or a buffer (running statistics) that is saved but has no gradient.
public final class Parameter {
    /// The torch state-dict key.
    public let name: String
    public let group: ParameterGroup
    public let isBuffer: Bool
    public internal(set) var value: Tensor
    /// Shape: as `value`; of a buffer: unused.
    public internal(set) var gradient: Tensor
    let initialize: (Tensor, inout RandomSource) -> Void

    public init(
        _ name: String, _ shape: Shape, group: ParameterGroup, isBuffer: Bool = false,
        initialize: @escaping (Tensor, inout RandomSource) -> Void
    ) {
        self.name = name
        self.group = group
        self.isBuffer = isBuffer
        self.initialize = initialize
        value = Tensor(shape)
        gradient = isBuffer ? value : Tensor(zeros: shape)
    }
}

extension Parameter {
    /// "conv1" of "backbone.conv1.weight", "head.0" of "head.0.weight".
    var layerName: String {
        let parts = name.split(separator: ".")
        return parts.dropFirst(parts.first == "backbone" ? 1 : 0).dropLast().joined(separator: ".")
    }
}

/// All parameters of a model in one flat buffer of values and one of gradients, so that clipping, saving and an optimizer
/// step are single loops. Backbone parameters come first, then the head's; each group is contiguous.
public final class ParameterStore {
    public let parameters: [Parameter]
    public let buffers: [Parameter]
    public let values: Tensor
    public let gradients: Tensor
    private let groupRanges: [ParameterGroup: Range<Int>]

    /// Moves the parameters into the flat buffers and initialises each from its own random stream.
    public init(_ all: [Parameter], random: RandomSource) {
        for (index, parameter) in all.enumerated() {
            var stream = random.fork(UInt64(index))
            parameter.initialize(parameter.value, &stream)
        }
        buffers = all.filter(\.isBuffer)
        let trainable = all.filter { !$0.isBuffer }
        let ordered = ParameterGroup.allCases.flatMap { group in trainable.filter { $0.group == group } }
        parameters = ordered
        let count = ordered.reduce(0) { $0 + $1.value.count }
        values = Tensor(zeros: Shape(count))
        gradients = Tensor(zeros: Shape(count))

        var offset = 0
        var ranges: [ParameterGroup: Range<Int>] = [:]
        for parameter in ordered {
            let view = values.view(offset: offset, parameter.value.shape)
            view.copy(from: parameter.value)
            parameter.value = view
            parameter.gradient = gradients.view(offset: offset, view.shape)
            let start = ranges[parameter.group]?.lowerBound ?? offset
            offset += view.count
            ranges[parameter.group] = start..<offset
        }
        groupRanges = ranges
    }

    public func zeroGradients() { gradients.fill(0) }

    /// The range of a group in the flat buffers; empty if the model has none of it.
    public func range(of group: ParameterGroup) -> Range<Int> { groupRanges[group] ?? 0..<0 }

    /// Everything a checkpoint holds, in the model's own order.
    public var all: [Parameter] { parameters + buffers }
}
