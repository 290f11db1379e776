// From forty attributes to a face that shows them.

extension CelebAPerson {
    /// The face to draw; everything the attributes leave open is random.
    func portrait(_ random: inout FaceRandom) -> FaceDescription {
        let a = attributes
        var f = FaceDescription()
        FaceStudio.takePicture(&f, &random)
        let male = a[.male]
        let young = a[.young]
        // How pronounced the sex is in the outline; the tails overlap.
        let manly = (male ? random.bell(0.80, 0.20) : random.bell(0.18, 0.18)).limited(-0.2, 1.2)

        head(&f, a, manly, young, &random)
        hair(&f, a, male, &random)
        eyes(&f, a, manly, &random)
        mouthAndNose(&f, a, manly, &random)
        beard(&f, a, &random)
        worn(&f, a, &random)
        if a[.blurry] { f.blur = 3 + Int(random.unit() * 5) } else { f.blur = random.chance(0.3) ? 1 : 0 }
        return f
    }

    private func head(
        _ f: inout FaceDescription, _ a: FaceAttributes, _ manly: Float, _ young: Bool, _ random: inout FaceRandom
    ) {
        f.headWidth = random.bell(0.715 + 0.035 * manly, 0.018) * (a[.ovalFace] ? 0.965 : 1.01)
        f.jaw = (0.10 + 0.55 * manly + random.bell(0, 0.10) - (a[.ovalFace] ? 0.10 : 0)).limited(0, 1)
        f.taper = (0.17 - 0.10 * manly + random.bell(0, 0.02) + (a[.ovalFace] ? 0.03 : 0)).limited(0, 0.25)
        f.chubby = a[.chubby] ? random.uniform(0.6, 1) : random.uniform(0, 0.2)
        f.doubleChin = a[.doubleChin] ? random.uniform(0.6, 1) : 0
        f.neckWidth = 0.37 + 0.11 * manly + 0.05 * f.chubby
        if a[.paleSkin] {
            f.skin = FaceStudio.skin(random.uniform(0, 0.06), hue: -0.5)
        } else {
            let tone = random.chance(0.80) ? random.bell(0.30, 0.08) : random.bell(0.66, 0.15)
            f.skin = FaceStudio.skin(tone.limited(0.10, 1), hue: random.bell(0, 1))
        }
        f.rosy = a[.rosyCheeks] ? random.uniform(0.6, 1) : random.uniform(0, 0.12)
        f.wrinkles = young ? random.bell(0.06, 0.07).limited(0, 0.4) : random.bell(0.72, 0.22).limited(0.15, 1)
        if a[.attractive] { f.wrinkles *= 0.75 }
        f.bags = a[.bagsUnderEyes] ? random.uniform(0.5, 1) : random.uniform(0, 0.15)
    }

    private func hair(_ f: inout FaceDescription, _ a: FaceAttributes, _ male: Bool, _ random: inout FaceRandom) {
        let tone: FaceStudio.HairTone
        if a[.grayHair] {
            tone = .grey
        } else if a[.blackHair] {
            tone = .black
        } else if a[.blondHair] {
            tone = .blond
        } else if a[.brownHair] {
            tone = .brown
        } else if a[.young] {
            tone = random.chance(0.25) ? .red : (random.chance(0.5) ? .brown : .black)
        } else {
            tone = random.chance(0.45) ? .grey : .brown
        }
        f.hairColour = FaceStudio.hair(tone, &random)
        f.browColour = f.hairColour.scaled(tone == .blond ? 0.62 : (tone == .grey ? 0.72 : 0.9))
        f.hairWave = a[.wavyHair] ? random.uniform(0.6, 1.2) : (a[.straightHair] ? 0 : random.uniform(0, 0.4))
        f.hairLength = random.uniform(1.15, 2.0)
        f.hairline = random.bell(-0.62, 0.035)
        if male {
            f.hair = a[.bald]
                ? (random.chance(0.5) ? .bald : .fringe)
                : [.short, .buzz, .medium, .long][random.choice([0.72, 0.16, 0.08, 0.04])]
            f.hairVolume = f.hair == .buzz ? 0.015 : random.uniform(0.035, 0.13)
        } else {
            f.hair = [.long, .medium, .updo, .short][random.choice([0.60, 0.19, 0.13, 0.08])]
            f.hairVolume = random.uniform(0.06, 0.17)
        }
        f.receding = a[.recedingHairline] ? random.uniform(0.6, 1) : 0
        f.bangs = a[.bangs] ? random.uniform(0.4, 1) : 0
        if a[.wearingHat] { f.hat = FaceStudio.cloth(&random) }
    }

    private func eyes(_ f: inout FaceDescription, _ a: FaceAttributes, _ manly: Float, _ random: inout FaceRandom) {
        f.eyeOpen = a[.narrowEyes] ? random.uniform(0.030, 0.048) : random.uniform(0.072, 0.098) - 0.008 * manly
        f.eyeSize = random.bell(1.03 - 0.06 * manly, 0.03)
        f.eyeSlant = random.bell(0.03, 0.03)
        f.eyeDistance = random.bell(0.345, 0.010)
        f.crease = random.uniform(0.5, 1)
        f.iris = FaceStudio.eyes(a[.blackHair] ? 0.85 : 0.55, &random)
        f.browArch = a[.archedEyebrows] ? random.uniform(0.085, 0.120) : random.uniform(0.015, 0.05)
        f.browThickness = a[.bushyEyebrows] ? random.uniform(0.105, 0.135) : random.bell(0.046 + 0.026 * manly, 0.006)
        f.lashes = a[.heavyMakeup] ? random.uniform(0.8, 1.2) : (a[.male] ? random.uniform(0, 0.2) : random.uniform(0.25, 0.6))
        f.eyeShadow = a[.heavyMakeup] ? random.uniform(0.45, 0.9) : 0
    }

    private func mouthAndNose(
        _ f: inout FaceDescription, _ a: FaceAttributes, _ manly: Float, _ random: inout FaceRandom
    ) {
        f.noseWidth = a[.bigNose] ? random.uniform(0.185, 0.215) : random.bell(0.130 + 0.015 * manly, 0.007)
        if a[.pointyNose] { f.noseWidth *= 0.86 }
        f.noseLength = random.bell(0.415 + (a[.bigNose] ? 0.02 : 0) + (a[.pointyNose] ? 0.015 : 0), 0.010)
        f.nosePoint = a[.pointyNose] ? random.uniform(0.6, 1) : random.uniform(0, 0.2)
        f.smile = smileIntensity
        f.open = openness
        f.cheeks = cheeks
        f.mouthWidth = random.bell(1.0 + 0.03 * manly, 0.045)
        f.lipFullness = a[.bigLips] ? random.uniform(0.85, 1.15) : random.uniform(0.25, 0.55)
        f.lipColour = FaceStudio.lips(f.skin)
        if a[.wearingLipstick] { f.lipColour = f.lipColour.mixed(FaceStudio.lipstick(&random), random.uniform(0.6, 0.95)) }
    }

    private func beard(_ f: inout FaceDescription, _ a: FaceAttributes, _ random: inout FaceRandom) {
        if a[.fiveOClockShadow] { f.stubble = random.uniform(0.45, 0.85) }
        if a[.goatee] { f.goatee = random.uniform(0.7, 0.95) }
        if a[.mustache] { f.mustache = random.uniform(0.75, 0.95) }
        if a[.sideburns] { f.sideburns = random.uniform(0.7, 0.95) }
        let isNamed = a[.goatee] || a[.mustache] || a[.sideburns] || a[.fiveOClockShadow]
        if !a[.noBeard] && !isNamed { f.beard = random.uniform(0.6, 0.95) }
        if !a[.noBeard] && isNamed && random.chance(0.2) { f.beard = random.uniform(0.3, 0.7) }
    }

    private func worn(_ f: inout FaceDescription, _ a: FaceAttributes, _ random: inout FaceRandom) {
        if a[.eyeglasses] { f.glasses = [.thin, .thick, .dark][random.choice([0.42, 0.43, 0.15])] }
        let metal = [Colour(0.85, 0.68, 0.25), Colour(0.82, 0.83, 0.86), Colour(0.92, 0.90, 0.84), Colour(0.16, 0.45, 0.55)]
        if a[.wearingEarrings] { f.earring = metal[random.choice([0.4, 0.3, 0.15, 0.15])] }
        if a[.wearingNecklace] {
            f.necklace = metal[random.choice([0.45, 0.30, 0.25])]
            f.neckline = random.uniform(0.30, 0.42)
        }
        if a[.wearingNecktie] {
            f.necktie = FaceStudio.cloth(&random).mixed(Colour(0.5, 0.1, 0.15), random.uniform(0, 0.6))
            f.clothes = f.clothes.scaled(0.55)
        }
    }
}
