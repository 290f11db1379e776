// SHA-256 and MD5, streaming: to recognise files, never to authenticate anyone.
//
// Own code rather than swift-crypto: two small functions with published test vectors against several minutes of building BoringSSL
// in every checkout.
// Source: FIPS 180-4 (SHA-256), RFC 1321 (MD5)

/// A hash whose state can be copied, so that the digest of everything so far is one copy away.
package protocol Digest {
    init()
    mutating func update(_ bytes: UnsafeRawBufferPointer)
    /// Lower-case hexadecimal.
    consuming func finish() -> String
}

extension Digest {
    package mutating func update(_ text: String) { Array(text.utf8).withUnsafeBytes { update($0) } }
}

/// 64-byte blocks out of pieces of any length.
private struct Blocks {
    private(set) var length: UInt64 = 0
    private var held: [UInt8] = []

    mutating func feed(_ bytes: UnsafeRawBufferPointer, _ compress: (UnsafeRawPointer) -> Void) {
        length &+= UInt64(bytes.count)
        var rest = bytes[...]
        if !held.isEmpty {
            let taken = rest.prefix(64 - held.count)
            held += taken
            rest = rest.dropFirst(taken.count)
            guard held.count == 64 else { return }
            held.withUnsafeBytes { compress($0.baseAddress!) }
            held.removeAll(keepingCapacity: true)
        }
        guard let start = rest.isEmpty ? nil : bytes.baseAddress else { return }
        var at = rest.startIndex
        while rest.endIndex - at >= 64 {
            compress(start + at)
            at += 64
        }
        held += bytes[at...]
    }

    /// A one bit, zeros, and the length in bits up to a whole block.
    func padding(bigEndian: Bool) -> [UInt8] {
        var padding: [UInt8] = [0x80]
        while (Int(length % 64) + padding.count) % 64 != 56 { padding.append(0) }
        let bits = length &* 8
        withUnsafeBytes(of: bigEndian ? bits.bigEndian : bits.littleEndian) { padding += $0 }
        return padding
    }
}

private func hexadecimal(_ words: [UInt32]) -> String {
    words.map { word in
        let digits = String(word, radix: 16)
        return String(repeating: "0", count: 8 - digits.count) + digits
    }.joined()
}

/// What one hash function does with a block; ``BlockDigest`` does the rest.
package protocol BlockFunction {
    static var start: [UInt32] { get }
    /// Constants, in the layout that ``compress(_:_:_:_:)`` reads.
    static var table: [UInt32] { get }
    /// Whether lengths and states are written with their most significant byte first.
    static var isBigEndian: Bool { get }
    /// Takes 64 bytes into the state `h`; `k` is ``table``, `w` has room for 64 words.
    static func compress(
        _ block: UnsafeRawPointer, _ h: UnsafeMutablePointer<UInt32>, _ k: UnsafePointer<UInt32>, _ w: UnsafeMutablePointer<UInt32>)
}

/// A hash of 64-byte blocks: collects them, pads the last, writes the state.
package struct BlockDigest<Function: BlockFunction>: Digest {
    private var blocks = Blocks()
    private var state = Function.start

    package init() {}

    package mutating func update(_ bytes: UnsafeRawBufferPointer) {
        var feeding = Blocks()
        swap(&feeding, &blocks)
        defer { swap(&feeding, &blocks) }
        Function.table.withUnsafeBufferPointer { k in
            state.withUnsafeMutableBufferPointer { h in
                withUnsafeTemporaryAllocation(of: UInt32.self, capacity: 64) { w in
                    feeding.feed(bytes) { Function.compress($0, h.baseAddress!, k.baseAddress!, w.baseAddress!) }
                }
            }
        }
    }

    package consuming func finish() -> String {
        var last = self
        last.blocks.padding(bigEndian: Function.isBigEndian).withUnsafeBytes { last.update($0) }
        return hexadecimal(Function.isBigEndian ? last.state : last.state.map(\.byteSwapped))
    }
}

package typealias SHA256 = BlockDigest<SHA256Blocks>
/// For the checksums that CelebA is published with.
package typealias MD5 = BlockDigest<MD5Blocks>

package enum SHA256Blocks: BlockFunction {
    package static let isBigEndian = true
    package static let start: [UInt32] = [
        0x6a09_e667, 0xbb67_ae85, 0x3c6e_f372, 0xa54f_f53a, 0x510e_527f, 0x9b05_688c, 0x1f83_d9ab, 0x5be0_cd19,
    ]

    /// The first 32 bits of the fractional parts of the cube roots of the first 64 primes.
    package static let table: [UInt32] = [
        0x428a_2f98, 0x7137_4491, 0xb5c0_fbcf, 0xe9b5_dba5, 0x3956_c25b, 0x59f1_11f1, 0x923f_82a4, 0xab1c_5ed5,
        0xd807_aa98, 0x1283_5b01, 0x2431_85be, 0x550c_7dc3, 0x72be_5d74, 0x80de_b1fe, 0x9bdc_06a7, 0xc19b_f174,
        0xe49b_69c1, 0xefbe_4786, 0x0fc1_9dc6, 0x240c_a1cc, 0x2de9_2c6f, 0x4a74_84aa, 0x5cb0_a9dc, 0x76f9_88da,
        0x983e_5152, 0xa831_c66d, 0xb003_27c8, 0xbf59_7fc7, 0xc6e0_0bf3, 0xd5a7_9147, 0x06ca_6351, 0x1429_2967,
        0x27b7_0a85, 0x2e1b_2138, 0x4d2c_6dfc, 0x5338_0d13, 0x650a_7354, 0x766a_0abb, 0x81c2_c92e, 0x9272_2c85,
        0xa2bf_e8a1, 0xa81a_664b, 0xc24b_8b70, 0xc76c_51a3, 0xd192_e819, 0xd699_0624, 0xf40e_3585, 0x106a_a070,
        0x19a4_c116, 0x1e37_6c08, 0x2748_774c, 0x34b0_bcb5, 0x391c_0cb3, 0x4ed8_aa4a, 0x5b9c_ca4f, 0x682e_6ff3,
        0x748f_82ee, 0x78a5_636f, 0x84c8_7814, 0x8cc7_0208, 0x90be_fffa, 0xa450_6ceb, 0xbef9_a3f7, 0xc671_78f2,
    ]

    package static func compress(
        _ block: UnsafeRawPointer, _ h: UnsafeMutablePointer<UInt32>, _ k: UnsafePointer<UInt32>, _ w: UnsafeMutablePointer<UInt32>
    ) {
        @inline(__always) func rotate(_ x: UInt32, _ n: UInt32) -> UInt32 { x &>> n | x &<< (32 &- n) }
        for t in 0..<16 { w[t] = UInt32(bigEndian: block.loadUnaligned(fromByteOffset: 4 &* t, as: UInt32.self)) }
        for t in 16..<64 {
            let (x, y) = (w[t &- 15], w[t &- 2])
            let s0 = rotate(x, 7) ^ rotate(x, 18) ^ x &>> 3, s1 = rotate(y, 17) ^ rotate(y, 19) ^ y &>> 10
            w[t] = w[t &- 16] &+ s0 &+ w[t &- 7] &+ s1
        }
        var (a, b, c, d, e, f, g, i) = (h[0], h[1], h[2], h[3], h[4], h[5], h[6], h[7])
        for t in 0..<64 {
            let s1 = rotate(e, 6) ^ rotate(e, 11) ^ rotate(e, 25), s0 = rotate(a, 2) ^ rotate(a, 13) ^ rotate(a, 22)
            let t1 = i &+ s1 &+ (e & f ^ ~e & g) &+ k[t] &+ w[t]
            let t2 = s0 &+ (a & b ^ a & c ^ b & c)
            (i, g, f, e, d, c, b, a) = (g, f, e, d &+ t1, c, b, a, t1 &+ t2)
        }
        h[0] &+= a; h[1] &+= b; h[2] &+= c; h[3] &+= d
        h[4] &+= e; h[5] &+= f; h[6] &+= g; h[7] &+= i
    }
}

package enum MD5Blocks: BlockFunction {
    package static let isBigEndian = false
    package static let start: [UInt32] = [0x6745_2301, 0xefcd_ab89, 0x98ba_dcfe, 0x1032_5476]

    /// floor(2³² · |sin(i + 1)|), then the four shifts of each round.
    package static let table: [UInt32] = [
        0xd76a_a478, 0xe8c7_b756, 0x2420_70db, 0xc1bd_ceee, 0xf57c_0faf, 0x4787_c62a, 0xa830_4613, 0xfd46_9501,
        0x6980_98d8, 0x8b44_f7af, 0xffff_5bb1, 0x895c_d7be, 0x6b90_1122, 0xfd98_7193, 0xa679_438e, 0x49b4_0821,
        0xf61e_2562, 0xc040_b340, 0x265e_5a51, 0xe9b6_c7aa, 0xd62f_105d, 0x0244_1453, 0xd8a1_e681, 0xe7d3_fbc8,
        0x21e1_cde6, 0xc337_07d6, 0xf4d5_0d87, 0x455a_14ed, 0xa9e3_e905, 0xfcef_a3f8, 0x676f_02d9, 0x8d2a_4c8a,
        0xfffa_3942, 0x8771_f681, 0x6d9d_6122, 0xfde5_380c, 0xa4be_ea44, 0x4bde_cfa9, 0xf6bb_4b60, 0xbebf_bc70,
        0x289b_7ec6, 0xeaa1_27fa, 0xd4ef_3085, 0x0488_1d05, 0xd9d4_d039, 0xe6db_99e5, 0x1fa2_7cf8, 0xc4ac_5665,
        0xf429_2244, 0x432a_ff97, 0xab94_23a7, 0xfc93_a039, 0x655b_59c3, 0x8f0c_cc92, 0xffef_f47d, 0x8584_5dd1,
        0x6fa8_7e4f, 0xfe2c_e6e0, 0xa301_4314, 0x4e08_11a1, 0xf753_7e82, 0xbd3a_f235, 0x2ad7_d2bb, 0xeb86_d391,
        7, 12, 17, 22, 5, 9, 14, 20, 4, 11, 16, 23, 6, 10, 15, 21,
    ]

    package static func compress(
        _ block: UnsafeRawPointer, _ h: UnsafeMutablePointer<UInt32>, _ k: UnsafePointer<UInt32>, _: UnsafeMutablePointer<UInt32>
    ) {
        var (a, b, c, d) = (h[0], h[1], h[2], h[3])
        for i in 0..<64 {
            let f: UInt32, word: Int
            switch i / 16 {
            case 0: (f, word) = (b & c | ~b & d, i)
            case 1: (f, word) = (d & b | ~d & c, (5 &* i &+ 1) % 16)
            case 2: (f, word) = (b ^ c ^ d, (3 &* i &+ 5) % 16)
            default: (f, word) = (c ^ (b | ~d), 7 &* i % 16)
            }
            let sum = a &+ f &+ k[i] &+ UInt32(littleEndian: block.loadUnaligned(fromByteOffset: 4 &* word, as: UInt32.self))
            let shift = k[64 &+ i / 16 &* 4 &+ i % 4]
            (a, d, c, b) = (d, c, b, b &+ (sum &<< shift | sum &>> (32 &- shift)))
        }
        h[0] &+= a; h[1] &+= b; h[2] &+= c; h[3] &+= d
    }
}
