// The people of the CelebA layout: forty attributes drawn from a table of probabilities per Male × Young group, close to
// the real marginals, and the smile with its label. docs/synthetic-faces.md shows the table.

/// Probability in each of the groups (Male=0,Young=0), (0,1), (1,0), (1,1).
private struct ByGroup {
    let values: (Float, Float, Float, Float)

    init(_ a: Float, _ b: Float, _ c: Float, _ d: Float) { values = (a, b, c, d) }

    subscript(male: Bool, young: Bool) -> Float {
        male ? (young ? values.3 : values.2) : (young ? values.1 : values.0)
    }
}

package struct CelebAPerson: Sendable {
    package var attributes: FaceAttributes
    /// Whether the face was drawn as smiling, before the label noise.
    package var isReallySmiling: Bool
    /// What the mouth shows, 0…1.
    package var smileIntensity: Float
    /// Apparent degrees, continuous, behind the attributes.
    package var openness: Float
    package var cheeks: Float
}

package enum CelebAPopulation {
    private static let groupShares: [Float] = [0.074, 0.509, 0.152, 0.265]
    private static let smiling = ByGroup(0.52, 0.68, 0.20, 0.32)

    // The smile: intensity given the latent smile, and the share of wrong labels.
    private static let intensitySmiling: Float = 0.70, intensityNeutral: Float = 0.20, intensitySpread: Float = 0.15
    private static let labelFlips: Float = 0.01

    private static let table: [(CelebAAttribute, ByGroup)] = [
        (.archedEyebrows, ByGroup(0.35, 0.43, 0.04, 0.06)), (.bushyEyebrows, ByGroup(0.05, 0.075, 0.19, 0.28)),
        (.bagsUnderEyes, ByGroup(0.28, 0.09, 0.46, 0.27)), (.bigLips, ByGroup(0.22, 0.32, 0.10, 0.18)),
        (.bigNose, ByGroup(0.22, 0.10, 0.57, 0.32)), (.narrowEyes, ByGroup(0.13, 0.10, 0.16, 0.12)),
        (.ovalFace, ByGroup(0.22, 0.34, 0.17, 0.24)), (.paleSkin, ByGroup(0.05, 0.06, 0.015, 0.025)),
        (.eyeglasses, ByGroup(0.09, 0.025, 0.22, 0.05)), (.chubby, ByGroup(0.09, 0.01, 0.22, 0.05)),
        (.blurry, ByGroup(0.06, 0.045, 0.06, 0.055)), (.wearingHat, ByGroup(0.02, 0.03, 0.07, 0.08)),
        (.wearingEarrings, ByGroup(0.34, 0.30, 0.008, 0.02)), (.wearingNecklace, ByGroup(0.19, 0.20, 0.008, 0.02)),
        (.wearingNecktie, ByGroup(0.002, 0.002, 0.27, 0.115)), (.bald, ByGroup(0, 0, 0.11, 0.02)),
    ]
    private static let receding = ByGroup(0.07, 0.02, 0.31, 0.07)
    private static let bangs = ByGroup(0.14, 0.22, 0.03, 0.085)
    private static let grey = ByGroup(0.07, 0.001, 0.26, 0.003)
    private static let black = ByGroup(0.13, 0.23, 0.20, 0.36)
    private static let blond = ByGroup(0.27, 0.22, 0.04, 0.04)
    private static let brown = ByGroup(0.24, 0.26, 0.15, 0.16)
    private static let straight = ByGroup(0.15, 0.20, 0.20, 0.25)
    private static let wavy = ByGroup(0.35, 0.46, 0.09, 0.19)
    private static let clean = ByGroup(1, 1, 0.62, 0.60)
    private static let mustache = ByGroup(0, 0, 0.35, 0.20)
    private static let doubleChin = ByGroup(0.065, 0.003, 0.115, 0.004)
    private static let lipstick = ByGroup(0.70, 0.82, 0.005, 0.005)
    private static let makeup = ByGroup(0.65, 0.82, 0, 0)
    private static let highCheeks = ByGroup(0.78, 0.84, 0.70, 0.72)
    private static let highCheeksNeutral = ByGroup(0.14, 0.19, 0.06, 0.08)
    private static let attractive = ByGroup(0.20, 0.78, 0.13, 0.45)

    /// Draws one person; nothing is rendered.
    package static func draw(_ random: inout FaceRandom) -> CelebAPerson {
        var a = FaceAttributes()
        let group = random.choice(groupShares)
        let male = group >= 2
        let young = group % 2 == 1
        a[.male] = male
        a[.young] = young
        for (attribute, probability) in table { a[attribute] = random.chance(probability[male, young]) }

        // Hair. The official columns overlap and leave gaps; here a colour is one of three, grey, or none named.
        let visible = !a[.bald]
        a[.recedingHairline] = visible && random.chance(receding[male, young])
        a[.bangs] = visible && !a[.recedingHairline] && !a[.wearingHat] && random.chance(bangs[male, young] * 1.06)
        let colours = [grey[male, young], black[male, young], blond[male, young], brown[male, young]]
        let named = colours.reduce(0, +)
        let colour = random.choice(colours + [max(0, 1 - named)])
        if visible { [CelebAAttribute.grayHair, .blackHair, .blondHair, .brownHair].enumerated().forEach { a[$1] = $0 == colour } }
        let form = random.unit()
        a[.straightHair] = visible && form < straight[male, young]
        a[.wavyHair] = visible && !a[.straightHair] && form < straight[male, young] + wavy[male, young]

        // Beard.
        a[.noBeard] = random.chance(clean[male, young])
        let bearded = !a[.noBeard]
        a[.goatee] = bearded && random.chance(0.38)
        a[.mustache] = bearded && random.chance(mustache[male, young])
        a[.sideburns] = bearded && random.chance(0.34)
        a[.fiveOClockShadow] = male && random.chance(bearded ? 0.50 : 0.115)

        // Make-up, weight, looks.
        a[.wearingLipstick] = random.chance(lipstick[male, young])
        a[.heavyMakeup] = random.chance(a[.wearingLipstick] ? makeup[male, young] : (male ? 0.001 : 0.05))
        a[.rosyCheeks] = random.chance(a[.heavyMakeup] ? 0.155 : 0.010)
        a[.doubleChin] = random.chance(a[.chubby] ? 0.45 : doubleChin[male, young])
        a[.pointyNose] = !a[.bigNose] && random.chance(male ? (young ? 0.235 : 0.28) : (young ? 0.42 : 0.385))
        let looks = attractive[male, young] * (a[.chubby] || a[.eyeglasses] ? 0.4 : 1) * (a[.bald] ? 0.5 : 1)
        a[.attractive] = random.chance(looks)

        // The smile. Open mouth and cheekbones follow the visible intensity, so they add nothing to what it tells.
        let isSmiling = random.chance(smiling[male, young])
        let intensity = random.bell(isSmiling ? intensitySmiling : intensityNeutral, intensitySpread).limited(0, 1)
        a[.smiling] = random.chance(labelFlips) ? !isSmiling : isSmiling
        let part = intensity.ramp(0.25, 0.65)
        a[.mouthSlightlyOpen] = random.chance(0.24 + 0.48 * part)
        let low = highCheeksNeutral[male, young]
        a[.highCheekbones] = random.chance(low + (highCheeks[male, young] - low) * part)
        if a[.narrowEyes] == false { a[.narrowEyes] = intensity > 0.75 && random.chance(0.05) }
        let openness = a[.mouthSlightlyOpen] ? random.uniform(0.40, 1) : random.uniform(0, 0.035)
        let cheeks = (0.35 * intensity + (a[.highCheekbones] ? random.uniform(0.35, 0.65) : random.uniform(0, 0.2))).clamped
        return CelebAPerson(
            attributes: a, isReallySmiling: isSmiling, smileIntensity: intensity, openness: openness, cheeks: cheeks)
    }
}
