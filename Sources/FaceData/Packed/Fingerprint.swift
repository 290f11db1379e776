// The SHA-256 of a file's content, by which a report says exactly which input it speaks of.

public enum Fingerprint {
    /// 64 lower-case hexadecimal digits.
    public static func sha256(_ bytes: [UInt8]) -> String {
        var digest = SHA256()
        bytes.withUnsafeBytes { digest.update($0) }
        return digest.finish()
    }
}
