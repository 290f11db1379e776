// The FairFace layout: train/1.jpg …, val/1.jpg … and the two label files.

/// Image numbers, splits and label texts of a synthetic FairFace.
struct FairFacePlan: SyntheticPlan {
    let count: Int
    let seed: UInt64

    var folders: [String] { ["train", "val"] }

    /// Images in train; the rest is val, in the official ratio (86,744 : 10,954).
    var trainCount: Int { count - Int((Double(count) * 10_954 / 97_698).rounded()) }

    func imageName(_ index: Int) -> String {
        index < trainCount ? "train/\(index + 1).jpg" : "val/\(index - trainCount + 1).jpg"
    }

    private func person(_ index: Int) -> (FairFacePerson, FaceRandom) {
        // Other streams than CelebA's, so that the layouts do not show the same backgrounds for the same seed.
        var random = FaceRandom(seed: seed, stream: UInt64(index) | 1 << 32)
        let person = FairFacePopulation.draw(&random)
        return (person, random)
    }

    func paint(_ index: Int, with painter: FacePainter) {
        var (person, random) = person(index)
        let face = person.portrait(&random)
        painter.draw(face, &random)
    }

    func labelFiles() -> [(name: String, text: String)] {
        let header = "file,age,gender,race,service_test\n"
        var texts = [header, header]
        for index in 0..<count {
            let p = person(index).0
            texts[index < trainCount ? 0 : 1] +=
                "\(imageName(index)),\(p.age),\(p.gender),\(p.race),\(p.serviceTest ? "True" : "False")\n"
        }
        return [("fairface_label_train.csv", texts[0]), ("fairface_label_val.csv", texts[1])]
    }
}
