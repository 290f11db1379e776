// Where things are: the head in the picture, the mouth on the head, the five landmarks in pixels.

/// Landmarks in pixels, in the order of CelebA's landmark file (left = left in the picture).
struct FaceLandmarks {
    var leftEye, rightEye, nose, leftMouth, rightMouth: (x: Float, y: Float)
}

/// The mouth in face units: corners at ±half, cornerY; the lips part between two parabolas.
struct MouthShape {
    var half, cornerY: Float
    var upperBend, lowerBend: Float  // how far the inner edges hang below the corners in the middle
    var upperLip, lowerLip: Float
}

extension FaceDescription {
    /// Height of half an average head, and of the point between the eyes, as parts of the picture's height.
    private static let headPart: Float = 0.305, eyeLine: Float = 0.455

    func placement(width: Int, height: Int) -> Placement {
        let w = Float(width)
        let h = Float(height)
        return Placement(
            centreX: w * (0.5 + shiftX), centreY: h * (Self.eyeLine + shiftY), scale: h * Self.headPart * scale, tilt: roll, yaw: yaw)
    }

    func landmarks(width: Int, height: Int) -> FaceLandmarks {
        let p = placement(width: width, height: height)
        let m = mouthShape
        return FaceLandmarks(
            leftEye: p.pixel(-eyeDistance, 0), rightEye: p.pixel(eyeDistance, 0), nose: p.pixel(0, noseY - 0.05),
            leftMouth: p.pixel(-m.half, m.cornerY), rightMouth: p.pixel(m.half, m.cornerY))
    }

    var mouthShape: MouthShape {
        let half = (0.262 + 0.128 * smile) * mouthWidth * (1 - 0.18 * child)
        let bend = -0.036 + 0.220 * smile  // corners above the middle when smiling
        let gap = open * (0.078 + 0.095 * smile)
        let fullness = 0.035 + 0.05 * lipFullness
        let middle = mouthY + 0.01
        // A grin opens downward: the upper edge stays flatter than the lower one.
        return MouthShape(
            half: half, cornerY: middle - bend * 0.62,
            upperBend: bend - gap * (0.35 + 0.15 * smile), lowerBend: bend + gap * 0.65,
            upperLip: fullness * 0.85 * (1 - 0.25 * smile), lowerLip: fullness * 1.15 * (1 - 0.15 * smile))
    }

    var mouthY: Float { 0.71 - 0.12 * child }
    var chinY: Float { 1.15 - 0.20 * child }
    var crownY: Float { -1.0 - 0.20 * child }
    var noseY: Float { noseLength - 0.10 * child }
}
