// One picture per group with some of its faces, to look at before training: are these the people and the labels one expects?
import Foundation
import TensorCore

/// A group's faces as the network sees them: above those with label 1, marked by a blue bar, below those with label 0, marked by an
/// orange one; then those without a label, grey.
public struct ContactSheet {
    /// Pixels a side of one face.
    public var tile = 96
    public var columns = 8
    /// Rows per label.
    public var rows = 3
    private let decoder = ImageDecoder()

    private static let gap = 4, bar = 8
    private static let background: [UInt8] = [245, 245, 245]
    private static let colors: [[UInt8]] = [[37, 99, 165], [217, 119, 6], [130, 130, 130]]

    public init() {}

    public struct Outcome {
        /// nil where no face of the group could be shown.
        public let image: PixelImage?
        public let shown: Int
        public let refused: [ImageError]
    }

    /// Faces spread evenly over the group's samples of all splits; the same data give the same sheet.
    public func draw(_ dataset: FaceDataset, group: Int) -> Outcome {
        let members = Split.allCases.flatMap { dataset.samples($0) }.filter { $0.group == group }
        var blocks: [(color: Int, faces: [[UInt8]])] = []
        var refused: [ImageError] = []
        for (color, label) in [1, 0, nil].enumerated() {
            let candidates = members.filter { $0.label == label }
            let wanted = min(columns * rows, candidates.count)
            var faces: [[UInt8]] = []
            for place in 0..<wanted {
                do throws(ImageError) { faces.append(try pixels(candidates[place * candidates.count / wanted])) } catch { refused.append(error) }
            }
            if !faces.isEmpty { blocks.append((color, faces)) }
        }
        return Outcome(
            image: blocks.isEmpty ? nil : assemble(blocks), shown: blocks.reduce(0) { $0 + $1.faces.count }, refused: refused)
    }

    private func pixels(_ sample: FaceSample) throws(ImageError) -> [UInt8] {
        var pixels = [UInt8](repeating: 0, count: tile * tile * 3)
        guard let packed = sample.packed else {
            let outcome: Result<Void, ImageError> = pixels.withUnsafeMutableBufferPointer { buffer in
                do throws(ImageError) { return .success(try decoder.decode(path: sample.file, size: tile, into: buffer.baseAddress!)) } catch {
                    return .failure(error)
                }
            }
            try outcome.get()
            return pixels
        }
        guard packed.position >= 0 else { throw packed.images.refusal(-1 - Int(packed.position), name: sample.file) }
        let size = packed.images.preprocessing.imageSize
        let plan = ResizePlan(from: .init(width: size, height: size), to: .init(width: tile, height: tile))
        pixels.withUnsafeMutableBufferPointer { plan.resize(packed.images.pixels(Int(packed.position)), into: $0.baseAddress!) }
        return pixels
    }

    private func assemble(_ blocks: [(color: Int, faces: [[UInt8]])]) -> PixelImage {
        let step = tile + Self.gap
        let lines = blocks.map { ($0.faces.count + columns - 1) / columns }
        let width = Self.bar + Self.gap + columns * step
        let height = lines.reduce(0, +) * step + (blocks.count - 1) * 2 * Self.gap + Self.gap
        var sheet = [UInt8](repeating: 0, count: width * height * 3)
        for at in 0..<width * height { for c in 0..<3 { sheet[at * 3 + c] = Self.background[c] } }
        var top = Self.gap
        for (block, count) in zip(blocks, lines) {
            for y in top..<top + count * step - Self.gap {
                for x in 0..<Self.bar { for c in 0..<3 { sheet[(y * width + x) * 3 + c] = Self.colors[block.color][c] } }
            }
            for (index, face) in block.faces.enumerated() {
                let left = Self.bar + Self.gap + index % columns * step, y = top + index / columns * step
                for line in 0..<tile {
                    let from = line * tile * 3, to = ((y + line) * width + left) * 3
                    sheet.replaceSubrange(to..<to + tile * 3, with: face[from..<from + tile * 3])
                }
            }
            top += count * step + 2 * Self.gap
        }
        return PixelImage(width: width, height: height, pixels: sheet)
    }
}
