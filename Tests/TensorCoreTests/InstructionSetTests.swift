// The choice of instruction set, by name, by force and by environment.
import Foundation
import TensorCore
import Testing

extension TensorCoreSuites {
    @Suite struct InstructionSetTests {
        @Test func everyAvailablePathCanBeForced() {
            let before = InstructionSet.current
            defer { InstructionSet.current = before }
            for isa in InstructionSet.available {
                InstructionSet.current = isa
                #expect(InstructionSet.current == isa)
            }
            #expect(InstructionSet.available.first == .generic && InstructionSet.available.last == InstructionSet.best)
            #expect(InstructionSet.allCases.map(\.description) == ["generic", "avx2", "avx512"])
        }

        @Test func anUnknownNameIsRefusedWithTheWayOut() {
            let old = ProcessInfo.processInfo.environment[InstructionSet.variable]
            defer { if let old { setenv(InstructionSet.variable, old, 1) } else { unsetenv(InstructionSet.variable) } }
            setenv(InstructionSet.variable, "avx1024", 1)
            let complaint = InstructionSet.environmentComplaint ?? ""
            #expect(complaint.contains("FACEFAIR_ISA=avx1024") && complaint.contains("generic") && complaint.contains("unset"))
            for isa in InstructionSet.available {
                setenv(InstructionSet.variable, isa.description, 1)
                #expect(InstructionSet.environmentComplaint == nil)
            }
        }
    }
}
