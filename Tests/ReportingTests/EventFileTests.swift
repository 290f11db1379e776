import Foundation
import Reporting
import TestSupport
import Testing

@Suite struct EventFileTests {
    @Test func checksumsAreCastagnolis() {
        #expect(CRC32C.checksum(Data("123456789".utf8)) == 0xE306_9283)
        #expect(CRC32C.masked(Data("123456789".utf8)) == 0xC78A_B0E5)
    }

    @Test func theFirstRecordIsTensorBoards() throws {
        let folder = try TemporaryFolder()
        let now = Date(timeIntervalSince1970: Double(bitPattern: 0x41D954FC40000000))
        let file = try EventFile(in: folder.url, now: now)
        let hex = try Data(contentsOf: file.url).prefix(40).map { String(format: "%02x", $0) }.joined()
        #expect(hex == "1800000000000000a37f4b220900000040fc54d9411a0d627261696e2e4576656e743a32eced8f9d")
        #expect(file.url.lastPathComponent.hasPrefix("events.out.tfevents.1700000000."), "\(file.url.lastPathComponent)")
    }

    @Test func recordsAreWholeAndFilesAreNew() throws {
        let folder = try TemporaryFolder()
        let file = try EventFile(in: folder.url)
        let before = try Data(contentsOf: file.url).count
        file.add("train/loss", 0.5, step: 300)
        #expect(try Data(contentsOf: file.url).count == before, "not before the flush")
        try file.flush()
        let record = try Data(contentsOf: file.url).dropFirst(before)
        let length = record.prefix(8).reversed().reduce(0) { $0 << 8 | Int($1) }
        #expect(record.count == 16 + length && record.range(of: Data("train/loss".utf8)) != nil)
        #expect(try EventFile(in: folder.url).url != file.url)
    }
}
