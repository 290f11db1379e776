// How images are read: what one may cost, what is forgiven, and what is traded for speed. The flags that error messages name.
import ArgumentParser
import FaceData

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
    @Flag(help: "Decode large JPEGs at a reduced size. Faster, but changes pixels (docs/images.md), so use it for training and serving alike.")
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

    func validate() throws {
        for (name, value, most) in [
            ("bytes", maxImageBytes, Int(Int32.max)), ("pixels", maxImagePixels, 1 << 30), ("side", maxImageSide, 65_535), ("scans", maxImageScans, 10_000),
        ] where value < 1 || value > most {
            throw ValidationError("--max-image-\(name) \(value) must lie between 1 and \(most).")
        }
    }
}
