// What each target does with its input: reads it as a user's file or record. A refusal is fine; a trap, a hang, a read beyond the
// bytes or a result that breaks the reader's promise is not.
import FaceData
import Fairness
import Foundation
import Inference
import TensorCore

typealias Target = (UnsafeBufferPointer<UInt8>) -> Void

nonisolated(unsafe) var chosen: Target = { _ in }

/// In memory where the system offers that, so that thousands of inputs a second cost no disk.
private let scratch: URL = {
    let memory = URL(fileURLWithPath: "/dev/shm")
    let parent = FileManager.default.isWritableFile(atPath: memory.path) ? memory : FileManager.default.temporaryDirectory
    let url = parent.appendingPathComponent("facefair-fuzz-\(getpid())")
    for name in ["img_align_celeba", "train", "val"] {
        try! FileManager.default.createDirectory(at: url.appendingPathComponent(name), withIntermediateDirectories: true)
    }
    atexit { try? FileManager.default.removeItem(at: scratch) }
    return url
}()

private func put(_ bytes: some Collection<UInt8>, _ name: String) {
    try! Data(bytes).write(to: scratch.appendingPathComponent(name))
}

private func remove(_ name: String) { unlink(scratch.appendingPathComponent(name).path) }

/// Two files in one input: what stands before and after the first zero byte.
private func halves(_ input: UnsafeBufferPointer<UInt8>) -> (Slice<UnsafeBufferPointer<UInt8>>, Slice<UnsafeBufferPointer<UInt8>>) {
    let cut = input.firstIndex(of: 0) ?? input.endIndex
    return (input[..<cut], cut == input.endIndex ? input[cut...] : input[(cut + 1)...])
}

private func check(_ dataset: FaceDataset) {
    for split in Split.allCases {
        for sample in dataset.samples(split) {
            precondition(sample.group >= -1 && sample.group < dataset.groupCount, "group \(sample.group) of \(dataset.groupCount)")
            precondition(sample.label == nil || sample.label == 0 || sample.label == 1, "label \(String(describing: sample.label))")
        }
    }
}

/// list_attr_celeba and list_eval_partition: as text, or as Kaggle's CSV where the input begins so.
func celeba(_ input: UnsafeBufferPointer<UInt8>) {
    let (attributes, partition) = halves(input)
    let isCSV = attributes.starts(with: Array("image_id".utf8))
    for suffix in ["txt", "csv"] where (suffix == "csv") != isCSV {
        remove("list_attr_celeba.\(suffix)")
        remove("list_eval_partition.\(suffix)")
    }
    put(attributes, "list_attr_celeba.\(isCSV ? "csv" : "txt")")
    put(partition, "list_eval_partition.\(isCSV ? "csv" : "txt")")
    do { check(try CelebA.load(root: scratch)) } catch { precondition(!"\(error)".isEmpty) }
}

func fairface(_ input: UnsafeBufferPointer<UInt8>) {
    let (train, val) = halves(input)
    put(train, "fairface_label_train.csv")
    put(val, "fairface_label_val.csv")
    do { check(try FairFace.load(root: scratch)) } catch { precondition(!"\(error)".isEmpty) }
}

/// metadata.jsonl where the input begins with a brace, otherwise metadata.csv.
func folder(_ input: UnsafeBufferPointer<UInt8>) {
    let isJSON = input.first == UInt8(ascii: "{")
    remove(isJSON ? "metadata.csv" : "metadata.jsonl")
    put(input, isJSON ? "metadata.jsonl" : "metadata.csv")
    do { check(try FolderDataset.load(root: scratch, target: "smile", groupBy: ["sex"])) } catch { precondition(!"\(error)".isEmpty) }
}

/// The container, and what a packed data set says of itself in it.
func safetensors(_ input: UnsafeBufferPointer<UInt8>) {
    let url = scratch.appendingPathComponent("file.safetensors")
    put(input, "file.safetensors")
    do {
        let file = try SafeTensorsFile(url)
        var sum: UInt8 = 0
        for entry in file.entries.values {
            precondition(entry.range.upperBound <= input.count)
            for byte in file.bytes(entry) { sum ^= byte }
        }
        withExtendedLifetime(file) { precondition(sum <= 255) }
    } catch { precondition(!"\(error)".isEmpty) }
    do {
        let packed = try PackedImages(url)
        precondition(packed.count >= 0 && packed.preprocessing.imageSize > 0)
    } catch { precondition(!"\(error)".isEmpty) }
}

private let reader = RecordReader(
    features: SensitiveFeatures([.init(name: "Male", values: ["0", "1"]), .init(name: "race", values: ["White", "Black", "East Asian"])]))
private let scoreReader = RecordReader(features: reader.features, scoresOnly: true, identity: .offset(sourceKeys: ["topic"]))

func records(_ input: UnsafeBufferPointer<UInt8>) {
    for line in input.split(separator: UInt8(ascii: "\n")) {
        for reader in [reader, scoreReader] {
            do throws(RecordError) {
                let record = try reader.read(UnsafeBufferPointer(rebasing: line))
                precondition(record.group >= -1 && record.group < reader.features.groupCount, "group \(record.group)")
                precondition(record.label == nil || record.label == 0 || record.label == 1)
                if case .logit(let logit) = record.input { precondition(logit.isFinite) }
            } catch { precondition(!error.message.isEmpty) }
        }
    }
}
