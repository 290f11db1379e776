// What the camera does to the picture: light, colour, blur, noise; then eight bits per channel.

extension FaceRenderer {
    func finish(_ noise: inout FaceRandom) {
        let f = face
        let gains = Colour(1 + 0.06 * f.warmth, 1, 1 - 0.06 * f.warmth).scaled(f.exposure)
        let lx = f.lightX * 0.35
        let ly = f.lightY * 0.25
        canvas.each(.everything) { index, u, v in
            let light = 1 + u * lx + v * ly
            FaceCanvas.store(FaceCanvas.lane(canvas.red, index) * light * gains.r, canvas.red, index)
            FaceCanvas.store(FaceCanvas.lane(canvas.green, index) * light * gains.g, canvas.green, index)
            FaceCanvas.store(FaceCanvas.lane(canvas.blue, index) * light * gains.b, canvas.blue, index)
        }
        for _ in 0..<f.blur { canvas.blur() }
        canvas.addNoise(f.noise, &noise)
    }
}

extension FaceCanvas {
    /// One pass of the 3×3 binomial filter, in place; the u plane serves as scratch, so this comes after all drawing.
    func blur() {
        for plane in [red, green, blue] {
            for y in 0..<height {
                let row = plane + y * stride
                let out = u + y * stride
                out[0] = 0.75 * row[0] + 0.25 * row[1]
                for x in 1..<(width - 1) { out[x] = 0.5 * row[x] + 0.25 * (row[x - 1] + row[x + 1]) }
                out[width - 1] = 0.75 * row[width - 1] + 0.25 * row[width - 2]
            }
            for y in 0..<height {
                let middle = u + y * stride
                let above = u + max(y - 1, 0) * stride
                let below = u + min(y + 1, height - 1) * stride
                let out = plane + y * stride
                for x in 0..<width { out[x] = 0.5 * middle[x] + 0.25 * (above[x] + below[x]) }
            }
        }
    }

    /// Sensor noise: mostly shared by the channels, partly their own. Eight xorshift generators run side by side.
    func addNoise(_ level: Float, _ random: inout FaceRandom) {
        guard level > 0 else { return }
        var state = SIMD8<UInt32>()
        for k in 0..<8 { state[k] = UInt32(truncatingIfNeeded: random.next()) | 1 }
        let scale = level * 2 * 1.7320508 / 255
        for y in 0..<height {
            for x in Swift.stride(from: 0, to: stride, by: 8) {
                state ^= state &<< 13
                state ^= state &>> 17
                state ^= state &<< 5
                let index = y * stride + x
                let shared = Self.byte(state, 0)
                Self.store(Self.lane(red, index) + (shared + 0.6 * Self.byte(state, 8)) * scale, red, index)
                Self.store(Self.lane(green, index) + (shared + 0.6 * Self.byte(state, 16)) * scale, green, index)
                Self.store(Self.lane(blue, index) + (shared + 0.6 * Self.byte(state, 24)) * scale, blue, index)
            }
        }
    }

    /// A byte of each lane as a float in −127.5…127.5.
    @inline(__always)
    private static func byte(_ state: SIMD8<UInt32>, _ shift: UInt32) -> Lane {
        let bits = ((state &>> shift) & 255) | 0x4B00_0000  // 2²³ + byte, as a float
        return unsafeBitCast(bits, to: Lane.self) - 8_388_608 - 127.5
    }

    /// The picture as interleaved 8-bit RGB, rounded to nearest.
    package func write(to rgb: UnsafeMutablePointer<UInt8>) {
        for y in 0..<height {
            var out = rgb + y * width * 3
            for x in Swift.stride(from: 0, to: width, by: 8) {
                let index = y * stride + x
                let r = Self.levels(red, index)
                let g = Self.levels(green, index)
                let b = Self.levels(blue, index)
                for k in 0..<min(8, width - x) {
                    out[0] = UInt8(truncatingIfNeeded: r[k])
                    out[1] = UInt8(truncatingIfNeeded: g[k])
                    out[2] = UInt8(truncatingIfNeeded: b[k])
                    out += 3
                }
            }
        }
    }

    @inline(__always)
    private static func levels(_ plane: UnsafeMutablePointer<Float>, _ index: Int) -> SIMD8<UInt32> {
        // Adding 2²³ leaves the nearest integer in the low bits of the significand.
        unsafeBitCast(lane(plane, index).clamped * 255 + 8_388_608, to: SIMD8<UInt32>.self) & 255
    }
}
