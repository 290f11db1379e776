// The canvas a face is drawn on: three float planes, the face coordinates of every pixel, and anti-aliased painting.
// One canvas per worker, used for face after face.

struct Colour {
    var r, g, b: Float

    init(_ r: Float, _ g: Float, _ b: Float) { (self.r, self.g, self.b) = (r, g, b) }

    func scaled(_ factor: Float) -> Colour { Colour(r * factor, g * factor, b * factor) }

    func mixed(_ other: Colour, _ part: Float) -> Colour {
        Colour(r + (other.r - r) * part, g + (other.g - g) * part, b + (other.b - b) * part)
    }
}

/// A rectangle in face coordinates that holds everything a shape covers.
struct FaceBox {
    var left, top, right, bottom: Float

    init(_ left: Float, _ top: Float, _ right: Float, _ bottom: Float) {
        (self.left, self.top, self.right, self.bottom) = (left, top, right, bottom)
    }

    init(around x: Float, _ y: Float, _ rx: Float, _ ry: Float) { self.init(x - rx, y - ry, x + rx, y + ry) }

    static let everything = FaceBox(-100, -100, 100, 100)
}

/// Where the head sits in the picture.
struct Placement {
    var centreX, centreY: Float  // pixel of the point between the eyes
    var scale: Float  // pixels per face unit (half the head's height)
    var tilt: Float  // tangent of half the roll angle
    var yaw: Float  // sideways shift of the middle of the face, in face units

    /// Half width over which the yaw fades to nothing at the outline.
    static let reach: Float = 0.86

    var cosine: Float { (1 - tilt * tilt) / (1 + tilt * tilt) }
    var sine: Float { 2 * tilt / (1 + tilt * tilt) }

    /// The pixel of a point on the face, by fixed-point iteration on the yaw.
    func pixel(_ u: Float, _ v: Float) -> (x: Float, y: Float) {
        var x = u
        for _ in 0..<4 {
            let edge = x / Self.reach
            let fade = 1 - edge * edge
            x = u + (fade > 0 ? yaw * fade : 0)
        }
        return (centreX + scale * (cosine * x - sine * v), centreY + scale * (sine * x + cosine * v))
    }
}

/// Not Sendable: owned by one worker.
final class FaceCanvas {
    let width, height, stride: Int
    let red, green, blue: UnsafeMutablePointer<Float>
    let u, v: UnsafeMutablePointer<Float>
    private(set) var placement = Placement(centreX: 0, centreY: 0, scale: 1, tilt: 0, yaw: 0)
    /// Face units per pixel.
    private(set) var pixel: Float = 1

    init(width: Int, height: Int) {
        self.width = width
        self.height = height
        stride = (width + 7) / 8 * 8
        let count = stride * height
        let planes = (0..<5).map { _ -> UnsafeMutablePointer<Float> in
            let raw = UnsafeMutableRawPointer.allocate(byteCount: count * 4, alignment: 64)
            let plane = raw.bindMemory(to: Float.self, capacity: count)
            plane.initialize(repeating: 0, count: count)
            return plane
        }
        (red, green, blue, u, v) = (planes[0], planes[1], planes[2], planes[3], planes[4])
    }

    deinit { for plane in [red, green, blue, u, v] { UnsafeMutableRawPointer(plane).deallocate() } }

    @inline(__always)
    static func lane(_ plane: UnsafeMutablePointer<Float>, _ index: Int) -> Lane {
        UnsafeRawPointer(plane + index).loadUnaligned(as: Lane.self)
    }

    @inline(__always)
    static func store(_ value: Lane, _ plane: UnsafeMutablePointer<Float>, _ index: Int) {
        UnsafeMutableRawPointer(plane + index).storeBytes(of: value, as: Lane.self)
    }

    /// Sets the pose and computes every pixel's face coordinates.
    func place(_ placement: Placement) {
        self.placement = placement
        pixel = 1 / placement.scale
        let c = placement.cosine / placement.scale
        let s = placement.sine / placement.scale
        let ramp = Lane(0, 1, 2, 3, 4, 5, 6, 7)
        let inverseReach = 1 / Placement.reach
        for y in 0..<height {
            let dy = Float(y) + 0.5 - placement.centreY
            for x in Swift.stride(from: 0, to: stride, by: 8) {
                let dx = ramp + (Float(x) + 0.5 - placement.centreX)
                let headX = dx * c + dy * s
                let edge = headX * inverseReach
                let fade = (1 - edge * edge).atLeast(0)
                Self.store(headX - fade * placement.yaw, u, y * stride + x)
                Self.store(dy * c - dx * s, v, y * stride + x)
            }
        }
    }

    /// The pixel rectangle that holds `box`: rows, and columns in whole lanes.
    private func pixels(_ box: FaceBox) -> (x0: Int, x1: Int, y0: Int, y1: Int) {
        let p = placement
        let left = box.left + (p.yaw < 0 ? p.yaw : 0)
        let right = box.right + (p.yaw > 0 ? p.yaw : 0)
        var (x0, x1, y0, y1) = (Float.infinity, -Float.infinity, Float.infinity, -Float.infinity)
        for corner in [(left, box.top), (right, box.top), (left, box.bottom), (right, box.bottom)] as InlineCorners {
            let x = p.centreX + p.scale * (p.cosine * corner.0 - p.sine * corner.1)
            let y = p.centreY + p.scale * (p.sine * corner.0 + p.cosine * corner.1)
            x0 = min(x0, x)
            x1 = max(x1, x)
            y0 = min(y0, y)
            y1 = max(y1, y)
        }
        let w = Float(width)
        let h = Float(height)
        return (
            Int((x0 - 1.5).limited(0, w)) / 8 * 8, Int((x1 + 2.5).limited(0, w)),
            Int((y0 - 1.5).limited(0, h)), Int((y1 + 2.5).limited(0, h))
        )
    }

    private typealias InlineCorners = [(Float, Float)]

    /// Runs `body` over the lanes of `box` with the index, and u and v of the eight pixels.
    @inline(__always)
    func each(_ box: FaceBox, _ body: (Int, Lane, Lane) -> Void) {
        let (x0, x1, y0, y1) = pixels(box)
        var y = y0
        while y < y1 {
            var x = x0
            while x < x1 {
                let index = y * stride + x
                body(index, Self.lane(u, index), Self.lane(v, index))
                x += 8
            }
            y += 1
        }
    }

    /// Blends `colour` in with the coverage (0…1) that `coverage` returns.
    @inline(__always)
    func paint(_ box: FaceBox, _ colour: Colour, _ coverage: (Lane, Lane) -> Lane) {
        each(box) { index, u, v in
            let part = coverage(u, v)
            blend(index, part, Lane(colour.r), Lane(colour.g), Lane(colour.b))
        }
    }

    /// As ``paint(_:_:_:)`` with a brightness factor per pixel.
    @inline(__always)
    func shade(_ box: FaceBox, _ colour: Colour, _ body: (Lane, Lane) -> (coverage: Lane, brightness: Lane)) {
        each(box) { index, u, v in
            let (part, light) = body(u, v)
            blend(index, part, light * colour.r, light * colour.g, light * colour.b)
        }
    }

    /// Multiplies what is there by `colour` where the returned strength is 1, and leaves it where it is 0.
    @inline(__always)
    func tint(_ box: FaceBox, _ colour: Colour, _ strength: (Lane, Lane) -> Lane) {
        each(box) { index, u, v in
            let part = strength(u, v)
            let (r, g, b) = (Self.lane(red, index), Self.lane(green, index), Self.lane(blue, index))
            Self.store(r + r * part * (colour.r - 1), red, index)
            Self.store(g + g * part * (colour.g - 1), green, index)
            Self.store(b + b * part * (colour.b - 1), blue, index)
        }
    }

    @inline(__always)
    private func blend(_ index: Int, _ part: Lane, _ r: Lane, _ g: Lane, _ b: Lane) {
        let (r0, g0, b0) = (Self.lane(red, index), Self.lane(green, index), Self.lane(blue, index))
        Self.store(r0 + (r - r0) * part, red, index)
        Self.store(g0 + (g - g0) * part, green, index)
        Self.store(b0 + (b - b0) * part, blue, index)
    }

    /// Coverage of an edge: 1 inside, 0 outside, linear over one pixel, or over `soft` face units more.
    @inline(__always)
    func cover(_ distance: Lane, soft: Float = 0) -> Lane {
        let edge = 1 / (pixel + soft)
        return (0.5 - distance * edge).clamped
    }
}
