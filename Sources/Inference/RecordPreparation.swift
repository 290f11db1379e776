// What a worker does with one record: parse, decode, resize; every failure becomes a RecordError.
import FaceData
import Fairness
import TensorCore

/// One worker's tools. Not Sendable: each worker has its own.
final class RecordPreparation {
    private let reader: RecordReader
    private let imageSize: Int
    private let interpolation: Interpolation
    private let maxLineBytes: Int
    private let decoder: ImageDecoder

    init(reader: RecordReader, imageSize: Int, interpolation: Interpolation, limits: ImageLimits, maxLineBytes: Int) {
        self.reader = reader
        self.imageSize = imageSize
        self.interpolation = interpolation
        self.maxLineBytes = maxLineBytes
        decoder = ImageDecoder(limits: limits)
    }

    func prepare(_ raw: RawRecord) -> PreparedRecord {
        do throws(RecordError) {
            let record = try request(raw)
            do throws(RecordError) {
                let (input, warnings) = try input(record.input)
                let content = PreparedRecord.Content(input: input, imageWarnings: warnings, group: record.group, label: record.label)
                return PreparedRecord(id: record.id, place: record.place, content: .success(content))
            } catch {
                return PreparedRecord(id: record.id, place: record.place, content: .failure(error))
            }
        } catch {
            return PreparedRecord(id: error.id, place: error.place, content: .failure(error))
        }
    }

    private func request(_ raw: RawRecord) throws(RecordError) -> StreamRecord {
        switch raw {
        case .request(var record):
            guard case .unresolved(let name) = record.input else { return record }
            do throws(RecordError) { record.input = .file(path: try reader.imageRoot.resolve(name), name: name) } catch {
                throw RecordError(error.code, error.message, id: record.id)
            }
            return record
        case .line(.tooLong(let bytes)):
            throw RecordError(.recordTooLarge, "the line has \(bytes) bytes, \(maxLineBytes) are allowed (--max-line-bytes)")
        case .line(.text(let bytes)):
            return try bytes.withUnsafeBufferPointer { (line) throws(RecordError) in try reader.read(line) }
        }
    }

    private func input(_ given: StreamRecord.Input) throws(RecordError) -> (PreparedRecord.Input, imageWarnings: Int) {
        if case .logit(let logit) = given { return (.logit(logit), 0) }
        let pixels = try pixels(given)
        return (.pixels(pixels), decoder.lastWarning?.count ?? 0)
    }

    private func pixels(_ image: StreamRecord.Input) throws(RecordError) -> [UInt8] {
        let count = imageSize * imageSize * 3
        var failure: RecordError?
        let pixels = [UInt8](unsafeUninitializedCapacity: count) { buffer, filled in
            do throws(ImageError) {
                switch image {
                case .file(let path, _), .unresolved(let path):
                    try decoder.decode(path: path, size: imageSize, interpolation: interpolation, into: buffer.baseAddress!)
                case .bytes(let bytes):
                    try decoder.decode(
                        bytes: bytes, name: "image_b64", size: imageSize, interpolation: interpolation, into: buffer.baseAddress!)
                case .logit: preconditionFailure("a logit has no pixels")
                }
                filled = count
            } catch {
                // The name the record gave, not the path it stands for.
                var name = error.name
                if case .file(_, let given) = image { name = given }
                failure = RecordError(RecordErrorCode(error.code), "\(name): \(error.detail)")
            }
        }
        if let failure { throw failure }
        return pixels
    }
}
