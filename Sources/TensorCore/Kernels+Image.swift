// Resize and normalisation of pixels. These run on the calling thread: data loading has worker threads of its own.
import CKernels

/// How an image is resized; the names and the arithmetic are Pillow's. Bilinear and bicubic average over all pixels when shrinking
/// (antialias); nearest takes one.
public enum Interpolation: String, Codable, CaseIterable, Sendable {
    case bilinear, bicubic, nearest

    var filter: ck_filter {
        switch self {
        case .bilinear: CK_BILINEAR
        case .bicubic: CK_BICUBIC
        case .nearest: CK_NEAREST
        }
    }
}

/// A resize between two fixed sizes: the coefficient tables and the scratch memory, made once and used for every image of that size.
/// Not Sendable: one thread uses it at a time.
public final class ResizePlan {
    public struct Size: Hashable, Sendable {
        public let width: Int
        public let height: Int

        public init(width: Int, height: Int) {
            self.width = width
            self.height = height
        }
    }

    public let source: Size
    public let target: Size
    public let interpolation: Interpolation
    private var descriptor: ck_resize_desc
    private let table: UnsafeMutableRawBufferPointer
    private let workspace: UnsafeMutableRawBufferPointer

    /// Errors: traps on sizes outside 1…2²⁰.
    public init(from source: Size, to target: Size, interpolation: Interpolation = .bilinear) {
        self.source = source
        self.target = target
        self.interpolation = interpolation
        descriptor = ck_resize_desc(
            source_width: Int32(source.width), source_height: Int32(source.height),
            width: Int32(target.width), height: Int32(target.height), filter: interpolation.filter)
        table = .allocate(byteCount: ck_resize_table_bytes(&descriptor), alignment: 64)
        workspace = .allocate(byteCount: ck_resize_workspace_bytes(&descriptor), alignment: 64)
        guard let start = table.baseAddress else { fatalError("no resize from \(source) to \(target)") }
        check(ck_resize_table_init(start, table.count, &descriptor), "resize from \(source) to \(target)")
    }

    deinit {
        table.deallocate()
        workspace.deallocate()
    }

    /// Resize of RGB pixels, equal to `PIL.Image.resize` with the same filter.
    ///
    /// Shape: input [source.height, source.width, 3] → output [target.height, target.width, 3], 8 bit.
    public func resize(_ input: UnsafePointer<UInt8>, into output: UnsafeMutablePointer<UInt8>) {
        check(
            ck_resize_forward(output, input, &descriptor, table.baseAddress!, workspace.baseAddress!, workspace.count),
            "resize from \(source) to \(target)")
    }

    /// The same, then ``Kernels/normalize(_:pixelCount:mean:std:into:)`` of each row as it is made: equal to both calls, bit for bit.
    ///
    /// Shape: input [source.height, source.width, 3] → output [target.height, target.width, 3]; mean, std [3].
    public func resize(
        _ input: UnsafePointer<UInt8>, mean: [Float], std: [Float], into output: UnsafeMutablePointer<Float>
    ) {
        precondition(mean.count == 3 && std.count == 3, "mean and std have \(mean.count) and \(std.count) values, not 3")
        check(
            ck_resize_normalize_forward(
                output, input, &descriptor, table.baseAddress!, mean, std, workspace.baseAddress!, workspace.count),
            "resize from \(source) to \(target) with std \(std)")
    }
}

extension Kernels {
    /// output = (input/255 − mean) / std per channel.
    ///
    /// Shape: input, output [pixelCount, 3]; mean, std [3].
    public static func normalize(
        _ input: UnsafePointer<UInt8>, pixelCount: Int, mean: [Float], std: [Float], into output: UnsafeMutablePointer<Float>
    ) {
        precondition(mean.count == 3 && std.count == 3, "mean and std have \(mean.count) and \(std.count) values, not 3")
        check(ck_normalize_forward(output, input, Int64(pixelCount), mean, std), "normalize with std \(std)")
    }
}
