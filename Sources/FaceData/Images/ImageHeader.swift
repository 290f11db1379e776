// What a file says about its image before it is decoded, and what that means for the way to RGB.
import CImageCodecs

public struct ImageHeader: Equatable, Sendable {
    public enum Format: String, Codable, Sendable { case jpeg, png }
    public enum Colour: String, Codable, Sendable { case grey, rgb, ycc, cmyk, ycck, palette }

    public let format: Format
    /// Size after the orientation is applied.
    public let width: Int
    public let height: Int
    public let channels: Int
    public let bitsPerChannel: Int
    public let colour: Colour
    /// An alpha channel or tRNS.
    public let isTransparent: Bool
    /// PNG: Adam7; JPEG: progressive.
    public let isInterlaced: Bool
    /// JPEG: arithmetic coding.
    public let isArithmetic: Bool
    /// EXIF, or XMP where EXIF has none; 1…8, and 1 where there is none or it is malformed.
    public let orientation: Int
    /// There is an EXIF block, but no orientation could be read from it.
    public let hasMalformedEXIF: Bool
    /// MPO or APNG: the first image is the one that is read.
    public let hasFurtherImages: Bool
    /// JPEG: scans; PNG: 1, or 7 when interlaced.
    public let scans: Int

    init(_ info: ci_info) {
        let isSideways = info.orientation >= 5
        format = info.format == CI_JPEG ? .jpeg : .png
        width = Int(isSideways ? info.height : info.width)
        height = Int(isSideways ? info.width : info.height)
        channels = Int(info.components)
        bitsPerChannel = Int(info.bit_depth)
        colour =
            switch info.colour {
            case CI_GREY: .grey
            case CI_YCC: .ycc
            case CI_CMYK: .cmyk
            case CI_YCCK: .ycck
            case CI_PALETTE: .palette
            default: .rgb
            }
        isTransparent = info.transparent
        isInterlaced = info.interlaced
        isArithmetic = info.arithmetic
        orientation = Int(info.orientation)
        hasMalformedEXIF = info.exif_malformed
        hasFurtherImages = info.several
        scans = Int(info.scans)
    }

    /// The steps from this file's samples to upright 8-bit RGB, one phrase each; empty for 8-bit RGB and YCbCr that lie upright.
    public var conversions: [String] {
        var steps: [String] = []
        if hasFurtherImages { steps.append("first of several images") }
        if isArithmetic { steps.append("arithmetic decoding") }
        if isInterlaced { steps.append(format == .png ? "deinterlaced" : "progressive scans joined") }
        switch colour {
        case .grey: steps.append("grey to RGB")
        case .palette: steps.append("palette to RGB")
        case .cmyk: steps.append("inverted CMYK to RGB")
        case .ycck: steps.append("inverted YCCK to RGB")
        case .rgb, .ycc: break
        }
        if bitsPerChannel == 16 { steps.append("16 bit to 8") }
        if bitsPerChannel < 8 && colour != .palette { steps.append("\(bitsPerChannel) bit to 8") }
        if isTransparent { steps.append("composited on white") }
        if orientation > 1 { steps.append("orientation \(orientation) applied") }
        if hasMalformedEXIF { steps.append("malformed EXIF ignored") }
        return steps
    }
}
