// swift-tools-version: 6.1
import PackageDescription

// A package as a user of the library would write it; CI builds and runs it.
let package = Package(
    name: "Consumer",
    dependencies: [.package(name: "facefair", path: "../..")],
    targets: [.executableTarget(name: "Consumer", dependencies: [.product(name: "FaceFair", package: "facefair")])],
    swiftLanguageModes: [.v6]
)
