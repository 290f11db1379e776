// The operations by their definitions, in Double: the oracle of this module's tests.
import TensorCore

/// A window sweeping over an image: what convolution and pooling have in common.
struct Sweep: CustomStringConvertible {
    var batch = 1, height: Int, width: Int, channels: Int
    var kernelHeight: Int, kernelWidth: Int, stride: Int, padding: Int
    /// Convolution only.
    var filters = 1

    var outHeight: Int { (height + 2 * padding - kernelHeight) / stride + 1 }
    var outWidth: Int { (width + 2 * padding - kernelWidth) / stride + 1 }
    var input: Shape { Shape(batch, height, width, channels) }
    var weight: Shape { Shape(filters, kernelHeight, kernelWidth, channels) }
    var convolved: Shape { Shape(batch, outHeight, outWidth, filters) }
    var pooled: Shape { Shape(batch, outHeight, outWidth, channels) }

    var description: String {
        "\(input) with \(filters) filters of \(kernelHeight)×\(kernelWidth), stride \(stride), padding \(padding)"
    }

    /// Calls `body` with (output pixel, input pixel, tap) for every tap that lies inside its image, in row order.
    func forEachTap(_ body: (Int, Int, Int) -> Void) {
        for n in 0..<batch {
            for oy in 0..<outHeight {
                for ox in 0..<outWidth {
                    for ky in 0..<kernelHeight {
                        for kx in 0..<kernelWidth {
                            let iy = oy * stride - padding + ky, ix = ox * stride - padding + kx
                            guard (0..<height).contains(iy), (0..<width).contains(ix) else { continue }
                            body((n * outHeight + oy) * outWidth + ox, (n * height + iy) * width + ix, ky * kernelWidth + kx)
                        }
                    }
                }
            }
        }
    }
}

enum Reference {
    static func convolution(_ s: Sweep, x: [Float], w: [Float], bias: [Float]?) -> [Double] {
        var y: [Double] = (0..<s.convolved.count).map { i in bias == nil ? 0 : Double(bias![i % s.filters]) }
        let taps = s.kernelHeight * s.kernelWidth
        s.forEachTap { row, pixel, tap in
            for k in 0..<s.filters {
                for c in 0..<s.channels {
                    y[row * s.filters + k] += Double(x[pixel * s.channels + c]) * Double(w[(k * taps + tap) * s.channels + c])
                }
            }
        }
        return y
    }

    static func convolutionBackward(_ s: Sweep, dy: [Float], x: [Float], w: [Float]) -> (dx: [Double], dw: [Double], db: [Double]) {
        var dx = [Double](repeating: 0, count: x.count), dw = [Double](repeating: 0, count: w.count)
        var db = [Double](repeating: 0, count: s.filters)
        let taps = s.kernelHeight * s.kernelWidth
        s.forEachTap { row, pixel, tap in
            for k in 0..<s.filters {
                let g = Double(dy[row * s.filters + k])
                for c in 0..<s.channels {
                    let at = (k * taps + tap) * s.channels + c
                    dx[pixel * s.channels + c] += g * Double(w[at])
                    dw[at] += g * Double(x[pixel * s.channels + c])
                }
            }
        }
        for (i, g) in dy.enumerated() { db[i % s.filters] += Double(g) }
        return (dx, dw, db)
    }

    /// op(a)·op(b), row-major.
    static func product(_ a: [Float], _ b: [Float], m: Int, n: Int, k: Int, transposeA: Bool = false, transposeB: Bool = false) -> [Double] {
        var c = [Double](repeating: 0, count: m * n)
        for i in 0..<m {
            for j in 0..<n {
                for l in 0..<k {
                    c[i * n + j] += Double(a[transposeA ? l * m + i : i * k + l]) * Double(b[transposeB ? j * k + l : l * n + j])
                }
            }
        }
        return c
    }

    struct BatchNorm {
        var y: [Double], mean: [Double], variance: [Double], dx: [Double], dGamma: [Double], dBeta: [Double]

        init(_ x: [Float], _ dy: [Float], gamma: [Float], beta: [Float], epsilon: Double) {
            let channels = gamma.count, rows = x.count / channels
            (mean, variance) = (Array(repeating: 0, count: channels), Array(repeating: 0, count: channels))
            (dGamma, dBeta) = (mean, mean)
            (y, dx) = (Array(repeating: 0, count: x.count), Array(repeating: 0, count: x.count))
            for c in 0..<channels {
                let column = stride(from: c, to: x.count, by: channels)
                mean[c] = column.reduce(0) { $0 + Double(x[$1]) } / Double(rows)
                variance[c] = column.reduce(0) { $0 + (Double(x[$1]) - mean[c]) * (Double(x[$1]) - mean[c]) } / Double(rows)
                let scale = 1 / (variance[c] + epsilon).squareRoot()
                for i in column {
                    let normal = (Double(x[i]) - mean[c]) * scale
                    y[i] = normal * Double(gamma[c]) + Double(beta[c])
                    dGamma[c] += Double(dy[i]) * normal
                    dBeta[c] += Double(dy[i])
                }
                for i in column {
                    let normal = (Double(x[i]) - mean[c]) * scale
                    dx[i] = Double(gamma[c]) * scale * (Double(dy[i]) - dBeta[c] / Double(rows) - normal * dGamma[c] / Double(rows))
                }
            }
        }
    }

    /// Maximum and the input index it came from; first maximum wins, a NaN beats everything before it.
    static func maxPool(_ s: Sweep, x: [Float]) -> (y: [Float], from: [Int]) {
        var y = [Float](repeating: -.infinity, count: s.pooled.count), from = [Int](repeating: -1, count: s.pooled.count)
        s.forEachTap { row, pixel, _ in
            for c in 0..<s.channels {
                let value = x[pixel * s.channels + c], at = row * s.channels + c
                if from[at] < 0 || value > y[at] || value.isNaN { (y[at], from[at]) = (value, pixel * s.channels + c) }
            }
        }
        return (y, from)
    }

    static func averagePool(_ s: Sweep, x: [Float], dy: [Float]) -> (y: [Double], dx: [Double]) {
        var y = [Double](repeating: 0, count: s.pooled.count), dx = [Double](repeating: 0, count: x.count)
        let area = Double(s.kernelHeight * s.kernelWidth)
        s.forEachTap { row, pixel, _ in
            for c in 0..<s.channels {
                y[row * s.channels + c] += Double(x[pixel * s.channels + c]) / area
                dx[pixel * s.channels + c] += Double(dy[row * s.channels + c]) / area
            }
        }
        return (y, dx)
    }
}

extension [Double] {
    var asFloats: [Float] { map { Float($0) } }
    /// Largest magnitude: what an absolute tolerance is relative to.
    var scale: Float { Float(self.map { Swift.abs($0) }.max() ?? 0) }
}
