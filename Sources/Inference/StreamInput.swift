// The reader thread of a record stream: from a descriptor, or from a list that is known beforehand, into the pipeline.
import Foundation

/// Where the records of a stream come from.
public enum StreamInput: Sendable {
    /// NDJSON lines up to the end of an open descriptor.
    case lines(descriptor: Int32, name: String)
    case requests([StreamRecord])

    func run(into pipeline: RecordPipeline, maxLineBytes: Int) {
        switch self {
        case .requests(let records):
            for record in records where !pipeline.push(.request(record)) { return }
            pipeline.end()
        case .lines(let descriptor, let name):
            Self.readLines(descriptor, name: name, into: pipeline, maxLineBytes: maxLineBytes)
        }
    }

    private static func readLines(_ descriptor: Int32, name: String, into pipeline: RecordPipeline, maxLineBytes: Int) {
        var splitter = LineSplitter(limit: maxLineBytes)
        var chunk = [UInt8](repeating: 0, count: 1 << 16)
        var isOpen = true
        while isOpen {
            waitForInput(descriptor, pipeline)
            let count = chunk.withUnsafeMutableBytes { read(descriptor, $0.baseAddress, $0.count) }
            if count > 0 {
                splitter.feed(chunk[..<count]) { line in isOpen = isOpen && pipeline.push(.line(line)) }
            } else if count == 0 {
                splitter.end { line in isOpen = isOpen && pipeline.push(.line(line)) }
                return pipeline.end()
            } else if errno != EINTR && errno != EAGAIN {
                return pipeline.end(FileError(.io, "\(name): cannot read: \(String(cString: strerror(errno)))"))
            }
            if pipeline.isStopped { return }
        }
    }

    /// Tells the pipeline when reading would block. A regular file never does.
    private static func waitForInput(_ descriptor: Int32, _ pipeline: RecordPipeline) {
        var request = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
        guard poll(&request, 1, 0) == 0 else { return }
        pipeline.readerWaits()
        // The timeout lets a stopped stream end although its input stays open and silent.
        while poll(&request, 1, 250) == 0 && !pipeline.isStopped {}
    }
}
