// The people behind the drawings: marginals and conditionals, without rendering.
import FaceData
import Testing

@Suite struct SyntheticPopulationTests {
    private static let people: [CelebAPerson] = (0..<6000).map {
        var random = FaceRandom(seed: 11, stream: UInt64($0))
        return CelebAPopulation.draw(&random)
    }

    private func share(_ attribute: CelebAAttribute, where condition: (FaceAttributes) -> Bool = { _ in true }) -> Double {
        let rows = Self.people.filter { condition($0.attributes) }
        return Double(rows.count { $0.attributes[attribute] }) / Double(rows.count)
    }

    /// The official marginals, rounded; 6,000 people have a standard error of at most .0065.
    @Test(arguments: [
        (CelebAAttribute.male, 0.417), (.young, 0.774), (.smiling, 0.490), (.attractive, 0.513), (.noBeard, 0.835),
        (.wearingLipstick, 0.472), (.heavyMakeup, 0.387), (.eyeglasses, 0.065), (.grayHair, 0.042), (.highCheekbones, 0.455),
        (.mouthSlightlyOpen, 0.483), (.bald, 0.022), (.bangs, 0.152), (.blackHair, 0.239), (.blondHair, 0.148),
        (.brownHair, 0.205), (.fiveOClockShadow, 0.111), (.archedEyebrows, 0.267), (.bagsUnderEyes, 0.205), (.bigLips, 0.241),
        (.bigNose, 0.235), (.blurry, 0.051), (.bushyEyebrows, 0.142), (.chubby, 0.058), (.doubleChin, 0.047), (.goatee, 0.063),
        (.mustache, 0.042), (.narrowEyes, 0.115), (.ovalFace, 0.284), (.paleSkin, 0.043), (.pointyNose, 0.277),
        (.recedingHairline, 0.080), (.rosyCheeks, 0.066), (.sideburns, 0.056), (.straightHair, 0.208), (.wavyHair, 0.320),
        (.wearingEarrings, 0.189), (.wearingHat, 0.048), (.wearingNecklace, 0.123), (.wearingNecktie, 0.073),
    ])
    func marginal(_ attribute: CelebAAttribute, _ official: Double) {
        #expect(abs(share(attribute) - official) < 0.03, "\(attribute.name)")
    }

    @Test func groupsDifferInSmiling() {
        let shares = [false, true].flatMap { male in
            [false, true].map { young in share(.smiling) { $0[.male] == male && $0[.young] == young } }
        }
        for (actual, expected) in zip(shares, [0.52, 0.68, 0.21, 0.33]) { #expect(abs(actual - expected) < 0.06) }
    }

    @Test func attributesBelongTogether() {
        #expect(share(.wearingLipstick) { !$0[.male] } > 0.7)
        #expect(share(.wearingLipstick) { $0[.male] } < 0.02)
        #expect(share(.noBeard) { !$0[.male] } == 1)
        #expect(share(.grayHair) { !$0[.young] } > 20 * share(.grayHair) { $0[.young] })
        #expect(share(.mouthSlightlyOpen) { $0[.smiling] } > 0.55)
        #expect(share(.mouthSlightlyOpen) { !$0[.smiling] } < 0.40)
        for person in Self.people {
            let a = person.attributes
            let colours = [CelebAAttribute.blackHair, .blondHair, .brownHair, .grayHair].count { a[$0] }
            #expect(colours <= 1)
            #expect(!(a[.straightHair] && a[.wavyHair]))
            #expect(!(a[.bald] && (colours > 0 || a[.bangs] || a[.recedingHairline])))
            #expect(!(a[.noBeard] && (a[.goatee] || a[.mustache] || a[.sideburns])))
        }
    }

    /// Wrong labels and ambiguous mouths leave a best accuracy of about .92 to .95 to who sees only the intensity.
    @Test func labelNoiseIsBounded() {
        let threshold: Float = 0.45
        let correct = Self.people.count { ($0.smileIntensity > threshold) == $0.attributes[.smiling] }
        let accuracy = Double(correct) / Double(Self.people.count)
        #expect(accuracy > 0.91 && accuracy < 0.96)
        let flips = Self.people.count { $0.isReallySmiling != $0.attributes[.smiling] }
        #expect(flips > 0 && Double(flips) / Double(Self.people.count) < 0.03)
    }

    @Test func fairFaceShares() {
        let people = (0..<6000).map {
            var random = FaceRandom(seed: 5, stream: UInt64($0))
            return FairFacePopulation.draw(&random)
        }
        let isOver30 = { (p: FairFacePerson) in FairFacePopulation.ages.firstIndex(of: p.age)! >= 4 }
        func over30(_ rows: [FairFacePerson]) -> Double { Double(rows.count(where: isOver30)) / Double(rows.count) }
        #expect(abs(over30(people) - 0.46) < 0.04)
        for race in FairFacePopulation.races {
            for gender in FairFacePopulation.genders {
                let group = people.filter { $0.race == race && $0.gender == gender }
                #expect(group.count > 100, "\(race) \(gender)")
            }
        }
        #expect(Set(people.map(\.age)).count == 9)
        let high = over30(people.filter { $0.race == "Middle Eastern" && $0.gender == "Male" })
        let low = over30(people.filter { $0.race == "East Asian" && $0.gender == "Female" })
        #expect(high - low > 0.35)
    }

    @Test func streamsAreIndependentAndExact() {
        var a = FaceRandom(seed: 1, stream: 2)
        var b = FaceRandom(seed: 1, stream: 2)
        var c = FaceRandom(seed: 2, stream: 1)
        let x = (0..<100).map { _ in a.next() }
        #expect(x == (0..<100).map { _ in b.next() })
        #expect(Set(x).isDisjoint(with: (0..<100).map { _ in c.next() }))
        let bells = (0..<20_000).map { _ in Double(a.bell()) }
        let mean = bells.reduce(0, +) / 20_000
        let variance = bells.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / 20_000
        #expect(abs(mean) < 0.03 && abs(variance - 1) < 0.04)
    }
}
