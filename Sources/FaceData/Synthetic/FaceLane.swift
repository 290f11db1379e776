// Eight pixels at a time, with exact operations only: + − × ÷ √, comparisons. Nothing here calls the C library.

package typealias Lane = SIMD8<Float>

extension SIMD8<Float> {
    @inline(__always) init(_ value: Float) { self.init(repeating: value) }

    @inline(__always) func atLeast(_ low: Float) -> Lane { replacing(with: low, where: self .< low) }
    @inline(__always) func atMost(_ high: Float) -> Lane { replacing(with: high, where: self .> high) }
    @inline(__always) var clamped: Lane { atLeast(0).atMost(1) }
    @inline(__always) var magnitude: Lane { replacing(with: 0 - self, where: self .< 0) }
    @inline(__always) func larger(_ other: Lane) -> Lane { replacing(with: other, where: other .> self) }
    @inline(__always) func smaller(_ other: Lane) -> Lane { replacing(with: other, where: other .< self) }

    /// 0 at or below `low`, 1 at or above `high`, linear between; `low` may exceed `high` for a falling ramp.
    @inline(__always) func ramp(_ low: Float, _ high: Float) -> Lane {
        let scale = 1 / (high - low)
        return ((self - low) * scale).clamped
    }

    /// x²(3 − 2x) of a value in 0…1.
    @inline(__always) var eased: Lane { self * self * (3 - 2 * self) }

    /// A triangle wave in −1…1 with period 1. Adding and taking away 1.5·2²³ rounds to the nearest integer without libm.
    @inline(__always) var wave: Lane {
        let nearest = (self + 12_582_912) - 12_582_912
        return (self - nearest).magnitude * 4 - 1
    }

    /// A soft sine-like wave in −1…1 with period 1.
    @inline(__always) var softWave: Lane {
        let w = wave
        return w * (1.5 - 0.5 * (w * w))
    }
}

/// Signed distances in the units of their arguments, negative inside.
enum Distance {
    /// To an axis-parallel ellipse, measured along the ray from its centre (enough for edges one pixel wide).
    @inline(__always)
    static func ellipse(_ u: Lane, _ v: Lane, _ cx: Float, _ cy: Float, _ rx: Float, _ ry: Float) -> Lane {
        let x = u - cx
        let y = v - cy
        let sx = x * (1 / rx)
        let sy = y * (1 / ry)
        let rho = (sx * sx + sy * sy).squareRoot()
        let length = (x * x + y * y).squareRoot()
        let outer = length - length / (rho + 1e-6)
        // Within the core the ray distance vanishes at the centre; the smaller radius keeps it clearly inside.
        let core = (rho - 1) * (rx < ry ? rx : ry)
        return outer.replacing(with: core, where: rho .< 0.5)
    }

    /// To the segment from (ax, ay) to (bx, by).
    @inline(__always)
    static func segment(_ u: Lane, _ v: Lane, _ ax: Float, _ ay: Float, _ bx: Float, _ by: Float) -> Lane {
        let dx = bx - ax
        let dy = by - ay
        let scale = 1 / (dx * dx + dy * dy + 1e-9)
        let t = (((u - ax) * dx + (v - ay) * dy) * scale).clamped
        let x = u - ax - t * dx
        let y = v - ay - t * dy
        return (x * x + y * y).squareRoot()
    }
}
