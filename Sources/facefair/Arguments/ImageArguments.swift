// How images are read: what one may cost, what is forgiven, and what is traded for speed. The flags that error messages name.
import ArgumentParser
import FaceData
import TensorCore

extension Interpolation: ExpressibleByArgument {}

struct ImageArguments: ParsableArguments {
    @Option(help: "Largest encoded image, in bytes.")
    var maxImageBytes = ImageLimits().maxBytes
    @Option(help: "Largest image, in pixels.")
    var maxImagePixels = ImageLimits().maxPixels
    @Option(help: "Longest side, in pixels.")
    var maxImageSide = ImageLimits().maxSide
    @Option(help: "Most scans of a progressive JPEG.")
    var maxImageScans = ImageLimits().maxScans
    @Flag(help: "Accept images that the decoder warns about; they are counted and listed. Files that end early are refused all the same.")
    var lenientImages = false
    @Flag(help: "Decode large JPEGs at a reduced size. Faster, but changes pixels (docs/images.md). A model that was trained so is served so.")
    var fastDecode = false

    var limits: ImageLimits {
        var limits = ImageLimits()
        limits.maxBytes = maxImageBytes
        limits.maxPixels = maxImagePixels
        limits.maxSide = maxImageSide
        limits.maxScans = maxImageScans
        limits.lenient = lenientImages
        limits.fastDecode = fastDecode
        return limits
    }

    /// For a model that was trained with or without --fast-decode.
    func limits(of fastDecode: Bool?) -> ImageLimits {
        var limits = limits
        limits.fastDecode = limits.fastDecode || fastDecode == true
        return limits
    }

    /// As pairs for config.yaml.
    static func flags(_ limits: ImageLimits) -> [(key: String, value: String)] {
        [
            ("max-image-bytes", "\(limits.maxBytes)"), ("max-image-pixels", "\(limits.maxPixels)"), ("max-image-side", "\(limits.maxSide)"),
            ("max-image-scans", "\(limits.maxScans)"), ("lenient-images", "\(limits.lenient)"), ("fast-decode", "\(limits.fastDecode)"),
        ]
    }

    func validate() throws {
        for (name, value, most) in [
            ("bytes", maxImageBytes, Int(Int32.max)), ("pixels", maxImagePixels, 1 << 30), ("side", maxImageSide, 65_535), ("scans", maxImageScans, 10_000),
        ] where value < 1 || value > most {
            throw ValidationError("--max-image-\(name) \(value) must lie between 1 and \(most).")
        }
    }
}
