// The reader thread of a record stream: from a descriptor, or from a list that is known beforehand, into the pipeline.
import Foundation

/// Where the records of a stream come from.
public enum StreamInput: Sendable {
    /// NDJSON lines up to the end of an open descriptor.
    case lines(descriptor: Int32, name: String)
    case requests([StreamRecord])

    /// Hands over slices of at most `sliceLimit` records, and never holds back a record while it waits for the next.
    func run(into pipeline: RecordPipeline, sliceLimit: Int, maxLineBytes: Int, wake: WakePipe) {
        switch self {
        case .requests(let records):
            for record in records where !pipeline.push([.request(record)]) { return }
            pipeline.end()
        case .lines(let descriptor, let name):
            Self.readLines(descriptor, name: name, into: pipeline, sliceLimit: sliceLimit, maxLineBytes: maxLineBytes, wake: wake)
        }
    }

    private static func readLines(
        _ descriptor: Int32, name: String, into pipeline: RecordPipeline, sliceLimit: Int, maxLineBytes: Int, wake: WakePipe
    ) {
        var splitter = LineSplitter(limit: maxLineBytes)
        var chunk = [UInt8](repeating: 0, count: 1 << 16)
        var slice: [RawRecord] = []
        var isOpen = true
        func flush() {
            guard !slice.isEmpty else { return }
            isOpen = isOpen && pipeline.push(slice)
            slice = []
        }
        func take(_ line: InputLine) {
            slice.append(.line(line))
            if slice.count >= sliceLimit { flush() }
        }
        while isOpen {
            guard waitForInput(descriptor, pipeline, wake) else { return }
            let count = chunk.withUnsafeMutableBytes { read(descriptor, $0.baseAddress, $0.count) }
            if count > 0 {
                splitter.feed(chunk[..<count], take)
                flush()
            } else if count == 0 {
                splitter.end(take)
                flush()
                return pipeline.end()
            } else if errno != EINTR && errno != EAGAIN {
                return pipeline.end(FileError(.io, "\(name): cannot read: \(String(cString: strerror(errno)))"))
            }
        }
    }

    /// Tells the pipeline when reading would block (a regular file never does), and waits; false when the stream was stopped.
    private static func waitForInput(_ descriptor: Int32, _ pipeline: RecordPipeline, _ wake: WakePipe) -> Bool {
        var requests = [
            pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0), pollfd(fd: wake.reader, events: Int16(POLLIN), revents: 0),
        ]
        func ready(_ milliseconds: Int32) -> Bool {
            var count = poll(&requests, 2, milliseconds)
            while count < 0 && errno == EINTR { count = poll(&requests, 2, milliseconds) }
            return count != 0
        }
        if !ready(0) {
            pipeline.readerWaits()
            _ = ready(-1)
        }
        return requests[1].revents == 0
    }
}

/// Wakes a thread that waits for input. The descriptors live as long as the object.
final class WakePipe: Sendable {
    let reader: Int32
    private let writer: Int32

    init() {
        var ends: [Int32] = [-1, -1]
        // Without descriptors the reader merely notices the stop with its next input: poll ignores -1.
        if pipe(&ends) != 0 { ends = [-1, -1] }
        for end in ends where end >= 0 { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
        (reader, writer) = (ends[0], ends[1])
    }

    func signal() {
        var byte: UInt8 = 1
        _ = write(writer, &byte, 1)
    }

    deinit {
        for end in [reader, writer] where end >= 0 { close(end) }
    }
}
