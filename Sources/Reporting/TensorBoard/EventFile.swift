// Scalars in a file that TensorBoard reads.
import Foundation

/// An append-only event file: records of length, masked CRC of the length, payload, masked CRC of the payload, where a payload is a
/// protobuf message `Event`. Two message types of scalars need some twenty lines of encoding, which a protobuf package and its
/// generated code would not make shorter.
///
/// A record that a crash cuts short costs only itself. A resumed run opens a new file. Source: tensorflow/core/util/event.proto,
/// tensorflow/core/lib/io/record_writer.
public final class EventFile {
    public let url: URL
    private let handle: FileHandle
    private var pending = Data()

    /// Creates `events.out.tfevents.<seconds>.<host>.<pid>.<number>` in a folder. Errors: those of the file system.
    public init(in folder: URL, now: Date = Date()) throws {
        let seconds = String(format: "%010d", Int(now.timeIntervalSince1970))
        let host = ProcessInfo.processInfo.hostName.filter { $0.isLetter || $0.isNumber || $0 == "-" }
        var number = 0
        var candidate: URL
        repeat {
            candidate = folder.appendingPathComponent(
                "events.out.tfevents.\(seconds).\(host).\(ProcessInfo.processInfo.processIdentifier).\(number)")
            number += 1
        } while FileManager.default.fileExists(atPath: candidate.path)
        url = candidate
        try Data().write(to: url)
        handle = try FileHandle(forWritingTo: url)
        var event = ProtobufMessage()
        event.append(1, double: now.timeIntervalSince1970)
        event.append(3, bytes: Data("brain.Event:2".utf8))
        pending = Self.record(event.data)
        try flush()
    }

    /// Adds one value of one chart; ``flush()`` writes it.
    public func add(_ tag: String, _ value: Float, step: Int, now: Date = Date()) {
        var scalar = ProtobufMessage()
        scalar.append(1, bytes: Data(tag.utf8))
        scalar.append(2, float: value)
        var summary = ProtobufMessage()
        summary.append(1, bytes: scalar.data)
        var event = ProtobufMessage()
        event.append(1, double: now.timeIntervalSince1970)
        event.append(2, varint: UInt64(step))
        event.append(5, bytes: summary.data)
        pending += Self.record(event.data)
    }

    /// Writes what was added, whole records only.
    public func flush() throws {
        try handle.write(contentsOf: pending)
        pending.removeAll()
    }

    deinit { try? flush() }

    package static func record(_ payload: Data) -> Data {
        let length = withUnsafeBytes(of: UInt64(payload.count).littleEndian) { Data($0) }
        return length + checksum(length) + payload + checksum(payload)
    }

    private static func checksum(_ data: Data) -> Data {
        withUnsafeBytes(of: CRC32C.masked(data).littleEndian) { Data($0) }
    }
}

/// Wire format of the few field types in use.
private struct ProtobufMessage {
    private(set) var data = Data()

    mutating func append(_ field: Int, varint value: UInt64) {
        key(field, 0)
        varint(value)
    }

    mutating func append(_ field: Int, double value: Double) {
        key(field, 1)
        withUnsafeBytes(of: value.bitPattern.littleEndian) { data.append(contentsOf: $0) }
    }

    mutating func append(_ field: Int, float value: Float) {
        key(field, 5)
        withUnsafeBytes(of: value.bitPattern.littleEndian) { data.append(contentsOf: $0) }
    }

    mutating func append(_ field: Int, bytes: Data) {
        key(field, 2)
        varint(UInt64(bytes.count))
        data += bytes
    }

    private mutating func key(_ field: Int, _ wire: UInt64) { varint(UInt64(field) << 3 | wire) }

    private mutating func varint(_ value: UInt64) {
        var rest = value
        while rest >= 0x80 {
            data.append(UInt8(truncatingIfNeeded: rest) | 0x80)
            rest >>= 7
        }
        data.append(UInt8(rest))
    }
}

/// The Castagnoli checksum, reflected polynomial 0x82F63B78.
package enum CRC32C {
    private static let table: [UInt32] = (0..<256).map { byte in
        (0..<8).reduce(UInt32(byte)) { crc, _ in crc & 1 == 1 ? crc >> 1 ^ 0x82F6_3B78 : crc >> 1 }
    }

    package static func checksum(_ data: Data) -> UInt32 {
        ~data.reduce(~0) { table[Int(UInt8(truncatingIfNeeded: $0) ^ $1)] ^ $0 >> 8 }
    }

    /// As record files store it, so that a checksum over data that holds checksums stays meaningful.
    package static func masked(_ data: Data) -> UInt32 {
        let crc = checksum(data)
        return (crc >> 15 | crc << 17) &+ 0xA282_EAD8
    }
}
