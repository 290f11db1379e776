// The CelebA layout: img_align_celeba/000001.jpg … and its four label files.

/// Image numbers, splits and label texts of a synthetic CelebA.
struct CelebAPlan: SyntheticPlan {
    let count: Int
    let seed: UInt64

    var folders: [String] { ["img_align_celeba"] }

    /// "000001.jpg" for index 0.
    static func fileName(_ index: Int) -> String {
        let digits = String(index + 1)
        return String(repeating: "0", count: max(0, 6 - digits.count)) + digits + ".jpg"
    }

    func imageName(_ index: Int) -> String { "img_align_celeba/" + Self.fileName(index) }

    private func person(_ index: Int) -> (CelebAPerson, FaceRandom) {
        var random = FaceRandom(seed: seed, stream: UInt64(index))
        let person = CelebAPopulation.draw(&random)
        return (person, random)
    }

    private func description(_ index: Int) -> (FaceDescription, FaceRandom) {
        var (person, random) = person(index)
        let face = person.portrait(&random)
        return (face, random)
    }

    func paint(_ index: Int, with painter: FacePainter) {
        var (face, random) = description(index)
        painter.draw(face, &random)
    }

    /// Sizes of train, valid and test: contiguous blocks in the official ratio (162,770 : 19,867 : 19,962).
    var partition: (train: Int, valid: Int, test: Int) {
        let valid = Int((Double(count) * 19_867 / 202_599).rounded())
        let test = Int((Double(count) * 19_962 / 202_599).rounded())
        return (count - valid - test, valid, test)
    }

    func labelFiles() -> [(name: String, text: String)] {
        var attributes = "\(count)\n" + CelebAAttribute.officialNames.joined(separator: " ") + " \n"
        var partitions = ""
        var identities = ""
        var landmarks = "\(count)\n" + Self.landmarkNames + "\n"
        let sizes = partition
        let layout = SyntheticFaces.Layout.celeba
        for index in 0..<count {
            let name = Self.fileName(index)
            let (person, _) = person(index)
            attributes += name
            for attribute in CelebAAttribute.allCases { attributes += person.attributes[attribute] ? "  1" : " -1" }
            attributes += "\n"
            partitions += "\(name) \(index < sizes.train ? 0 : (index < sizes.train + sizes.valid ? 1 : 2))\n"
            identities += "\(name) \(index + 1)\n"
            landmarks += name + Self.row(description(index).0.landmarks(width: layout.width, height: layout.height))
        }
        return [
            ("list_attr_celeba.txt", attributes), ("list_eval_partition.txt", partitions), ("identity_CelebA.txt", identities),
            ("list_landmarks_align_celeba.txt", landmarks),
        ]
    }

    private static let landmarkNames =
        "lefteye_x lefteye_y righteye_x righteye_y nose_x nose_y leftmouth_x leftmouth_y rightmouth_x rightmouth_y"

    private static func row(_ l: FaceLandmarks) -> String {
        var text = ""
        for point in [l.leftEye, l.rightEye, l.nose, l.leftMouth, l.rightMouth] {
            for value in [point.x, point.y] {
                let digits = String(Int(value.rounded()))
                text += text.isEmpty ? " " + digits : String(repeating: " ", count: max(1, 5 - digits.count)) + digits
            }
        }
        return text + "\n"
    }
}
