// What both layouts share: pose, light, background and the palettes of skin, hair, eyes and cloth.

enum FaceStudio {
    /// Skin from light (0) to dark (1), with a little red or yellow to taste.
    static func skin(_ tone: Float, hue: Float) -> Colour {
        let stops = [
            Colour(0.96, 0.84, 0.77), Colour(0.93, 0.77, 0.67), Colour(0.86, 0.67, 0.53), Colour(0.73, 0.53, 0.39),
            Colour(0.56, 0.38, 0.27), Colour(0.40, 0.26, 0.19),
        ]
        let place = tone.clamped * 4.999
        let index = Int(place)
        let c = stops[index].mixed(stops[index + 1], place - Float(index))
        return Colour(c.r * (1 + 0.02 * hue), c.g, c.b * (1 - 0.04 * hue))
    }

    enum HairTone { case black, brown, blond, grey, red }

    static func hair(_ tone: HairTone, _ random: inout FaceRandom) -> Colour {
        let t = random.unit()
        switch tone {
        case .black: return Colour(0.09, 0.075, 0.07).mixed(Colour(0.16, 0.12, 0.10), t)
        case .brown: return Colour(0.27, 0.17, 0.11).mixed(Colour(0.44, 0.29, 0.18), t)
        case .blond: return Colour(0.70, 0.54, 0.32).mixed(Colour(0.90, 0.78, 0.54), t)
        case .grey: return Colour(0.55, 0.55, 0.56).mixed(Colour(0.85, 0.85, 0.85), t)
        case .red: return Colour(0.47, 0.21, 0.10).mixed(Colour(0.60, 0.30, 0.14), t)
        }
    }

    static func cloth(_ random: inout FaceRandom) -> Colour {
        let value = random.uniform(0.10, 0.85)
        let strength = random.uniform(0, 0.22)
        return Colour(
            (value + strength * (2 * random.unit() - 1)).clamped, (value + strength * (2 * random.unit() - 1)).clamped,
            (value + strength * (2 * random.unit() - 1)).clamped)
    }

    /// Pose, light, background and camera: the same for every group, so that nothing but the face tells groups apart.
    static func takePicture(_ f: inout FaceDescription, _ random: inout FaceRandom) {
        f.scale = random.bell(1.0, 0.045).limited(0.85, 1.15)
        f.shiftX = random.bell(0, 0.018)
        f.shiftY = random.bell(0, 0.012)
        f.roll = random.bell(0, 0.028).limited(-0.085, 0.085)
        f.yaw = random.bell(0, 0.055).limited(-0.17, 0.17)
        f.gazeX = -0.15 * f.yaw + random.bell(0, 0.008)
        f.lightX = random.bell(0, 0.085).limited(-0.22, 0.22)
        f.lightY = random.bell(-0.03, 0.045).limited(-0.14, 0.10)
        f.exposure = random.bell(1.0, 0.075).limited(0.78, 1.2)
        f.warmth = random.bell(0, 0.7).limited(-1.8, 1.8)
        f.noise = random.uniform(0.004, 0.015)
        f.backgroundTop = cloth(&random)
        f.backgroundBottom = f.backgroundTop.mixed(cloth(&random), 0.6)
        f.backgroundSpot = cloth(&random)
        f.backgroundPattern = random.uniform(0, 4)
        f.clothes = cloth(&random)
        f.shirt = Colour(0.92, 0.92, 0.94).mixed(cloth(&random), random.chance(0.3) ? 0.5 : 0.05)
        f.neckline = random.uniform(0.10, 0.34)
        f.phase = (random.unit(), random.unit(), random.unit(), random.unit(), random.unit())
        f.parting = random.bell(0, 0.45).limited(-1, 1)
    }

    static func eyes(_ darkness: Float, _ random: inout FaceRandom) -> Colour {
        if random.chance(darkness) { return Colour(0.20, 0.12, 0.08).mixed(Colour(0.40, 0.25, 0.13), random.unit()) }
        return random.chance(0.6)
            ? Colour(0.30, 0.44, 0.58).mixed(Colour(0.48, 0.60, 0.68), random.unit())
            : Colour(0.32, 0.42, 0.28).mixed(Colour(0.45, 0.46, 0.30), random.unit())
    }

    /// Lips as the skin makes them, before any lipstick.
    static func lips(_ skin: Colour) -> Colour {
        Colour(skin.r * 0.90, skin.g * 0.66, skin.b * 0.66)
    }

    static func lipstick(_ random: inout FaceRandom) -> Colour {
        let reds = [Colour(0.78, 0.12, 0.18), Colour(0.84, 0.30, 0.38), Colour(0.62, 0.10, 0.20), Colour(0.86, 0.42, 0.44)]
        return reds[random.choice([0.3, 0.3, 0.2, 0.2])]
    }
}
