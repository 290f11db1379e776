// The forty attributes of CelebA, in the official order.

package enum CelebAAttribute: Int, CaseIterable, Sendable {
    case fiveOClockShadow, archedEyebrows, attractive, bagsUnderEyes, bald, bangs, bigLips, bigNose, blackHair, blondHair
    case blurry, brownHair, bushyEyebrows, chubby, doubleChin, eyeglasses, goatee, grayHair, heavyMakeup, highCheekbones
    case male, mouthSlightlyOpen, mustache, narrowEyes, noBeard, ovalFace, paleSkin, pointyNose, recedingHairline, rosyCheeks
    case sideburns, smiling, straightHair, wavyHair, wearingEarrings, wearingHat, wearingLipstick, wearingNecklace
    case wearingNecktie, young

    /// The column names of `list_attr_celeba.txt`.
    package static let officialNames = [
        "5_o_Clock_Shadow", "Arched_Eyebrows", "Attractive", "Bags_Under_Eyes", "Bald", "Bangs", "Big_Lips", "Big_Nose",
        "Black_Hair", "Blond_Hair", "Blurry", "Brown_Hair", "Bushy_Eyebrows", "Chubby", "Double_Chin", "Eyeglasses", "Goatee",
        "Gray_Hair", "Heavy_Makeup", "High_Cheekbones", "Male", "Mouth_Slightly_Open", "Mustache", "Narrow_Eyes", "No_Beard",
        "Oval_Face", "Pale_Skin", "Pointy_Nose", "Receding_Hairline", "Rosy_Cheeks", "Sideburns", "Smiling", "Straight_Hair",
        "Wavy_Hair", "Wearing_Earrings", "Wearing_Hat", "Wearing_Lipstick", "Wearing_Necklace", "Wearing_Necktie", "Young",
    ]

    package var name: String { Self.officialNames[rawValue] }
}

/// One row of `list_attr_celeba.txt` as a set.
package struct FaceAttributes: Equatable, Sendable {
    private var bits: UInt64 = 0

    package init() {}

    package subscript(attribute: CelebAAttribute) -> Bool {
        get { bits >> UInt64(attribute.rawValue) & 1 == 1 }
        set {
            let bit: UInt64 = 1 << UInt64(attribute.rawValue)
            bits = newValue ? bits | bit : bits & ~bit
        }
    }
}
