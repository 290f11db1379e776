// RFC 4180, line numbers, streaming in chunks of any size.
import FaceData
import Foundation
import TestSupport
import Testing

@Suite struct CSVReaderTests {
    private func all(_ reader: CSVReader) throws -> [CSVRecord] {
        var records: [CSVRecord] = []
        while let record = try reader.next() { records.append(record) }
        return records
    }

    private func read(_ text: String) throws -> [CSVRecord] { try all(CSVReader([UInt8](text.utf8))) }

    private func expect(_ text: String, _ expected: [(Int, [String])], sourceLocation: SourceLocation = #_sourceLocation) throws {
        let wanted = expected.map { CSVRecord(line: $0.0, fields: $0.1) }
        #expect(try read(text) == wanted, sourceLocation: sourceLocation)
        // The same bytes in pieces of every small size.
        let bytes = [UInt8](text.utf8)
        for size in 1...7 {
            var at = 0
            let reader = CSVReader {
                if at >= bytes.count { return nil }
                defer { at += size }
                return Array(bytes[at..<min(at + size, bytes.count)])
            }
            #expect(try all(reader) == wanted, "in chunks of \(size)", sourceLocation: sourceLocation)
        }
    }

    @Test func fieldsAndLineEnds() throws {
        try expect("", [])
        try expect("a", [(1, ["a"])])
        try expect("a,b\nc,d\n", [(1, ["a", "b"]), (2, ["c", "d"])])
        try expect("a,b\r\nc,d\r\n", [(1, ["a", "b"]), (2, ["c", "d"])])
        try expect("a,b\rc,d", [(1, ["a", "b"]), (2, ["c", "d"])])
        try expect(",\n,,", [(1, ["", ""]), (2, ["", "", ""])])
        try expect("\u{FEFF}id,é\n1,€", [(1, ["id", "é"]), (2, ["1", "€"])])
    }

    @Test func quotes() throws {
        try expect("\"a,b\",\"c\"\"d\"\n\"\",x", [(1, ["a,b", "c\"d"]), (2, ["", "x"])])
        try expect("\"\"\n", [(1, [""])])
        try expect("a \"b\" c,d", [(1, ["a \"b\" c", "d"])])  // quotes inside an unquoted field are text
    }

    @Test func lineNumbersCountBlankLinesAndLinesInQuotes() throws {
        try expect("a\n\n\r\nb\n\"x\ny\r\nz\",1\nc", [(1, ["a"]), (4, ["b"]), (5, ["x\ny\r\nz", "1"]), (8, ["c"])])
    }

    @Test func errorsNameTheLine() throws {
        func error(_ text: String) -> CSVError? { #expect(throws: CSVError.self) { try read(text) } }
        #expect(error("a\nb,\"c\n")?.line == 2)
        #expect(error("a\n\"b\"c\n")?.description == "line 2: text follows the closing quote of field 1")
        let invalid = #expect(throws: CSVError.self) { try all(CSVReader([UInt8]("a\nx,".utf8) + [0xFF, 0xFE])) }
        #expect(invalid?.description == "line 2: field 2 is not UTF-8 text")
        let utf16 = #expect(throws: CSVError.self) { try all(CSVReader([0xFF, 0xFE, 0x61, 0])) }
        #expect(utf16?.reason.contains("UTF-16") == true)
        let endless = CSVReader(maximumRecordBytes: 1000) { [UInt8](repeating: 0x61, count: 100) }
        #expect(throws: CSVError.self) { try endless.next() }
    }

    @Test func readsALargeTableQuickly() throws {
        var text = "file,age,gender,race,service_test\n"
        for row in 1...100_000 { text += "train/\(row).jpg,20-29,Male,East Asian,True\n" }
        let reader = CSVReader(Data(text.utf8))
        let start = ContinuousClock.now
        var rows = 0
        while let record = try reader.next() { rows += record.fields.count }
        let elapsed = ContinuousClock.now - start
        #expect(rows == 5 * 100_001)
        print("CSV: 100,000 rows of 5 fields in \(elapsed)")
        #expect(elapsed < .seconds(2))  // a guard against the quadratic, not a benchmark
    }
}
