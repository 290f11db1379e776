// Cuts a byte stream into lines, whatever the sizes of the pieces it arrives in, with a limit on the length of a line.

/// One line of input without its line end.
package enum InputLine: Equatable, Sendable {
    case text([UInt8])
    /// Longer than the limit; the bytes are gone, their number is not.
    case tooLong(bytes: Int)
}

/// Feed it chunks; it calls back once per line that is not blank.
package struct LineSplitter {
    package let limit: Int
    private var pending: [UInt8] = []
    /// Bytes of the current line that were thrown away because it is too long.
    private var discarded = 0
    private var isStart = true

    package init(limit: Int) { self.limit = limit }

    package mutating func feed(_ chunk: ArraySlice<UInt8>, _ emit: (InputLine) -> Void) {
        var start = chunk.startIndex
        while let end = chunk[start...].firstIndex(of: 0x0A) {
            take(chunk[start..<end])
            finish(emit)
            start = end + 1
        }
        take(chunk[start...])
    }

    /// The last line may lack its line end.
    package mutating func end(_ emit: (InputLine) -> Void) {
        if !pending.isEmpty || discarded > 0 { finish(emit) }
    }

    private mutating func take(_ part: ArraySlice<UInt8>) {
        // One byte more than the limit is kept: it may be the \r of a \r\n.
        if discarded > 0 {
            discarded += part.count
        } else if pending.count + part.count > limit + 1 {
            discarded = pending.count + part.count
            pending = []
        } else {
            pending.append(contentsOf: part)
        }
    }

    private mutating func finish(_ emit: (InputLine) -> Void) {
        defer {
            pending.removeAll(keepingCapacity: true)
            discarded = 0
            isStart = false
        }
        if discarded > 0 { return emit(.tooLong(bytes: discarded)) }
        if pending.last == 0x0D { pending.removeLast() }
        if isStart, pending.starts(with: [0xEF, 0xBB, 0xBF]) { pending.removeFirst(3) }
        if pending.count > limit { return emit(.tooLong(bytes: pending.count)) }
        if pending.allSatisfy({ $0 == 0x20 || $0 == 0x09 || $0 == 0x0D }) { return }
        emit(.text(pending))
    }
}
