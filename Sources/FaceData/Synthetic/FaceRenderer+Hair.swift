// Hair behind the head, the cap on it with hairline, bangs and bald spots; hat, glasses, jewellery.

extension FaceRenderer {
    /// Brightness of hair at a point: strands along the flow, or curls, and a soft highlight.
    @inline(__always)
    private func strands(_ u: Lane, _ v: Lane) -> Lane {
        let f = face
        let (p0, p1, p2, _, _) = f.phase
        let bent = u + ((v * 1.6 + u * 0.4 + p0).softWave) * (0.07 * f.hairWave)
        let flow = (bent - f.parting * 0.3) / (v + 1.3).atLeast(0.4).atMost(1.45)
        let coarse = (flow * 5 + p1).wave
        let fine = (flow * 13 + p2).wave
        let straight = coarse * 0.10 + fine * 0.09
        let across = u + (v * 5).softWave * 0.05
        let down = v - (u * 6).softWave * 0.04
        let curls = (across * 7 + p1).wave * (down * 8 + p2).wave * 0.22
        let texture = straight + (curls - straight) * f.hairCurl
        let high = (v + 0.78) * 3.2
        let shine = (1 - high * high).atLeast(0) * (0.22 * (1 - f.hairCurl))
        return texture + shine + (0.90 + u * (f.lightX * 0.8))
    }

    private var hairOuter: (rx: Float, ry: Float, centre: Float) {
        let top = 0.02 - face.crownY + face.hairVolume * 1.25
        return (face.headWidth + 0.035 + face.hairVolume, top, 0.02)
    }

    func backHair() {
        let f = face
        guard f.hair == .long || f.hair == .medium || (f.hair == .updo && f.hat == nil) else { return }
        let outer = hairOuter
        let bottom = f.hair == .long ? f.hairLength : (f.hair == .medium ? 0.78 : 0)
        if f.hair == .updo {
            let y = f.crownY - 0.12
            canvas.shade(FaceBox(around: 0, y, 0.36, 0.30), f.hairColour.scaled(0.85)) { u, v in
                (canvas.cover(Distance.ellipse(u, v, f.parting * 0.2, y, 0.30, 0.24)), strands(u, v))
            }
        }
        canvas.shade(FaceBox(-1.3, f.crownY - 0.3, 1.3, max(bottom, 0.4) + 0.1), f.hairColour.scaled(0.72)) { u, v in
            let (part, _) = curtain(u, v, outer, bottom)
            return (part, strands(u, v))
        }
    }

    /// The outline of hanging hair: the ellipse of the cap, widened into a curtain below its centre.
    @inline(__always)
    private func curtain(_ u: Lane, _ v: Lane, _ outer: (rx: Float, ry: Float, centre: Float), _ bottom: Float) -> (Lane, Lane) {
        let f = face
        let ripple = (v * 1.5 + f.phase.3).softWave * (0.045 * f.hairWave) + (v * 5 + f.phase.4).wave * (0.03 * f.hairCurl)
        let y = (v - outer.centre).atMost(0)
        let cap = Distance.ellipse(u, y + outer.centre, 0, outer.centre, outer.rx, outer.ry)
        let widening = (v - 0.1).atLeast(0).atMost(0.9) * 0.10
        let side = u.magnitude - outer.rx - widening - ripple
        let distance = cap.replacing(with: side, where: v .> outer.centre)
        let rounding = u * u * 0.25
        let end = canvas.cover(v - bottom + rounding, soft: 0.08)
        return (canvas.cover(distance, soft: 0.01) * end, distance)
    }

    func frontHair() {
        let f = face
        guard f.hair != .bald else { return }
        let outer = hairOuter
        let isHanging = f.hair == .long || f.hair == .medium
        let bottom: Float = isHanging ? (f.hair == .long ? f.hairLength : 0.80) : (f.hair == .updo ? 0.02 : 0.12)
        // The face looks out of a window; its top is the hairline, its sides the strands beside the cheeks.
        let side: Float = isHanging ? 0.02 + 0.35 * f.hairVolume : 0.045
        let windowX = f.headWidth - side
        let top = f.hairline - 0.10 * f.receding
        let lower: Float = 0.32
        let recede = f.receding
        let shift = f.parting * 0.10
        let density: Float = f.hair == .buzz ? 0.72 : 1
        let isFringe = f.hair == .fringe
        let box = FaceBox(-1.3, f.crownY - 0.35, 1.3, bottom + 0.1)
        canvas.shade(box, f.hairColour) { u, v in
            let (hang, _) = curtain(u, v, outer, bottom)
            let y = (v - lower).atMost(0)
            let window = Distance.ellipse(u - shift, y + lower, 0, lower, windowX, lower - top)
            var open = canvas.cover(window, soft: 0.02)
            if recede > 0.02 {
                let bays = Distance.ellipse(u.magnitude, v, 0.33, top + 0.16, 0.24, 0.22 * recede + 0.06)
                open = open.larger(canvas.cover(bays, soft: 0.06))
            }
            if isFringe {
                let skull = Distance.ellipse(u, v, 0, -0.75, f.headWidth + 0.02, 0.62)
                open = open.larger(canvas.cover(skull, soft: 0.06))
                let overTop = v.ramp(-0.52, -0.40)
                return (hang * (1 - open) * overTop * canvas.cover(headDistance(u, v) - 0.03, soft: 0.02) * 0.9, strands(u, v))
            }
            let part = hang * (1 - open) * density
            return (part, strands(u, v))
        }
        if f.bangs > 0.02 {
            let edge = -0.20 - 0.12 * (1 - f.bangs)
            let sweep = f.parting * 0.25
            canvas.shade(FaceBox(-0.85, f.crownY - 0.1, 0.85, edge + 0.2), f.hairColour) { u, v in
                let ragged = (u * 4 + f.phase.1).wave * 0.025 + (u * 9 + f.phase.2).wave * 0.015
                let line = edge + u * sweep + u * u * 0.10 + ragged
                let cap = Distance.ellipse(u, v, 0, outer.centre, outer.rx - 0.04, outer.ry - 0.02)
                let part = canvas.cover(v - line, soft: 0.015) * canvas.cover(cap, soft: 0.02)
                return (part, strands(u, v) - v.ramp(edge - 0.3, edge) * 0.08)
            }
        }
        // Where the hair meets the forehead it throws a soft shadow.
        if f.hair != .fringe {
            let y = f.bangs > 0.02 ? Float(-0.18) : top + 0.06
            softSpot(shift, y, 0.5, 0.10, Colour(0.70, 0.60, 0.56), 0.35)
        }
    }

    func hat() {
        guard let colour = face.hat else { return }
        let width = face.headWidth + 0.10
        let crown = face.crownY - 0.14
        let brim: Float = -0.46
        let isWide = face.phase.2 > 0.5
        canvas.shade(FaceBox(-1.2, crown - 0.1, 1.2, brim + 0.1), colour) { u, v in
            let dome = Distance.ellipse(u, v, 0, brim, width, brim - crown)
            let line = v - brim + u * u * 0.16
            let weave = ((u + v) * 12).wave * 0.03
            return (canvas.cover(dome) * canvas.cover(line), 0.95 + weave - u * u * 0.25 + (v - brim) * -0.12)
        }
        let reach: Float = isWide ? 1.12 : 0.80
        canvas.shade(FaceBox(around: 0, brim, reach, 0.2), colour.scaled(0.72)) { u, v in
            let x = u * (1 / reach)
            let q = (1 - x * x).atLeast(0)
            let y = v - brim + u * u * 0.16
            return (canvas.cover((y - 0.02).magnitude - q * 0.075) * (q * 20).clamped, Lane(1))
        }
        softSpot(0, brim + 0.18, 0.6, 0.16, Colour(0.62, 0.55, 0.55), 0.6)
    }

    func glasses() {
        guard face.glasses != .none else { return }
        let isDark = face.glasses == .dark
        let rim: Float = face.glasses == .thick ? 0.028 : 0.014
        let cx = face.eyeDistance + 0.01
        let round = 0.35 + 0.65 * face.phase.4
        let rx: Float = 0.245
        let ry: Float = 0.165 + 0.035 * round
        let ink: Colour = face.phase.1 > 0.3 ? Colour(0.10, 0.09, 0.10) : Colour(0.42, 0.30, 0.18)
        for side in [-1, 1] as [Float] {
            let x = side * cx
            let box = FaceBox(around: x, 0.02, rx + 0.05, ry + 0.05)
            if isDark {
                canvas.paint(box, Colour(0.07, 0.07, 0.09)) { u, v in
                    let sheen = ((u - v) * 1.5 + 0.2).softWave * 0.05
                    return canvas.cover(lens(u, v, x, rx, ry)) * (0.88 + sheen)
                }
            } else {
                canvas.paint(box, Colour(0.92, 0.95, 1)) { u, v in
                    let streak = (1 - ((u - x) * side + v * 0.8 + 0.06).magnitude * 14).clamped
                    return canvas.cover(lens(u, v, x, rx, ry)) * (0.05 + streak * 0.14)
                }
            }
            canvas.paint(box, ink) { u, v in canvas.cover(lens(u, v, x, rx, ry).magnitude - rim) * 0.93 }
            let temple = face.headWidth
            canvas.paint(FaceBox(around: side * 0.66, 0, 0.16, 0.06), ink) { u, v in
                let a = u * side
                return canvas.cover((v + 0.035).magnitude - rim) * a.ramp(cx + rx - 0.02, cx + rx) * canvas.cover(a - temple) * 0.9
            }
        }
        let gap = cx - rx + 0.01
        canvas.paint(FaceBox(around: 0, -0.01, gap, 0.08), ink) { u, v in
            let x = u * (1 / gap)
            return canvas.cover((v + 0.02 - x * x * 0.03).magnitude - rim) * canvas.cover(u.magnitude - gap) * 0.9
        }
    }

    /// A lens between ellipse and rectangle.
    @inline(__always)
    private func lens(_ u: Lane, _ v: Lane, _ cx: Float, _ rx: Float, _ ry: Float) -> Lane {
        let x = (u - cx) * (1 / rx)
        let y = (v - 0.02) * (1 / ry)
        let x2 = x * x
        let y2 = y * y
        let rho = (x2 * x2 + y2 * y2).squareRoot().squareRoot()
        return (rho - 1) * (0.5 * (rx + ry))
    }

    func jewellery() {
        if let colour = face.earring {
            for side in [-1, 1] as [Float] {
                let x = side * (face.headWidth + 0.03)
                let length = 0.05 + 0.10 * face.phase.0
                let y = 0.36 + length
                canvas.shade(FaceBox(around: x, y, 0.09, length + 0.06), colour) { u, v in
                    let distance = Distance.ellipse(u, v, x, y, 0.045 + 0.02 * face.phase.3, length)
                    return (canvas.cover(distance), 1.15 + distance * 8)
                }
            }
        }
        if let colour = face.necklace {
            let y = face.chinY + 0.22
            let half = face.neckWidth + 0.10
            canvas.shade(FaceBox(around: 0, y + 0.12, half, 0.30), colour) { u, v in
                let x = u * (1 / half)
                let q = (1 - x * x).atLeast(0)
                let away = (v - y - q * 0.24).magnitude - 0.022
                let beads = (u * 11).wave * 0.25
                return (canvas.cover(away) * (q * 10).clamped, 1 + beads)
            }
        }
    }
}
