// fuzz-text TARGET [libFuzzer's options and corpus folders]: feeds a reader of untrusted text; see Targets.swift.
import Foundation
import FuzzRunner

private let targets: [String: Target] = [
    "celeba": celeba, "fairface": fairface, "folder": folder, "safetensors": safetensors, "records": records,
]

guard CommandLine.arguments.count > 1, let target = targets[CommandLine.arguments[1]] else {
    print("usage: fuzz-text \(targets.keys.sorted().joined(separator: "|")) [options] [corpus…]")
    exit(64)
}
chosen = target
// libFuzzer gets the arguments without the target's name, and keeps them.
let arguments = UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>.allocate(capacity: CommandLine.arguments.count)
var count = 0
for argument in [CommandLine.arguments[0]] + CommandLine.arguments.dropFirst(2) {
    arguments[count] = strdup(argument)
    count += 1
}
arguments[count] = nil
exit(
    fuzz_run(CInt(count), arguments) { data, size in
        chosen(UnsafeBufferPointer(start: data, count: size))
        return 0
    })
