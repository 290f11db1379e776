// The people of the FairFace layout: race, gender and age with the shares of the real training labels, and the age a
// face shows. docs/synthetic-faces.md shows the tables.

package struct FairFacePerson: Sendable {
    package var age: String
    package var gender: String
    package var race: String
    package var serviceTest: Bool
    /// The age the face shows in years: the true age blurred, because people look older or younger than they are.
    package var apparentAge: Float
}

package enum FairFacePopulation {
    package static let races = ["East Asian", "Indian", "Black", "White", "Middle Eastern", "Latino_Hispanic", "Southeast Asian"]
    package static let genders = ["Male", "Female"]
    package static let ages = ["0-2", "3-9", "10-19", "20-29", "30-39", "40-49", "50-59", "60-69", "more than 70"]
    private static let firstYear: [Float] = [0, 3, 10, 20, 30, 40, 50, 60, 70]
    private static let lastYear: [Float] = [3, 10, 20, 30, 40, 50, 60, 70, 86]

    /// Share of each race, and of men within it (rounded from the official training labels).
    private static let raceShares: [Float] = [0.142, 0.142, 0.141, 0.190, 0.106, 0.154, 0.125]
    private static let maleShares: [Float] = [0.50, 0.52, 0.50, 0.53, 0.69, 0.50, 0.52]

    /// P(30 or over) for men and women of each race: the real order with wider spread, so that groups differ clearly.
    private static let over30Male: [Float] = [0.36, 0.58, 0.42, 0.66, 0.74, 0.57, 0.40]
    private static let over30Female: [Float] = [0.22, 0.42, 0.40, 0.44, 0.40, 0.41, 0.30]

    /// Ages within "under 30" and within "30 and over".
    private static let youngShares: [Float] = [0.039, 0.222, 0.194, 0.545]
    private static let oldShares: [Float] = [0.483, 0.270, 0.157, 0.069, 0.021]

    /// Deviation of the apparent from the true age, in years at 40.
    private static let ageBlur: Float = 4.5

    package static func draw(_ random: inout FaceRandom) -> FairFacePerson {
        let race = random.choice(raceShares)
        let male = random.chance(maleShares[race])
        let isOld = random.chance(male ? over30Male[race] : over30Female[race])
        let age = isOld ? 4 + random.choice(oldShares) : random.choice(youngShares)
        let years = random.uniform(firstYear[age], lastYear[age])
        let apparent = years + random.bell() * ageBlur * (0.25 + years / 53).limited(0, 1.2)
        return FairFacePerson(
            age: ages[age], gender: genders[male ? 0 : 1], race: races[race], serviceTest: random.chance(0.464),
            apparentAge: apparent < 0.3 ? 0.3 : apparent)
    }
}
