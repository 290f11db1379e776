// Records nobody would write: random edits of good ones, for a reader that takes what strangers send.
import Fairness
import Foundation
import Inference
import Testing

/// The reader never fails in any other way than by a RecordError.
@Suite struct MutatedRecordTests {
    private static let seeds = [
        #"{"id":"a17","image":"img/000001.jpg","group":{"Male":0,"Young":1},"label":1,"ts":"2026-11-20T12:00:00Z"}"#,
        #"{"id":12345678901234567890,"logit":-1.25e-3,"group":"Male=0,Young=1","label":null,"offset":7,"topic":"t","partition":0}"#,
        #"{"id":"\ud83d\ude00\u00e9\n","image_b64":"AQIDBA==","group":{"Male":true,"Young":"1"},"x":[[],{},[1,{"y":[null,false]}]]}"#,
        #"{"id":null,"logit":3,"group":"","é😀":"ü"}"#,
    ]

    private static func mutated(_ seed: String, _ random: inout some RandomNumberGenerator) -> [UInt8] {
        var bytes = Array(seed.utf8)
        for _ in 0..<Int.random(in: 1...4, using: &random) {
            let place = Int.random(in: 0..<bytes.count, using: &random)
            switch Int.random(in: 0..<6, using: &random) {
            case 0: bytes[place] = UInt8.random(in: 0...255, using: &random)
            case 1: bytes.insert(Array(#"{}[]",:\0-.eEu"#.utf8).randomElement(using: &random)!, at: place)
            case 2: if bytes.count > 1 { bytes.remove(at: place) }
            case 3: bytes = Array(bytes[..<max(1, place)])
            case 4: bytes.insert(contentsOf: bytes[place..<min(bytes.count, place + 12)], at: place)
            default: bytes[place] ^= 1 << UInt8.random(in: 0..<8, using: &random)
            }
        }
        return bytes
    }

    @Test func everyLineIsARecordOrAnErrorAndWhatIsReadIsJSON() throws {
        var random = SplitMix(state: 11)
        let readers = [
            RecordReader(features: maleYoung), RecordReader(features: maleYoung, scoresOnly: true, identity: .offset(sourceKeys: ["topic", "partition"])),
            RecordReader(features: maleYoung, identity: .id(sourceKeys: [])),
        ]
        var accepted = 0, refused = 0
        for number in 0..<60_000 {
            let bytes = Self.mutated(Self.seeds[number % Self.seeds.count], &random)
            let isJSON = bytes.withUnsafeBufferPointer { (try? JSONValue.parse($0)) != nil }
            // Foundation's reader is the more lenient: nothing may be read here that is no JSON there.
            if isJSON {
                accepted += 1
                #expect(
                    (try? JSONSerialization.jsonObject(with: Data(bytes), options: .fragmentsAllowed)) != nil, "\(String(decoding: bytes, as: UTF8.self))")
            }
            bytes.withUnsafeBufferPointer { line in
                do throws(RecordError) {
                    let record = try readers[number % 3].read(line)
                    #expect(isJSON && record.group >= unknownGroup && record.group < 4)
                } catch {
                    refused += 1
                    #expect(!error.message.isEmpty && (isJSON || error.code == .jsonInvalid))
                }
            }
        }
        #expect(accepted > 5000 && refused > 20_000, "\(accepted) accepted, \(refused) refused")
    }
}

/// A generator with a seed.
private struct SplitMix: RandomNumberGenerator {
    var state: UInt64
    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }
}
