// What a packed data set says of itself: JSON under one key of the safetensors metadata. docs/data.md is its contract.
//
//   images    U8  [N, S, S, 3]   resized, not normalised; rows without the refused images
//   file_id   I32 [N]            position of the image in the source's list, ascending
//   labels    I8  [N, A]         position of the value in the column's class names, -1 = missing
//   split     U8  [N]            0 train, 1 valid, 2 test, 255 none given
//   names     U8  [bytes]        N names as the label files have them, each ended by a zero byte; zeros may follow
//   refused   U8  [bytes]        one JSON object per line and refused image: file_id, file, code, message, labels, split
import Foundation
import TensorCore

/// How the pixels came about; two packed files with equal values and sources hold equal bytes.
public struct PackedPreprocessing: Codable, Equatable, Sendable {
    /// Pixels a side.
    public var imageSize: Int
    public var resample: Interpolation
    /// Averages over all pixels when shrinking.
    public var antialias: Bool
    public var exifTranspose = true
    /// What stands behind transparent pixels.
    public var alpha = "white"
    /// Images with decoder warnings were kept.
    public var lenient: Bool
    /// Large JPEGs were decoded at a reduced size.
    public var fastDecode: Bool
    /// What an image was allowed to cost: it decides which images are missing.
    public var maxImageBytes: Int
    public var maxImagePixels: Int
    public var maxImageSide: Int
    public var maxImageScans: Int

    public init(imageSize: Int, interpolation: Interpolation = .bilinear, limits: ImageLimits = ImageLimits()) {
        self.imageSize = imageSize
        resample = interpolation
        antialias = interpolation != .nearest
        lenient = limits.lenient
        fastDecode = limits.fastDecode
        maxImageBytes = limits.maxBytes
        maxImagePixels = limits.maxPixels
        maxImageSide = limits.maxSide
        maxImageScans = limits.maxScans
    }

    private enum CodingKeys: String, CodingKey {
        case imageSize = "image_size", resample, antialias, exifTranspose = "exif_transpose", alpha, lenient, fastDecode = "fast_decode",
            maxImageBytes = "max_image_bytes", maxImagePixels = "max_image_pixels", maxImageSide = "max_image_side",
            maxImageScans = "max_image_scans"
    }

    /// Why these pixels are not what reading the images as asked would give, and the way out; nil where they are. The costs count for
    /// nothing here: they protect a decoder, and nothing is decoded any more.
    func mismatch(
        imageSize asked: Int?, interpolation: Interpolation?, limits: ImageLimits?
    ) -> (reason: String, help: String)? {
        if let asked, asked != imageSize {
            return (
                "its images are \(imageSize)×\(imageSize), asked for are \(asked)×\(asked)",
                "Use --img-size \(imageSize), or pack the data again with --img-size \(asked)."
            )
        }
        if let interpolation, interpolation != resample {
            return (
                "its images were resized with \(resample.rawValue), asked for is \(interpolation.rawValue)",
                "Use --interpolation \(resample.rawValue), or pack the data again with --interpolation \(interpolation.rawValue)."
            )
        }
        guard let limits else { return nil }
        for (flag, packed, wanted) in [("--lenient-images", lenient, limits.lenient), ("--fast-decode", fastDecode, limits.fastDecode)]
        where packed != wanted {
            return packed
                ? ("it was packed with \(flag), which is not asked for here", "Give \(flag) here too, or pack the data again without it.")
                : ("it was packed without \(flag), which is asked for here", "Leave \(flag) out, or pack the data again with it.")
        }
        return nil
    }
}

struct PackedDescription: Codable, Equatable, Sendable {
    static let key = "facefair_pack"
    static let currentVersion = 1
    /// What the split tensor holds where the source gives no split.
    static let noSplit: UInt8 = 255

    struct Column: Codable, Equatable, Sendable {
        var name: String
        /// In the order of the codes.
        var classes: [String]
        /// Codes that mean label 1 when the column is the target, and what that is called; empty where a value must be named.
        var positive: [Int]
        var positiveName: String?

        private enum CodingKeys: String, CodingKey { case name, classes, positive, positiveName = "positive_name" }

        init(_ declaration: ColumnDeclaration) {
            name = declaration.name
            classes = declaration.values
            positive = (declaration.positive ?? []).sorted()
            positiveName = declaration.positiveName
        }

        var declaration: ColumnDeclaration {
            ColumnDeclaration(
                name: name, values: classes, positive: positive.isEmpty ? nil : Set(positive), positiveName: positiveName)
        }
    }

    var version = PackedDescription.currentVersion
    var layout: DatasetLayout
    var synthetic: Bool
    var preprocessing: PackedPreprocessing
    var columns: [Column]
    /// Of the source: packed and refused ones.
    var rows: Int
    /// Of the label files and the list of images with their sizes.
    var sourceSHA256: String
    /// Of the bytes of `images`.
    var imagesSHA256: String

    private enum CodingKeys: String, CodingKey {
        case version, layout, synthetic, preprocessing, columns, rows, sourceSHA256 = "source_sha256", imagesSHA256 = "images_sha256"
    }

    func encoded() throws -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        return String(decoding: try encoder.encode(self), as: UTF8.self)
    }

    /// What is impossible about the values, nil if nothing is: the file may come from anywhere.
    var complaint: String? {
        if version != Self.currentVersion { return "version \(version) of the format is not known to this facefair; update it or pack again" }
        if preprocessing.imageSize < 1 || preprocessing.imageSize > 16_384 { return "images of \(preprocessing.imageSize) pixels a side" }
        if Set(columns.map(\.name)).count != columns.count { return "a column's name stands twice" }
        for column in columns {
            if column.classes.isEmpty || column.classes.count > 127 { return "column '\(column.name)' has \(column.classes.count) classes" }
            if Set(column.classes).count != column.classes.count { return "a class of column '\(column.name)' stands twice" }
            if !column.positive.allSatisfy({ column.classes.indices.contains($0) }) { return "column '\(column.name)' has impossible positive classes" }
        }
        return nil
    }
}

/// An image that could not be packed. Its labels stay, so that samplers and splits see the same rows as in the folder.
struct PackedRefusal: Codable, Equatable, Sendable {
    var fileID: Int
    var file: String
    var code: ImageErrorCode
    var message: String
    var labels: [Int]
    var split: UInt8

    private enum CodingKeys: String, CodingKey { case fileID = "file_id", file, code, message, labels, split }
}

extension Split {
    /// As the split tensor has it.
    var packedCode: UInt8 {
        switch self {
        case .train: 0
        case .valid: 1
        case .test: 2
        }
    }

    /// nil for a code that is none.
    static func fromPacked(_ code: UInt8) -> Split?? {
        switch code {
        case 0: .some(.train)
        case 1: .some(.valid)
        case 2: .some(.test)
        case PackedDescription.noSplit: .some(nil)
        default: nil
        }
    }
}
