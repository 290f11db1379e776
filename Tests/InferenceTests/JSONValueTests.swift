// The JSON that records may be written in, and the JSON that is refused.
import Inference
import Testing

@Suite struct JSONValueTests {
    @Test func readsEveryKindOfValueAndKeepsTheSpellingOfNumbers() throws {
        let value = try JSONValue.parse(#" {"a":[1,-2.50,1e3,true,false,null],"b":"x","c":{}} "#)
        #expect(
            value["a"] == .array([.number("1"), .number("-2.50"), .number("1e3"), .bool(true), .bool(false), .null]))
        #expect(value["b"] == .string("x"))
        #expect(value["c"] == .object([]))
        #expect(value["d"] == nil)
        #expect(try JSONValue.parse("12345678901234567890") == .number("12345678901234567890"))
    }

    @Test func readsEscapes() throws {
        #expect(try JSONValue.parse(#""a\"\\\/\b\f\n\r\t\u00e9\ud83d\ude00""#) == .string("a\"\\/\u{8}\u{c}\n\r\té😀"))
        #expect(try JSONValue.parse(#""é😀""#) == .string("é😀"))
    }

    @Test(arguments: [
        ("", "ends where a value"), ("{", "key"), (#"{"a""#, "\":\""), (#"{"a":1"#, "inside an object"), (#"{"a":1,}"#, "key"), ("[1,]", "cannot start"),
        ("[1", "inside an array"), ("[1 2]", "expected \",\""), (#"{"a":1,"a":2}"#, "twice"), ("01", "start with 0"), ("1.", "decimal point"), ("1e", "exponent"),
        ("-", "digit"), ("+1", "cannot start"), (".5", "cannot start"), ("NaN", "NaN"), ("Infinity", "NaN"), ("1e400", "beyond"), ("tru", "true"),
        ("{'a':1}", "double quotes"), ("'a'", "double quotes"), (#""a"#, "inside a string"), ("\"a\u{1}\"", "control character"), (#""\x""#, "escape"),
        (#""\ud800""#, "surrogate"), (#""\udc00""#, "surrogate"), (#""\ud800A""#, "surrogate"), (#""\u12""#, "string"), ("1 2", "after the end"),
        ("{} x", "after the end"),
    ])
    func refuses(_ text: String, _ part: String) {
        let error = #expect(throws: JSONError.self) { try JSONValue.parse(text) }
        #expect(error?.reason.contains(part) == true, "\(text): \(error?.reason ?? "accepted")")
    }

    @Test func findsADuplicateAmongManyKeys() throws {
        func text(_ keys: [Int]) -> String { "{" + keys.map { "\"k\($0)\":0" }.joined(separator: ",") + "}" }
        for count in [15, 16, 17, 18, 100, 255] {
            _ = try JSONValue.parse(text(Array(0..<count)))
            for repeated in [0, count / 2, count - 1] {
                #expect(throws: JSONError.self, "\(repeated) of \(count)") { try JSONValue.parse(text(Array(0..<count) + [repeated])) }
            }
        }
    }

    @Test func limitsNestingAndSize() throws {
        let deepest = String(repeating: "[", count: 32) + String(repeating: "]", count: 32)
        _ = try JSONValue.parse(deepest)
        #expect(throws: JSONError.self) { try JSONValue.parse("[" + deepest + "]") }
        #expect(throws: JSONError.self) { try JSONValue.parse(String(repeating: "[", count: 1_000_000)) }
        #expect(throws: JSONError.self) { try JSONValue.parse("[" + String(repeating: "1,", count: 1_000_001) + "1]") }
    }

    @Test func refusesBrokenUTF8() {
        let bytes: [UInt8] = [0x22, 0x61, 0xFF, 0x22]
        _ = bytes.withUnsafeBufferPointer { buffer in
            #expect(throws: JSONError(byte: 2, reason: "a string that is not UTF-8")) { try JSONValue.parse(buffer) }
        }
    }

    @Test func writesWhatItReads() throws {
        let text = #"{"a":[1,-2.50,true,null,"q\"\\\n\r\t\u0001é"],"b":{"c":0.1}}"#
        var writer = JSONWriter()
        writer.field(nil, try JSONValue.parse(text))
        #expect(writer.text == text)
    }

    @Test func writesDoublesShortAndNeverNaN() {
        var writer = JSONWriter()
        writer.array { array in for value in [0.1, 1e-7, -0.0, 1e22, .nan, .infinity] { array.field(nil, value) } }
        #expect(writer.text == "[0.1,1e-07,-0.0,1e+22,null,null]")
    }
}
