// From race, gender and apparent age to a face. Races differ in the means of wide, overlapping distributions only.

/// Means of what varies between the races of the FairFace labels; each is drawn with a spread as wide as the differences.
private struct Ancestry {
    var tone: Float  // skin: 0 light … 1 dark
    var hair: [Float]  // weights of black, brown, blond, red
    var curl: Float  // share of curled hair
    var wave: Float
    var darkEyes: Float
    var eyeOpen: Float
    var crease: Float
    var noseWidth: Float
    var lips: Float

    static func named(_ race: String) -> Ancestry {
        switch race {
        case "East Asian":
            Ancestry(
                tone: 0.24, hair: [0.85, 0.14, 0.01, 0], curl: 0.02, wave: 0.2, darkEyes: 0.99,
                eyeOpen: 0.064, crease: 0.40, noseWidth: 0.142, lips: 0.45)
        case "Southeast Asian":
            Ancestry(
                tone: 0.42, hair: [0.85, 0.14, 0.01, 0], curl: 0.05, wave: 0.3, darkEyes: 0.99,
                eyeOpen: 0.070, crease: 0.50, noseWidth: 0.155, lips: 0.60)
        case "Indian":
            Ancestry(
                tone: 0.56, hair: [0.88, 0.12, 0, 0], curl: 0.08, wave: 0.4, darkEyes: 0.97,
                eyeOpen: 0.086, crease: 0.90, noseWidth: 0.145, lips: 0.55)
        case "Black":
            Ancestry(
                tone: 0.78, hair: [0.92, 0.07, 0.01, 0], curl: 0.70, wave: 0.3, darkEyes: 0.98,
                eyeOpen: 0.083, crease: 0.85, noseWidth: 0.172, lips: 0.85)
        case "Middle Eastern":
            Ancestry(
                tone: 0.36, hair: [0.62, 0.35, 0.02, 0.01], curl: 0.12, wave: 0.5, darkEyes: 0.85,
                eyeOpen: 0.086, crease: 0.90, noseWidth: 0.152, lips: 0.48)
        case "Latino_Hispanic":
            Ancestry(
                tone: 0.38, hair: [0.58, 0.37, 0.04, 0.01], curl: 0.14, wave: 0.5, darkEyes: 0.88,
                eyeOpen: 0.083, crease: 0.80, noseWidth: 0.150, lips: 0.55)
        default:
            Ancestry(
                tone: 0.16, hair: [0.15, 0.45, 0.33, 0.07], curl: 0.08, wave: 0.4, darkEyes: 0.48,
                eyeOpen: 0.084, crease: 0.80, noseWidth: 0.135, lips: 0.38)
        }
    }
}

extension FairFacePerson {
    func portrait(_ random: inout FaceRandom) -> FaceDescription {
        let kin = Ancestry.named(race)
        let male = gender == "Male"
        let years = apparentAge
        var f = FaceDescription()
        FaceStudio.takePicture(&f, &random)

        // Boys and girls look alike; the outline of the sexes parts between 11 and 17.
        let grown = years.ramp(9, 18)
        let manly = 0.45 + ((male ? 0.82 : 0.15) - 0.45) * grown + random.bell(0, 0.16)
        f.child = 1 - years.ramp(1, 17)
        f.headWidth = random.bell(0.715 + 0.035 * manly + 0.055 * f.child, 0.018)
        f.scale *= 1.06 - 0.13 * f.child
        f.jaw = (0.10 + 0.55 * manly * grown + random.bell(0, 0.10)).limited(0, 1)
        f.taper = (0.17 - 0.10 * manly + random.bell(0, 0.02)).limited(0, 0.25)
        f.chubby = (random.bell(0.12 + 0.75 * f.child + 0.15 * years.ramp(30, 60), 0.15)).limited(0, 1)
        f.doubleChin = years > 35 && random.chance(0.22) ? random.uniform(0.4, 1) : 0
        f.neckWidth = 0.29 + (0.08 + 0.11 * manly) * grown
        f.skin = FaceStudio.skin(random.bell(kin.tone, 0.12).limited(0.02, 0.98), hue: random.bell(0, 1))
        f.rosy = random.uniform(0, 0.2)
        f.wrinkles = (years.ramp(26, 72) * 1.15 + random.bell(0, 0.06)).limited(0, 1)
        f.bags = (years.ramp(28, 65) * random.uniform(0.4, 1.1) + random.bell(0.05, 0.06)).limited(0, 1)

        hair(&f, kin, male, years, &random)
        f.eyeOpen = random.bell(kin.eyeOpen, 0.011).limited(0.04, 0.11) * (1 - 0.2 * years.ramp(45, 80))
        f.eyeSize = random.bell(1.03 - 0.06 * manly * grown, 0.03)
        f.eyeSlant = random.bell(0.03 + (0.5 - kin.crease).limited(0, 1) * 0.2, 0.03)
        f.eyeDistance = random.bell(0.345, 0.010) + 0.03 * f.child
        f.crease = random.bell(kin.crease, 0.25).limited(0.1, 1)
        f.iris = FaceStudio.eyes(kin.darkEyes, &random)
        f.browArch = random.bell(0.085 - 0.05 * manly, 0.02).limited(0.01, 0.14)
        f.browThickness = random.bell(0.040 + 0.046 * manly * grown, 0.010).limited(0.028, 0.13)
        f.noseWidth = random.bell(kin.noseWidth + 0.012 * manly * grown, 0.014).limited(0.105, 0.21)
        f.noseLength = random.bell(0.415, 0.012)
        f.nosePoint = random.uniform(0, 0.5) * (1 - f.child)

        // The expression tells nothing about age, gender or race.
        f.smile = random.chance(0.55) ? random.bell(0.66, 0.16).limited(0, 1) : random.bell(0.24, 0.14).limited(0, 1)
        f.open = random.chance(0.15 + 0.5 * f.smile) ? random.uniform(0.35, 0.9) : 0
        f.cheeks = (0.35 * f.smile + random.uniform(0, 0.35)).clamped
        f.lipFullness = random.bell(kin.lips, 0.18).limited(0.15, 1.1) * (1 - 0.4 * years.ramp(50, 80))
        f.mouthWidth = random.bell(1, 0.045)
        f.lipColour = FaceStudio.lips(f.skin)
        adornments(&f, male, years, &random)
        f.blur = [0, 1, 2, 4][random.choice([0.5, 0.3, 0.15, 0.05])]
        return f
    }

    private func hair(_ f: inout FaceDescription, _ kin: Ancestry, _ male: Bool, _ years: Float, _ random: inout FaceRandom) {
        let tone: FaceStudio.HairTone = [.black, .brown, .blond, .red][random.choice(kin.hair)]
        let own = FaceStudio.hair(tone, &random)
        let onset = random.bell(54, 9)
        let greying = years.ramp(onset - 10, onset + 10)
        f.hairColour = own.mixed(FaceStudio.hair(.grey, &random), greying)
        f.browColour = f.hairColour.scaled(tone == .blond ? 0.66 : 0.85)
        f.hairCurl = random.chance(kin.curl) ? random.uniform(0.6, 1) : 0
        f.hairWave = random.chance(kin.wave) ? random.uniform(0.5, 1.1) : random.uniform(0, 0.2)
        f.hairLength = random.uniform(1.1, 1.9)
        f.hairline = random.bell(-0.63, 0.035) - 0.10 * f.child
        if years < 3 {
            f.hair = random.chance(0.6) ? .buzz : .short
            f.hairVolume = 0.012
        } else if male {
            let loss = years.ramp(26, 75)
            f.hair = [.short, .buzz, .fringe, .bald, .medium][
                random.choice([0.68 - 0.25 * loss, 0.24, 0.22 * loss, 0.02 + 0.10 * loss, 0.06])]
            f.hairVolume = f.hair == .buzz ? 0.015 : random.uniform(0.03, 0.12) + 0.08 * f.hairCurl * random.unit()
            if years > 24 && random.chance(0.15 + 0.65 * loss) { f.receding = (random.uniform(0.3, 0.6) + 0.5 * loss).clamped }
        } else {
            let age = years.ramp(35, 75)
            let grown = years.ramp(6, 16)
            f.hair = [.long, .medium, .updo, .short][random.choice([0.58 - 0.30 * age, 0.20, 0.14 * grown, 0.08 + 0.28 * age])]
            f.hairVolume = random.uniform(0.05, 0.15) + 0.12 * f.hairCurl * random.unit()
        }
        let isShowing = f.hair != .bald && f.hair != .fringe && f.receding == 0
        if isShowing && random.chance((male ? 0.10 : 0.20) + 0.15 * f.child) { f.bangs = random.uniform(0.4, 1) }
        if random.chance(0.04) { f.hat = FaceStudio.cloth(&random) }
    }

    private func adornments(_ f: inout FaceDescription, _ male: Bool, _ years: Float, _ random: inout FaceRandom) {
        let isAdult = years > 17
        if male && isAdult && random.chance(0.45) {
            switch random.choice([0.45, 0.2, 0.15, 0.2]) {
            case 0: f.stubble = random.uniform(0.4, 0.85)
            case 1: f.beard = random.uniform(0.6, 0.95)
            case 2: f.goatee = random.uniform(0.7, 0.95)
            default: f.mustache = random.uniform(0.7, 0.95)
            }
        }
        if !male && isAdult {
            if random.chance(0.55) { f.lipColour = f.lipColour.mixed(FaceStudio.lipstick(&random), random.uniform(0.4, 0.9)) }
            if random.chance(0.35) {
                f.eyeShadow = random.uniform(0.3, 0.8)
                f.lashes = random.uniform(0.6, 1.1)
            }
            if random.chance(0.25) { f.earring = Colour(0.85, 0.70, 0.35) }
        }
        if !male { f.lashes = max(f.lashes, 0.35) } else { f.lashes = 0.12 }
        if random.chance(0.05 + 0.17 * years.ramp(25, 70)) { f.glasses = [.thin, .thick, .dark][random.choice([0.5, 0.4, 0.1])] }
        if male && isAdult && random.chance(0.12) { f.necktie = FaceStudio.cloth(&random) }
    }
}
