// swift-tools-version: 6.1
import PackageDescription

// Fuzz drivers of the readers that are written in Swift; tools/fuzz builds and runs them with libFuzzer and AddressSanitizer.
let package = Package(
    name: "facefair-fuzz",
    dependencies: [.package(name: "facefair", path: "..")],
    targets: [
        .target(name: "FuzzRunner"),
        .executableTarget(name: "fuzz-text", dependencies: ["FuzzRunner", .product(name: "FaceFair", package: "facefair")]),
    ],
    swiftLanguageModes: [.v6]
)
