// Everything the renderer needs to know about one face. The populations fill it; the renderer only reads it.

enum HairStyle: Sendable { case bald, fringe, buzz, short, medium, long, updo }

enum Glasses: Sendable { case none, thin, thick, dark }

/// A face as continuous quantities. Lengths are in face units: half the head's height, eyes at height 0, chin near 1.14.
struct FaceDescription {
    // Picture
    var scale: Float = 1  // 1: a head of about 0.64 of the picture's height
    var shiftX: Float = 0, shiftY: Float = 0  // parts of the picture's width and height
    var roll: Float = 0  // tangent of half the angle
    var yaw: Float = 0
    var lightX: Float = 0, lightY: Float = 0
    var exposure: Float = 1, warmth: Float = 0
    var blur: Int = 0  // passes of a 3×3 binomial filter
    var noise: Float = 0.015
    var backgroundTop = Colour(0.5, 0.55, 0.6), backgroundBottom = Colour(0.35, 0.35, 0.4)
    var backgroundSpot = Colour(0.7, 0.7, 0.6)
    var backgroundPattern: Float = 0  // 0…4: plain, spots, stripes, …

    // Head
    var child: Float = 0  // 1: a toddler's proportions, 0: an adult's
    var headWidth: Float = 0.74
    var jaw: Float = 0.35  // 0 pointed, 1 square
    var taper: Float = 0.10  // narrowing toward the chin
    var chubby: Float = 0
    var doubleChin: Float = 0
    var neckWidth: Float = 0.40
    var skin = Colour(0.85, 0.67, 0.54)
    var rosy: Float = 0
    var wrinkles: Float = 0
    var bags: Float = 0

    // Hair
    var hair = HairStyle.short
    var hairColour = Colour(0.2, 0.14, 0.1)
    var hairWave: Float = 0
    var hairCurl: Float = 0
    var hairVolume: Float = 0.08
    var hairline: Float = -0.62
    var receding: Float = 0
    var bangs: Float = 0
    var parting: Float = 0
    var hairLength: Float = 1.3
    var hat: Colour?

    // Eyes and brows
    var eyeOpen: Float = 0.085  // height of the upper lid above the corner line
    var eyeSize: Float = 1
    var eyeSlant: Float = 0
    var eyeDistance: Float = 0.34
    var crease: Float = 1
    var iris = Colour(0.30, 0.20, 0.12)
    var gazeX: Float = 0
    var browThickness: Float = 0.045
    var browArch: Float = 0.05
    var browColour = Colour(0.2, 0.14, 0.1)
    var eyeShadow: Float = 0
    var lashes: Float = 0.3

    // Nose
    var noseWidth: Float = 0.14
    var noseLength: Float = 0.42
    var nosePoint: Float = 0

    // Mouth
    var smile: Float = 0.3  // 0 corners down … 1 a broad smile
    var open: Float = 0  // 0 closed … 1
    var cheeks: Float = 0  // raised, lit cheekbones
    var lipFullness: Float = 0.5
    var lipColour = Colour(0.72, 0.42, 0.38)
    var mouthWidth: Float = 1

    // Beard
    var stubble: Float = 0, beard: Float = 0, goatee: Float = 0, mustache: Float = 0, sideburns: Float = 0

    // Worn
    var glasses = Glasses.none
    var earring: Colour?
    var necklace: Colour?
    var necktie: Colour?
    var clothes = Colour(0.25, 0.3, 0.4), shirt = Colour(0.9, 0.9, 0.92)
    var neckline: Float = 0.3  // depth of the visible chest

    // Five free phases in 0…1 for textures
    var phase: (Float, Float, Float, Float, Float) = (0, 0, 0, 0, 0)
}
