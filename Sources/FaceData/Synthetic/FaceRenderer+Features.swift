// The features that carry the expression: mouth, nose, eyes, brows.

extension FaceRenderer {
    func mouth() {
        let f = face
        let m = face.mouthShape
        let reach = m.half + 0.03
        let box = FaceBox(-reach, m.cornerY - 0.2, reach, m.cornerY + 0.42)
        let inverse = 1 / m.half
        let corner = m.cornerY
        let soft: Float = 0.008

        // Lips: between the outer edges; corners thin out with q.
        canvas.shade(box, f.lipColour) { u, v in
            let x = u * inverse
            let q = (1 - x * x).atLeast(0)
            let y = v - corner
            let bow = (1 - (u.magnitude - 0.07).magnitude * 9).clamped * 0.012  // the two peaks of the upper lip
            let top = q * (m.upperBend - m.upperLip) - bow * q
            let bottom = q * (m.lowerBend + m.lowerLip)
            let part = canvas.cover(top - y, soft: soft) * canvas.cover(y - bottom, soft: soft)
            let shine = (1 - ((y - q * (m.lowerBend + m.lowerLip * 0.5)) * 22).magnitude).clamped * (1 - (u * 5).magnitude).clamped
            let upper = (q * m.upperBend - y).ramp(-0.01, 0.02) * 0.14
            return (part * (q * 14).clamped, 0.97 - upper + shine * 0.20)
        }
        // The opening, and the teeth in it.
        if f.open > 0.04 {
            canvas.paint(box, Colour(0.24, 0.07, 0.07)) { u, v in
                let x = u * inverse
                let q = (1 - x * x).atLeast(0)
                let y = v - corner
                return canvas.cover(q * m.upperBend - y) * canvas.cover(y - q * m.lowerBend) * (q * 14).clamped
            }
            let teeth = (0.25 + 0.75 * f.smile).limited(0, 0.95)
            let height = (m.lowerBend - m.upperBend) * (0.45 + 0.50 * f.smile)
            canvas.shade(box, Colour(0.95, 0.94, 0.90)) { u, v in
                let x = u * (inverse * 1.06)
                let q = (1 - x * x).atLeast(0)
                let y = v - corner
                let bottom = q * (m.upperBend + height)
                let part = canvas.cover(q * m.upperBend - y) * canvas.cover(y - bottom)
                let between = (1 - (u * 13 + 0.5).wave.magnitude * 6).clamped
                let gaps = 1 - between * 0.10
                return (part * (q * 14).clamped * teeth, gaps - x * x * 0.25)
            }
        }
        // The line between the lips, and the dimples at the corners.
        let lineStrength = 0.75 * (1 - f.open * 0.5)
        canvas.tint(box, Colour(0.36, 0.22, 0.22)) { u, v in
            let x = u * inverse
            let q = (1 - x * x).atLeast(0)
            let away = (v - corner - q * m.upperBend).magnitude
            return (1 - away * 55).clamped * (q * 8).clamped * lineStrength
        }
        for side in [-1, 1] as [Float] {
            softSpot(side * (m.half + 0.015), corner, 0.055, 0.06, Colour(0.48, 0.34, 0.32), 0.45 + 0.35 * f.smile)
        }
    }

    func nose() {
        let f = face
        let y = f.noseY
        let w = f.noseWidth * (1 - 0.22 * f.child)
        let dark = Colour(0.58, 0.45, 0.40)
        let lit = Colour(1.14, 1.11, 1.09)
        let side: Float = f.lightX > 0 ? -1 : 1  // shadow falls away from the light
        softSpot(side * (0.075 + 0.15 * w), y * 0.52, 0.065, y * 0.60, dark, 0.34 + 0.15 * f.nosePoint)
        softSpot(-side * (0.075 + 0.15 * w), y * 0.45, 0.05, y * 0.50, dark, 0.16)
        softSpot(0, y * 0.45, 0.045, y * 0.60, lit, 0.55)
        softSpot(0, y - 0.07, w * 0.55, w * 0.55, lit, 0.75)
        // Wings, underside and nostrils.
        for s in [-1, 1] as [Float] {
            let x = s * w
            canvas.tint(FaceBox(around: x, y - 0.03, 0.06, 0.10), dark) { u, v in
                let away = (Distance.ellipse(u, v, s * (w - 0.05), y - 0.03, 0.055, 0.065)).magnitude
                let outside = ((u * s - (w - 0.035)) * 30).clamped
                return (1 - away * 36).clamped * outside * 0.9
            }
        }
        let point = f.nosePoint * 0.03
        canvas.tint(FaceBox(around: 0, y + 0.01, w + 0.02, 0.09), dark) { u, v in
            let x = u * (1 / w)
            let q = (1 - x * x).atLeast(0)
            let away = (v - (y - 0.005) - q * (0.025 + point)).magnitude
            return (1 - away * 26).clamped * (q * 3).clamped * 0.75
        }
        for s in [-1, 1] as [Float] {
            let x = s * w * 0.48
            canvas.tint(FaceBox(around: x, y + 0.012, 0.07, 0.05), Colour(0.32, 0.20, 0.18)) { u, v in
                canvas.cover(Distance.ellipse(u, v, x, y + 0.012, 0.20 * w + 0.012, 0.020), soft: 0.012) * 0.85
            }
        }
    }

    func eyes() {
        for side in [-1, 1] as [Float] { eye(side) }
    }

    private func eye(_ side: Float) {
        let f = face
        let size = f.eyeSize * (1 + 0.30 * f.child)
        let half = 0.150 * size
        let inverse = 1 / half
        let cx = side * f.eyeDistance
        let squint = 0.30 * f.cheeks + 0.12 * f.smile
        let upper = f.eyeOpen * size
        let lower = 0.052 * size * (1 - 0.55 * squint)
        let slant = -side * f.eyeSlant
        let box = FaceBox(around: cx, 0, half + 0.03, upper + 0.12)

        if f.eyeShadow > 0.02 {
            let strength = f.eyeShadow
            canvas.tint(FaceBox(around: cx, -0.07, half + 0.06, 0.17), Colour(0.48, 0.40, 0.50)) { u, v in
                spot(u, v, cx + side * 0.02, -0.06, half + 0.05, 0.13) * (v.ramp(0.05, -0.03)) * strength
            }
        }
        // White, iris and pupil, all cut off by the lids.
        let irisX = cx + f.gazeX
        let irisY = -0.012 - upper * 0.12
        let radius = 0.064 * size
        let iris = f.iris
        canvas.each(box) { index, u, v in
            let x = (u - cx) * inverse
            let q = (1 - x * x).atLeast(0)
            let y = v - x * slant
            let inside = canvas.cover(0 - y - q * upper) * canvas.cover(y - q * lower) * (q * 12).clamped
            let du = u - irisX
            let dv = v - irisY
            let r = (du * du + dv * dv).squareRoot()
            let irisPart = canvas.cover(r - radius)
            let pupil = canvas.cover(r - radius * 0.46)
            let gx = du + radius * 0.3
            let gy = dv + radius * 0.35
            let glint = canvas.cover((gx * gx + gy * gy).squareRoot() - radius * 0.24)
            let white = 0.94 - ((0 - y - q * upper) + 0.05).atLeast(0) * 5 - x * x * 0.12
            let ring = 1 - (r - radius * 0.75).atLeast(0) * 10
            mixEye(index, inside, white, irisPart, ring, pupil, glint, iris)
        }
        // Lids: the lash line above, a thin line below, the crease over the eye.
        let lash = 0.020 + 0.022 * f.lashes
        let ink = Colour(0.20, 0.14, 0.13)
        let wing = f.lashes * 0.03
        canvas.tint(FaceBox(around: cx, -upper * 0.5, half + 0.04, upper + 0.08), ink) { u, v in
            let x = (u - cx) * (inverse * 0.97)
            let q = (1 - x * x).atLeast(0)
            let outward = (x * side).atLeast(0)
            let y = v - x * slant + outward * outward * wing
            let away = (y + q * upper).magnitude
            return (1.25 - away * (1 / lash)).clamped * (q * 5).clamped * 0.92
        }
        line(cx, 0, half, slope: slant, bend: lower, thickness: 0.018, Colour(0.45, 0.33, 0.31), 0.8)
        line(
            cx, -0.035, half * 1.05, slope: slant, bend: -upper - 0.02, thickness: 0.022, Colour(0.52, 0.40, 0.37), 0.75 * f.crease)
        if squint > 0.1 { line(cx, 0.035, half, bend: lower + 0.01, thickness: 0.03, Colour(0.62, 0.50, 0.46), squint) }
    }

    @inline(__always)
    private func mixEye(
        _ index: Int, _ inside: Lane, _ white: Lane, _ iris: Lane, _ ring: Lane, _ pupil: Lane, _ glint: Lane, _ colour: Colour
    ) {
        @inline(__always) func channel(_ plane: UnsafeMutablePointer<Float>, _ tone: Float, _ whiteTone: Float) {
            var c = white * whiteTone
            c = c + (ring * tone - c) * iris
            c = c + (0.03 - c) * pupil
            c = c + (0.97 - c) * glint
            let old = FaceCanvas.lane(plane, index)
            FaceCanvas.store(old + (c - old) * inside, plane, index)
        }
        channel(canvas.red, colour.r, 1.0)
        channel(canvas.green, colour.g, 0.985)
        channel(canvas.blue, colour.b, 0.975)
    }

    func brows() {
        let f = face
        let thickness = f.browThickness * (1 - 0.35 * f.child)
        let arch = f.browArch
        let height: Float = -0.195 - 0.03 * f.smile * f.open - 0.3 * (f.eyeOpen - 0.085)
        for side in [-1, 1] as [Float] {
            let cx = side * (f.eyeDistance + 0.015)
            let half: Float = 0.215
            canvas.shade(FaceBox(around: cx, height, half, arch + thickness + 0.08), f.browColour) { u, v in
                let x = (u - cx) * (side / half)  // −1 at the nose, 1 at the temple
                let q = (1 - x * x).atLeast(0)
                // The arch peaks two thirds out; the tail drops a little and thins. A low inner end would look angry.
                let rise = 0.9 - (x - 0.25) * (x - 0.25) * 0.65
                let path = v - height + rise * arch - (x - 0.35).atLeast(0) * 0.03
                let width = (1.15 - x * 0.55) * (0.5 * thickness)
                let distance = path.magnitude - width * (q * 3).clamped
                let texture = (x * 5 + v * 12).wave * 0.10
                return (canvas.cover(distance, soft: 0.018) * (q * 5).clamped * 0.9, 0.95 + texture)
            }
        }
    }
}
