// Skin: cheeks, blush, folds, wrinkles, bags, double chin; and the beard on top of it.

extension FaceRenderer {
    /// A soft spot: 1 in the middle, 0 at the ellipse.
    @inline(__always)
    func spot(_ u: Lane, _ v: Lane, _ cx: Float, _ cy: Float, _ rx: Float, _ ry: Float) -> Lane {
        let x = (u - cx) * (1 / rx)
        let y = (v - cy) * (1 / ry)
        return (1 - (x * x + y * y)).atLeast(0).eased
    }

    func softSpot(_ cx: Float, _ cy: Float, _ rx: Float, _ ry: Float, _ colour: Colour, _ strength: Float) {
        guard strength > 0.004 else { return }
        canvas.tint(FaceBox(around: cx, cy, rx, ry), colour) { u, v in spot(u, v, cx, cy, rx, ry) * strength }
    }

    /// A tapering line v = y0 + slope·x + bend·(1 − x²) for x from −1 to 1 over `half`, darkening what is below it.
    func line(
        _ cx: Float, _ cy: Float, _ half: Float, slope: Float = 0, bend: Float = 0, thickness: Float, _ colour: Colour,
        _ strength: Float
    ) {
        guard strength > 0.004 else { return }
        let reach = abs(bend) + abs(slope) + thickness + 0.02
        canvas.tint(FaceBox(around: cx, cy, half, reach), colour) { u, v in
            let x = (u - cx) * (1 / half)
            let q = (1 - x * x).atLeast(0)
            let away = (v - cy - x * slope - q * bend).magnitude
            return (1.0 - away * (1 / thickness)).clamped * q * strength
        }
    }

    func skinDetails() {
        let f = face
        let dark = Colour(0.62, 0.50, 0.46)
        let blush = Colour(1.0, 0.62, 0.60)
        let lit = Colour(1.16, 1.13, 1.10)
        let lift = 0.06 * f.smile
        for side in [-1, 1] as [Float] {
            let cheekX = side * 0.43
            softSpot(cheekX, 0.42 - lift, 0.26, 0.20, blush, 0.16 + 0.55 * f.rosy + 0.12 * f.child)
            softSpot(cheekX, 0.33 - lift, 0.22, 0.15, lit, 0.25 + 0.75 * f.cheeks)
            // Shadow under a raised cheek, and the fold from the nose to the corner of the mouth.
            softSpot(side * 0.52, 0.60, 0.16, 0.18, dark, 0.05 + 0.20 * f.cheeks * (1 - 0.5 * f.child))
            let fold = (0.06 + 0.50 * f.smile + 0.45 * f.wrinkles) * (1 - 0.55 * f.child)
            foldLine(side, fold)
            softSpot(side * f.eyeDistance, 0.145, 0.17, 0.05, Colour(0.66, 0.55, 0.58), 0.10 + 0.85 * f.bags)
            line(side * f.eyeDistance, 0.15, 0.14, bend: 0.055, thickness: 0.022, dark, 0.85 * f.bags)
            for k in 0..<3 {
                let spread = Float(k - 1)
                line(
                    side * (f.eyeDistance + 0.235), 0.01 + 0.05 * spread, 0.07, slope: side * 0.035 * spread, thickness: 0.016,
                    dark, 0.75 * f.wrinkles)
            }
            line(side * 0.35, 0.86, 0.10, slope: -side * 0.09, thickness: 0.03, dark, 0.6 * (f.wrinkles - 0.3).clamped)
        }
        if f.wrinkles > 0.05 {
            for k in 0..<3 {
                let y = -0.40 - 0.085 * Float(k)
                line(0.02 * Float(k), y, 0.40 - 0.05 * Float(k), bend: -0.035, thickness: 0.018, dark, 0.95 * f.wrinkles)
            }
            line(-0.06, -0.18, 0.025, slope: 0.05, thickness: 0.06, dark, 0.6 * f.wrinkles)
            line(0.06, -0.18, 0.025, slope: -0.05, thickness: 0.06, dark, 0.6 * f.wrinkles)
        }
        // Eye sockets, the dip under the lower lip, the chin.
        for side in [-1, 1] as [Float] { softSpot(side * 0.30, -0.04, 0.26, 0.17, dark, 0.22) }
        softSpot(0, f.mouthY + 0.20, 0.22, 0.07, dark, 0.30)
        softSpot(0, f.mouthY + 0.31, 0.16, 0.10, lit, 0.25)
        if f.doubleChin > 0 {
            line(0, f.chinY - 0.07, 0.40, bend: 0.09, thickness: 0.035, dark, 0.9 * f.doubleChin)
            line(0, f.chinY + 0.06, 0.46, bend: 0.10, thickness: 0.045, dark, 0.8 * f.doubleChin)
        }
    }

    /// The nasolabial fold of one side: a slanted line bulging outward.
    private func foldLine(_ side: Float, _ strength: Float) {
        guard strength > 0.03 else { return }
        let top = face.noseY - 0.02
        let bottom = face.mouthY + 0.04
        let inner = face.noseWidth + 0.04
        let outer = face.mouthShape.half + 0.09
        let height = 1 / (bottom - top)
        let thickness: Float = 0.03
        let box = FaceBox(around: side * (inner + outer) / 2, (top + bottom) / 2, (outer - inner) / 2 + 0.12, 0.26)
        canvas.tint(box, Colour(0.60, 0.46, 0.42)) { u, v in
            let t = (v - top) * height
            let inside = (t * (1 - t) * 4).clamped
            let path = inner + t * (outer - inner) + inside * 0.025
            let away = (u * side - path).magnitude
            return (1 - away * (1 / thickness)).clamped * inside * (strength < 1 ? strength : 1)
        }
    }

    // MARK: Beard

    func beard() {
        let f = face
        let hair = f.browColour
        let m = f.mouthY
        if f.stubble > 0.01 || f.beard > 0.01 {
            // Blue-grey shadow on light skin, darker than the skin on dark skin.
            let level = f.stubble > f.beard ? f.stubble : f.beard
            canvas.tint(FaceBox(-0.85, 0.1, 0.85, f.chinY + 0.12), Colour(0.50, 0.50, 0.54)) { u, v in
                beardArea(u, v, raise: -0.03, soft: 0.24) * (level * 0.75)
            }
        }
        if f.beard > 0.01 {
            let strength = f.beard
            canvas.shade(FaceBox(-0.85, 0.1, 0.85, f.chinY + 0.14), hair) { u, v in
                let hairs = u * 13 + (v * 3).softWave * 0.4
                let texture = hairs.wave * 0.12 + ((v + u) * 17).wave * 0.08
                return (beardArea(u, v, raise: 0, soft: 0.10) * strength, 0.95 + texture)
            }
        }
        if f.goatee > 0.01 {
            let strength = f.goatee
            let chin = f.chinY
            canvas.shade(FaceBox(-0.42, 0.45, 0.42, chin + 0.1), hair) { u, v in
                let tuft = Distance.ellipse(u, v, 0, chin - 0.08, 0.20, 0.19)
                let ring = Distance.ellipse(u, v, 0, m + 0.10, 0.40, 0.31).magnitude - 0.035
                let low = v.ramp(m - 0.05, m + 0.08)
                let part = canvas.cover(tuft, soft: 0.05).larger(canvas.cover(ring, soft: 0.04) * low)
                return (part * strength, 0.95 + (u * 15 + v * 5).wave * 0.14)
            }
        }
        if f.mustache > 0.01 || f.goatee > 0.4 {
            let strength = f.mustache > f.goatee * 0.8 ? f.mustache : f.goatee * 0.8
            let centre = (f.noseY + m - 0.06) / 2 + 0.01
            canvas.shade(FaceBox(around: 0, centre + 0.03, 0.36, 0.13), hair) { u, v in
                let x = u * (1 / 0.35)
                let q = (1 - x * x).atLeast(0)
                let away = (v - centre - (1 - q) * 0.09).magnitude - q * 0.055
                let dip = 1 - (1 - u.magnitude * 14).clamped * 0.45
                return (canvas.cover(away, soft: 0.025) * strength * dip, 0.95 + (u * 19 + v * 3).wave * 0.14)
            }
        }
        if f.sideburns > 0.01 {
            let strength = f.sideburns
            let edge = f.headWidth
            for side in [-1, 1] as [Float] {
                canvas.shade(FaceBox(around: side * (edge - 0.05), 0.15, 0.16, 0.42), hair) { u, v in
                    let x = u * side - (edge - 0.055)
                    let part = canvas.cover(x.magnitude - 0.06, soft: 0.03) * v.ramp(0.52, 0.40) * v.ramp(-0.28, -0.15)
                    return (part * strength * canvas.cover(headDistance(u, v)), 0.95 + (v * 15 + u * 7).wave * 0.14)
                }
            }
        }
    }

    /// Where a full beard grows: jaw, chin and upper lip, free around the lips.
    @inline(__always)
    private func beardArea(_ u: Lane, _ v: Lane, raise: Float, soft: Float) -> Lane {
        let m = face.mouthY
        let a = u.magnitude
        let border = (m - 0.10 - raise) - (a - 0.12).atLeast(0) * 0.68
        let below = v.magnitude - border
        let lips = Distance.ellipse(u, v, 0, m + 0.02, face.mouthShape.half * 0.98, 0.085)
        let area = canvas.cover(0 - below, soft: soft) * canvas.cover(0.01 - lips, soft: 0.03)
        let lip = canvas.cover((v - (m - 0.14)).magnitude - 0.075, soft: 0.04) * canvas.cover(a - 0.42, soft: 0.10)
        return area.larger(lip * 0.9) * canvas.cover(headDistance(u, v))
    }
}
