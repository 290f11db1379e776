// Which copy of the hand-written kernels runs: ck_isa.h.
import CKernels

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// The instruction sets that the hand-written kernels are compiled for, in ascending order.
public enum InstructionSet: Int, CaseIterable, Sendable, CustomStringConvertible {
    case generic, avx2, avx512

    /// The environment variable that forces a path.
    public static let variable = "FACEFAIR_ISA"

    /// The best one this machine has.
    public static var best: InstructionSet { InstructionSet(rawValue: Int(ck_isa_best().rawValue))! }

    /// Everything this machine can run.
    public static var available: [InstructionSet] { allCases.filter { $0.rawValue <= best.rawValue } }

    /// The one in use. Setting it is for tests and benchmarks, holds for kernels called on this thread, and traps on one that this
    /// machine lacks.
    public static var current: InstructionSet {
        get { InstructionSet(rawValue: Int(ck_current_isa().rawValue))! }
        set { check(ck_set_isa(ck_isa(UInt32(newValue.rawValue))), "instruction set \(newValue) on a machine with \(best)") }
    }

    /// What is wrong with `FACEFAIR_ISA`, in one sentence with the way out; nil if nothing is.
    public static var environmentComplaint: String? {
        guard ck_check_isa_environment() != CK_OK, let value = getenv(variable) else { return nil }
        let choices = available.map(\.description).joined(separator: ", ")
        return "\(variable)=\(String(cString: value)): this machine knows \(choices); unset the variable to use \(best)"
    }

    public var description: String { String(cString: ck_isa_name(ck_isa(UInt32(rawValue)))) }
}
