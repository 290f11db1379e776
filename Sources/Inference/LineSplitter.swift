// Cuts a byte stream into lines, whatever the sizes of the pieces it arrives in, with a limit on the length of a line.
import Foundation

/// One line of input without its line end.
package enum InputLine: Equatable, Sendable {
    case text([UInt8])
    /// Longer than the limit; the bytes are gone, their number is not.
    case tooLong(bytes: Int)
}

/// Feed it chunks; it calls back once per line that is not blank.
package struct LineSplitter {
    package let limit: Int
    /// The beginning of a line whose end has not arrived.
    private var pending: [UInt8] = []
    /// Bytes of the current line that were thrown away because it is too long.
    private var discarded = 0
    private var isStart = true

    package init(limit: Int) { self.limit = limit }

    package mutating func feed(_ chunk: ArraySlice<UInt8>, _ emit: (InputLine) -> Void) {
        chunk.withUnsafeBytes { bytes in
            guard !bytes.isEmpty else { return }
            var rest = bytes[...]
            while let end = memchr(bytes.baseAddress! + rest.startIndex, 0x0A, rest.count).map({ bytes.baseAddress!.distance(to: $0) }) {
                finish(rest[..<end], emit)
                rest = rest[(end + 1)...]
                if rest.isEmpty { return }
            }
            keep(rest)
        }
    }

    /// The last line may lack its line end.
    package mutating func end(_ emit: (InputLine) -> Void) {
        if !pending.isEmpty || discarded > 0 { finish(UnsafeRawBufferPointer(start: nil, count: 0)[...], emit) }
    }

    private mutating func keep(_ part: Slice<UnsafeRawBufferPointer>) {
        // One byte more than the limit is kept: it may be the \r of a \r\n.
        if discarded > 0 || pending.count + part.count > limit + 1 {
            discarded += pending.count + part.count
            pending = []
        } else {
            pending.append(contentsOf: part)
        }
    }

    private mutating func finish(_ part: Slice<UnsafeRawBufferPointer>, _ emit: (InputLine) -> Void) {
        if !pending.isEmpty || discarded > 0 { keep(part) }
        defer {
            // Not with its capacity kept: one long line would make every later one as large.
            pending = []
            discarded = 0
            isStart = false
        }
        if discarded > 0 { return emit(.tooLong(bytes: discarded)) }
        if pending.isEmpty {
            part.withUnsafeBytes { finish(whole: $0[...], emit) }
        } else {
            pending.withUnsafeBytes { finish(whole: $0[...], emit) }
        }
    }

    private func finish(whole line: Slice<UnsafeRawBufferPointer>, _ emit: (InputLine) -> Void) {
        var line = line
        if line.last == 0x0D { line = line.dropLast() }
        if isStart, line.starts(with: [0xEF, 0xBB, 0xBF]) { line = line.dropFirst(3) }
        if line.count > limit { return emit(.tooLong(bytes: line.count)) }
        if line.allSatisfy({ $0 == 0x20 || $0 == 0x09 || $0 == 0x0D }) { return }
        emit(.text(Array(line)))
    }
}
