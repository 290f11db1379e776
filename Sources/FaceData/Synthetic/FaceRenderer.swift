// Draws a FaceDescription back to front on a canvas. The parts stand in the extensions beside this file.

struct FaceRenderer {
    let canvas: FaceCanvas
    let face: FaceDescription

    init(canvas: FaceCanvas, face: FaceDescription) {
        self.canvas = canvas
        self.face = face
        canvas.place(face.placement(width: canvas.width, height: canvas.height))
    }

    func draw(noise: inout FaceRandom) {
        background()
        backHair()
        neckAndClothes()
        ears()
        head()
        skinDetails()
        beard()
        nose()
        mouth()
        eyes()
        brows()
        frontHair()
        glasses()
        hat()
        jewellery()
        finish(&noise)
    }

    // MARK: Head

    /// Signed distance to the outline of the head.
    @inline(__always)
    func headDistance(_ u: Lane, _ v: Lane) -> Lane {
        let centre: Float = 0.12
        let above = 1 / (centre - face.crownY)
        let below = 1 / (face.chinY - centre)
        let width = face.headWidth + 0.05 * face.chubby
        let jaw = (face.jaw + 0.25 * face.chubby).limited(0, 1)
        let taper = face.taper * (1 - 0.6 * face.chubby)
        let y = v - centre
        let isBelow = y .> 0
        let t = (y * above).replacing(with: y * below, where: isBelow)
        let t2 = t * t
        let jawed = t2 * (1 - jaw) + t2 * t2 * jaw
        let vertical = t2.replacing(with: jawed, where: isBelow)
        let narrowing = Lane(1).replacing(with: (1 - t2 * taper).atLeast(0.5), where: isBelow)
        let x = u / (narrowing * width)
        let rho = (x * x + vertical).squareRoot()
        let length = (u * u + y * y).squareRoot()
        let outer = length - length / (rho + 1e-6)
        return outer.replacing(with: (rho - 1) * width, where: rho .< 0.5)
    }

    private func head() {
        let skin = face.skin
        let width = face.headWidth
        let lx = face.lightX
        let ly = face.lightY
        canvas.shade(FaceBox(-1, face.crownY - 0.05, 1, face.chinY + 0.05), skin) { u, v in
            let nx = u * (1 / width)
            let ny = (v - 0.05) * 0.9
            let nz = (1 - 0.8 * (nx * nx + ny * ny)).atLeast(0).squareRoot()
            let light = 0.76 + 0.27 * nz + nx * lx + ny * ly
            return (canvas.cover(headDistance(u, v)), light)
        }
    }

    private func ears() {
        let edge = face.headWidth - 0.01
        let size = 0.17 + 0.02 * face.child
        for side in [-1, 1] as [Float] {
            let x = side * edge
            canvas.shade(FaceBox(around: x, 0.14, 0.12, 0.2), face.skin) { u, v in
                let distance = Distance.ellipse(u, v, x, 0.14, 0.085, size)
                return (canvas.cover(distance), 0.72 + 0.9 * (distance + 0.09).atLeast(0))
            }
        }
    }

    // MARK: Picture

    private func background() {
        let top = face.backgroundTop
        let bottom = face.backgroundBottom
        let spot = face.backgroundSpot
        let kind = face.backgroundPattern
        let (p0, p1, p2, p3, _) = face.phase
        let slope = (p0 - 0.5) * 0.8
        let stripes = 0.6 + 1.4 * p1
        canvas.each(.everything) { index, u, v in
            let mix = (v * 0.3 + u * slope + 0.5).clamped
            var part = Lane(0)
            if kind < 1 {
                part = (0.75 - Distance.ellipse(u, v, p2 * 2 - 1, p3 * 2 - 1.2, 0.9, 0.9)).clamped * 0.35
            } else if kind < 2 {
                part = ((u * stripes + v * slope + p2).softWave * 3).clamped * 0.35
            } else if kind < 3 {
                let a = (0.1 - Distance.ellipse(u, v, -0.8 + 0.3 * p1, -0.9 + p2, 0.42, 0.42)) * 6
                let b = (0.1 - Distance.ellipse(u, v, 0.7 + 0.4 * p3, -0.6 + p1, 0.3, 0.3)) * 6
                part = a.larger(b).clamped * 0.45
            } else {
                part = ((v - p2 * 1.4 + 0.2) * 8).clamped * 0.5
            }
            let r = top.r + mix * (bottom.r - top.r)
            let g = top.g + mix * (bottom.g - top.g)
            let b = top.b + mix * (bottom.b - top.b)
            FaceCanvas.store(r + part * (spot.r - r), canvas.red, index)
            FaceCanvas.store(g + part * (spot.g - g), canvas.green, index)
            FaceCanvas.store(b + part * (spot.b - b), canvas.blue, index)
        }
    }

    private func neckAndClothes() {
        let half = face.neckWidth
        let chin = face.chinY
        let bottom: Float = 2.6
        canvas.shade(FaceBox(-0.9, 0.6, 0.9, bottom), face.skin) { u, v in
            let spread = (v - chin - 0.1).atLeast(0)
            let distance = u.magnitude - half - spread * spread * 1.2
            let shadow = (1 - (v - chin + 0.05).magnitude * 3).clamped
            return (canvas.cover(distance) * (v - 0.6).ramp(0, 0.05), 0.80 - 0.22 * shadow - (u * 0.25) * (u * 0.25))
        }
        let shoulder = chin + 0.34
        let neckline = face.neckline
        canvas.shade(FaceBox(-2.4, shoulder - 0.15, 2.4, bottom), face.clothes) { u, v in
            let a = u.magnitude
            let line = shoulder + a * a * 0.16
            let chest = (shoulder + neckline) - a * (neckline / (half + 0.12))
            let inside = canvas.cover(line - v) * canvas.cover(chest - v)
            let fold = (u * 1.7 + v * 0.4 + 0.3).softWave * 0.06
            return (inside, 0.92 + fold - a * 0.08)
        }
        guard let tie = face.necktie else { return }
        // Shirt front, lapels stay from the clothes; the tie lies over the shirt.
        canvas.shade(FaceBox(-0.5, shoulder - 0.15, 0.5, bottom), face.shirt) { u, v in
            let a = u.magnitude
            let open = a - 0.40 + (v - shoulder) * 0.42
            let top = shoulder - 0.10 + a * 0.10
            return (canvas.cover(open) * canvas.cover(top - v), 0.95 - a * 0.2)
        }
        canvas.shade(FaceBox(-0.2, shoulder - 0.1, 0.2, bottom), tie) { u, v in
            let a = u.magnitude
            let knot = a - 0.10 + (v - shoulder) * 0.25
            let blade = a - 0.04 - (v - shoulder - 0.12) * 0.16
            let isKnot = v .< (shoulder + 0.13)
            let distance = blade.replacing(with: knot, where: isKnot)
            let stripe = ((u + v) * 6).wave * 0.08
            return (canvas.cover(distance) * canvas.cover(shoulder - 0.04 - v), 0.95 + stripe)
        }
    }
}
