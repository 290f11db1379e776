// How a durable stream tells a record that it has counted before from a new one.

/// What identifies a record, chosen by the user with `--replay-by`.
public enum ReplayIdentity: Equatable, Sendable {
    /// Nothing: every record of every run is new.
    case none
    /// Its number in the input, counted from `first`; `source` names the input, which is sent again from a known place.
    case position(source: String, first: Int)
    /// Its key `offset`, a whole number that rises within a source; the values of `sourceKeys` name the source.
    case offset(sourceKeys: [String])
    /// Its key `id`, unique within a source for as long as answers are kept.
    case id(sourceKeys: [String])

    /// The word of the command line and of the saved state.
    public var name: String {
        switch self {
        case .none: "none"
        case .position: "position"
        case .offset: "offset"
        case .id: "id"
        }
    }
}

/// Where a record stands: its source, and its offset or id there.
public struct ReplayPlace: Hashable, Sendable, CustomStringConvertible {
    public enum Mark: Hashable, Sendable {
        case offset(Int)
        /// The id as JSON text, so that 7 and "7" are two.
        case id(String)
    }

    public let source: String
    public let mark: Mark

    public init(source: String, mark: Mark) {
        self.source = source
        self.mark = mark
    }

    public var description: String {
        let shown = source.isEmpty ? "" : " of source \(source)"
        switch mark {
        case .offset(let offset): return "offset \(offset)\(shown)"
        case .id(let text): return "id \(text)\(shown)"
        }
    }
}

/// The records a durable stream has counted, as far back as their answers are kept.
struct ReplayIndex: Sendable {
    enum Finding: Equatable { case new, replay(sequence: Int), gone }

    let window: Int
    /// Last offset counted per source: what lies at or below it is never new.
    private(set) var lastOffsets: [String: Int]
    private var sequences: [ReplayPlace: Int] = [:]
    /// Places in the order of their sequence numbers, from `oldest` on; those before have left the window.
    private var order: [(sequence: Int, place: ReplayPlace)] = []
    private var oldest = 0
    /// Counted with a transient error, so a second sending is a second try.
    private var retryable: Set<ReplayPlace> = []

    init(window: Int, lastOffsets: [String: Int] = [:]) {
        self.window = window
        self.lastOffsets = lastOffsets
    }

    func find(_ place: ReplayPlace) -> Finding {
        if retryable.contains(place) { return .new }
        if let sequence = sequences[place] { return .replay(sequence: sequence) }
        if case .offset(let offset) = place.mark, let last = lastOffsets[place.source], offset <= last { return .gone }
        return .new
    }

    /// Counts a new record.
    mutating func add(_ place: ReplayPlace, sequence: Int) {
        retryable.remove(place)
        if case .offset(let offset) = place.mark { lastOffsets[place.source] = max(offset, lastOffsets[place.source] ?? offset) }
        guard window > 0 else { return }
        sequences[place] = sequence
        order.append((sequence, place))
        while oldest < order.count, order[oldest].sequence <= sequence - window {
            let (old, place) = order[oldest]
            // A retried record has a younger answer under the same place.
            if sequences[place] == old {
                sequences[place] = nil
                retryable.remove(place)
            }
            oldest += 1
        }
        if oldest > 4096, oldest > order.count / 2 {
            order.removeFirst(oldest)
            oldest = 0
        }
    }

    mutating func allowRetry(_ places: [ReplayPlace]) { retryable.formUnion(places) }
}
