// From one NDJSON line to a request: strict where a guess would be wrong, tolerant of keys that other tools add.
import Fairness
import Foundation

/// Reads the lines of a record stream for one model, or for none when the records bring their logits.
public struct RecordReader: Sendable {
    public let features: SensitiveFeatures
    public let imageRoot: ImageRoot
    /// No network: images are refused.
    public let scoresOnly: Bool
    public let identity: ReplayIdentity

    public init(
        features: SensitiveFeatures, imageRoot: ImageRoot = .anywhere, scoresOnly: Bool = false, identity: ReplayIdentity = .none
    ) {
        self.features = features
        self.imageRoot = imageRoot
        self.scoresOnly = scoresOnly
        self.identity = identity
    }

    /// Errors: ``RecordError`` with the record's id where it could be read.
    public func read(_ line: UnsafeBufferPointer<UInt8>) throws(RecordError) -> StreamRecord {
        let value: JSONValue
        do throws(JSONError) { value = try JSONValue.parse(line) } catch {
            throw RecordError(.jsonInvalid, error.description)
        }
        guard case .object = value else { throw RecordError(.jsonInvalid, "a record is a JSON object, not \(value.kind)") }
        let id = value["id"] ?? .null
        switch id {
        case .array, .object: throw RecordError(.jsonInvalid, "id is a string or a number, not \(id.kind)")
        default: break
        }
        var place: ReplayPlace?
        do throws(RecordError) {
            place = try self.place(value, id: id)
            // The cheap keys first: a record with a wrong group is not worth decoding.
            let group = try group(value["group"])
            let label = try label(value["label"])
            return StreamRecord(id: id, place: place, input: try input(value), group: group, label: label)
        } catch {
            var error = error
            error.id = id
            error.place = place
            throw error
        }
    }

    private static let inputKeys = ["image", "image_b64", "logit", "tensor"]

    private func input(_ record: JSONValue) throws(RecordError) -> StreamRecord.Input {
        let given = Self.inputKeys.filter { record[$0].map { $0 != .null } ?? false }
        guard let key = given.first else {
            throw RecordError(
                .imageMissing,
                scoresOnly
                    ? "the record has no logit" : "the record names no image; give image (a path), image_b64 (the file's bytes) or a ready logit")
        }
        guard given.count == 1 else { throw RecordError(.jsonInvalid, "the record has \(given.joined(separator: " and ")); give one of them") }
        if key == "logit" { return .logit(try logit(record[key]!)) }
        if scoresOnly {
            throw RecordError(.imageUnsupported, "this stream has no network (--scores); give logit instead of \(key), or run it without --scores")
        }
        if key == "tensor" {
            throw RecordError(.imageUnsupported, "tensor input is not read by this version; give image, image_b64 or logit")
        }
        guard case .string(let text)? = record[key] else {
            throw RecordError(.jsonInvalid, "\(key) is a string, not \(record[key]!.kind)")
        }
        if key == "image" { return .file(path: try imageRoot.resolve(text), name: text) }
        if text.isEmpty { throw RecordError(.imageMissing, "image_b64 is empty") }
        guard let bytes = Data(base64Encoded: text) else {
            throw RecordError(.imageCorrupt, "image_b64 is not base64 (RFC 4648, with padding, one line)")
        }
        return .bytes([UInt8](bytes))
    }

    private func logit(_ value: JSONValue) throws(RecordError) -> Double {
        guard let logit = value.double else { throw RecordError(.jsonInvalid, "logit is a number, not \(value.kind)") }
        guard abs(logit) <= largestScore else { throw RecordError(.jsonInvalid, "logit \(logit) is larger than \(largestScore); no logit is") }
        return logit
    }

    /// Where the record stands, when its keys say so.
    private func place(_ record: JSONValue, id: JSONValue) throws(RecordError) -> ReplayPlace? {
        switch identity {
        case .none, .position: return nil
        case .offset(let keys):
            let value = record["offset"]
            guard case .number(let text)? = value, let offset = Int(text), offset >= 0 else {
                throw RecordError(
                    .jsonInvalid, "offset is a whole number from 0 on (--replay-by offset), not \(value?.spelling ?? value?.kind ?? "left out")")
            }
            return ReplayPlace(source: try source(record, keys), mark: .offset(offset))
        case .id(let keys):
            guard id != .null else { throw RecordError(.jsonInvalid, "the record has no id, which --replay-by id needs") }
            var writer = JSONWriter()
            writer.field(nil, id)
            return ReplayPlace(source: try source(record, keys), mark: .id(writer.text))
        }
    }

    private func source(_ record: JSONValue, _ keys: [String]) throws(RecordError) -> String {
        var parts: [String] = []
        for key in keys {
            guard let text = record[key]?.spelling, !text.isEmpty else {
                throw RecordError(.jsonInvalid, "\(key) names the record's source (--source-key); it is a string or a number, and not left out")
            }
            parts.append(text)
        }
        return parts.count == 1 ? parts[0] : parts.joined(separator: "/")
    }

    private func label(_ value: JSONValue?) throws(RecordError) -> Int? {
        switch value {
        case nil, .null?: return nil
        case .bool(let flag)?: return flag ? 1 : 0
        case .number?:
            if let number = value?.double, number == 0 || number == 1 { return Int(number) }
        case .string(let text)?:
            if text == "0" || text == "1" { return text == "1" ? 1 : 0 }
        default: break
        }
        let shown = value?.spelling.map { "\"\($0.prefix(40))\"" } ?? value!.kind
        throw RecordError(.labelInvalid, "label is 0 or 1, or left out; not \(shown)")
    }

    /// The group a record gives, or `unknownGroup` when it gives none.
    private func group(_ value: JSONValue?) throws(RecordError) -> Int {
        do {
            switch value {
            case nil, .null?: return unknownGroup
            case .string(let text)?: return text.isEmpty ? unknownGroup : try features.group(parsing: text)
            case .object(let members)?:
                if let group = declaredGroup(members) { return group }
                var values: [String: String] = [:]
                for member in members {
                    guard let text = spelling(member) else {
                        throw RecordError(.groupInvalid, "\(member.key) in group is a string, number or boolean, not \(member.value.kind)")
                    }
                    values[member.key] = text
                }
                return try features.group(from: values)
            default:
                throw RecordError(.groupInvalid, "group is an object such as {\"Male\":0}, a string such as \"Male=0\", or null; not \(value!.kind)")
            }
        } catch let error as RecordError {
            throw error
        } catch {
            throw RecordError(.groupInvalid, "\(error)")
        }
    }

    /// The group of an object that has every feature with a declared value, spelled as declared; nil for all that needs a closer look.
    private func declaredGroup(_ members: [JSONMember]) -> Int? {
        guard members.count == features.features.count else { return nil }
        var group = 0
        for feature in features.features {
            guard let member = members.first(where: { $0.key == feature.name }) else { return nil }
            let text: String
            switch member.value {
            case .string(let given), .number(let given): text = given
            default: return nil
            }
            guard let index = feature.values.firstIndex(of: text) else { return nil }
            group = group * feature.values.count + index
        }
        return group
    }

    /// A value as the model declares it: 0.0 is 0, and true is 1 unless the feature has a value "true".
    private func spelling(_ member: JSONMember) -> String? {
        switch member.value {
        case .number(let text):
            if let number = member.value.double, number == number.rounded(), abs(number) < 1e15 { return String(Int(number)) }
            return text
        case .bool(let flag):
            let declared = features.features.first { $0.name == member.key }?.values ?? []
            return declared.contains("\(flag)") ? "\(flag)" : flag ? "1" : "0"
        default: return member.value.spelling
        }
    }
}
