// Input → prepared records in input order: one thread reads, workers parse and decode, and a bounded queue holds the reader back.
import FaceData
import Foundation

/// A record that is ready for a batch, or the reason why it is not.
struct PreparedRecord: Sendable {
    enum Input: Sendable {
        /// Shape: [imageSize, imageSize, 3].
        case pixels([UInt8])
        case logit(Double)
    }

    struct Content: Sendable {
        let input: Input
        /// What the decoder warned about and --lenient-images forgave.
        let imageWarnings: Int
        let group: Int
        let label: Int?
    }

    let id: JSONValue
    let place: ReplayPlace?
    let content: Result<Content, RecordError>
}

/// What the reader hands to the workers.
enum RawRecord: Sendable {
    case line(InputLine)
    case request(StreamRecord)

    var byteCount: Int {
        switch self {
        case .line(.text(let bytes)): bytes.count
        case .line(.tooLong), .request: 0
        }
    }
}

/// The queue between reader, workers and the one consumer. Records travel in small slices, so that records that cost little to prepare
/// do not pay for a lock each.
final class RecordPipeline: Sendable {
    enum Event: Sendable {
        /// The next slice, in input order.
        case records([PreparedRecord])
        /// Nothing is under way and nothing has arrived until the deadline.
        case idle
        case end
        case stopped
        case failed(FileError)
    }

    private enum Slot: Sendable {
        case waiting([RawRecord])
        case working
        case ready([PreparedRecord])
    }

    /// Slices `head..<tail` are in the queue, those before `next` have been taken by workers. Slice n lives in slot n % count.
    private struct State: Sendable {
        var slots: [Slot?]
        var head = 0, next = 0, tail = 0
        var bytes = 0
        var readerWaits = false
        var ended = false
        var stopped = false
        var failure: FileError?

        mutating func push(_ records: [RawRecord], bytes count: Int, byteLimit: Int) -> Bool? {
            if stopped { return false }
            guard tail - head < slots.count, bytes == 0 || bytes + count <= byteLimit else { return nil }
            slots[tail % slots.count] = .waiting(records)
            bytes += count
            tail += 1
            readerWaits = false
            return true
        }

        mutating func take() -> (number: Int, records: [RawRecord])?? {
            if stopped { return .some(nil) }
            guard next < tail else { return ended ? .some(nil) : nil }
            guard case .waiting(let records)? = slots[next % slots.count] else { fatalError("slot \(next) is taken twice") }
            slots[next % slots.count] = .working
            next += 1
            return (next - 1, records)
        }

        mutating func event(deadlineHasPassed: Bool) -> Event? {
            if stopped { return .stopped }
            if head < tail {
                guard case .ready(let records)? = slots[head % slots.count] else { return nil }
                slots[head % slots.count] = nil
                head += 1
                return .records(records)
            }
            if let failure { return .failed(failure) }
            if ended { return .end }
            return deadlineHasPassed && readerWaits ? .idle : nil
        }
    }

    private let state: Monitor<State>
    private let byteLimit: Int

    /// `capacity` slices and about `byteLimit` bytes of lines wait at most.
    init(capacity: Int, byteLimit: Int) {
        state = Monitor(State(slots: Array(repeating: nil, count: capacity)))
        self.byteLimit = byteLimit
    }

    // MARK: Reader

    /// Waits for room; false when the stream has been stopped.
    func push(_ records: [RawRecord]) -> Bool {
        let bytes = records.reduce(0) { $0 + $1.byteCount }
        return state.wait { $0.push(records, bytes: bytes, byteLimit: self.byteLimit) } ?? false
    }

    /// The reader is about to wait for input, so what is in the queue is all there is for now.
    func readerWaits() { state.update { $0.readerWaits = true } }

    func end(_ failure: FileError? = nil) {
        state.update {
            $0.ended = true
            $0.failure = failure
        }
    }

    // MARK: Anyone

    /// Gives up: the consumer gets no further record, reader and workers leave.
    func stop() { state.update { $0.stopped = true } }

    var isStopped: Bool { state.update { $0.stopped } }

    // MARK: Workers

    func work(_ prepare: (RawRecord) -> PreparedRecord) {
        while case .some(let (number, records)) = state.wait({ $0.take() }).flatMap({ $0 }) {
            let prepared = records.map(prepare)
            let bytes = records.reduce(0) { $0 + $1.byteCount }
            state.update {
                $0.slots[number % $0.slots.count] = .ready(prepared)
                $0.bytes -= bytes
            }
        }
    }

    // MARK: Consumer

    /// The next slice in order. ``Event/idle`` comes only after `deadline`, and only while the reader waits with an empty queue.
    func next(deadline: Deadline?) -> Event {
        guard let deadline else { return state.wait { $0.event(deadlineHasPassed: false) }! }
        if let event = state.wait(until: deadline, { $0.event(deadlineHasPassed: false) }) { return event }
        return state.wait { $0.event(deadlineHasPassed: true) }!
    }
}
