// SHA-256 and MD5 against the published test vectors, in pieces of every length.
import FaceData
import Testing

@Suite struct DigestTests {
    private func digest<D: Digest>(_: D.Type, _ bytes: [UInt8], piece: Int) -> String {
        var digest = D()
        for start in stride(from: 0, to: bytes.count, by: piece) {
            bytes[start..<min(start + piece, bytes.count)].withUnsafeBytes { digest.update($0) }
        }
        return digest.finish()
    }

    /// Sources: RFC 1321 A.5; FIPS 180-4 examples of NIST's Cryptographic Standards and Guidelines.
    @Test(arguments: [
        ("", "d41d8cd98f00b204e9800998ecf8427e", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"),
        ("abc", "900150983cd24fb0d6963f7d28e17f72", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"),
        (
            "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq", "8215ef0796a20bcaaae116d3876c664a",
            "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"
        ),
    ])
    func vectors(_ text: String, _ md5: String, _ sha256: String) {
        for piece in [1, 7, 64, 1000] {
            #expect(digest(MD5.self, Array(text.utf8), piece: piece) == md5)
            #expect(digest(SHA256.self, Array(text.utf8), piece: piece) == sha256)
        }
    }

    @Test func aMillionBytesInPiecesOfAnyLength() {
        let bytes = [UInt8](repeating: UInt8(ascii: "a"), count: 1_000_000)
        for piece in [63, 64, 65, 4096, 1_000_000] {
            #expect(digest(SHA256.self, bytes, piece: piece) == "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0")
            #expect(digest(MD5.self, bytes, piece: piece) == "7707d6ae4e027c70eea2a935c2296f21")
        }
    }

    @Test func aCopyGoesOnWithoutDisturbingTheOriginal() {
        var digest = SHA256()
        digest.update("ab")
        let half = digest.finish()
        #expect(half == "fb8e20fc2e4c3f248c60c39bd652f3c1347298bb977b8b4d5903b85055620603")
        digest.update("c")
        #expect(digest.finish() == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad")
    }
}
