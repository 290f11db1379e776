// swift-tools-version: 6.1
import PackageDescription

// Targets stand in the order of the layers in docs/architecture.md; tools/check_layers holds the imports to it.
let package = Package(
    name: "facefair",
    products: [
        .executable(name: "facefair", targets: ["facefair"]),
        .library(
            name: "FaceFair",
            targets: ["TensorCore", "Fairness", "Reporting", "NeuralNetwork", "FaceData", "Inference", "Training", "Experiments"]
        ),
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
        // YAML of --config; the command only.
        .package(url: "https://github.com/jpsim/Yams", from: "6.2.2"),
        // SQLite for the durable state of streams; Inference only.
        .package(url: "https://github.com/groue/GRDB.swift", exact: "7.10.0"),
    ],
    targets: [
        // L0: C
        .systemLibrary(name: "COpenBLAS", pkgConfig: "openblas", providers: [.apt(["libopenblas-dev"])]),
        .systemLibrary(name: "CJPEG", pkgConfig: "libjpeg", providers: [.apt(["libjpeg-dev"])]),
        .systemLibrary(name: "CPNG", pkgConfig: "libpng", providers: [.apt(["libpng-dev"])]),
        .target(
            name: "CKernels", dependencies: ["COpenBLAS"], path: "CKernels",
            cSettings: [.define("NDEBUG", .when(configuration: .release))],
            linkerSettings: [.linkedLibrary("m"), .linkedLibrary("pthread")]),
        .target(name: "CImageCodecs", dependencies: ["CJPEG", "CPNG"]),

        // L1
        .target(name: "TensorCore", dependencies: ["CKernels"]),
        .target(name: "Fairness"),
        .target(name: "Reporting"),

        // L2
        .target(name: "NeuralNetwork", dependencies: ["TensorCore"]),
        .target(name: "FaceData", dependencies: ["TensorCore", "CImageCodecs"]),

        // L3 to L6
        .target(
            name: "Inference",
            dependencies: ["NeuralNetwork", "FaceData", "Fairness", "TensorCore", .product(name: "GRDB", package: "GRDB.swift")]),
        .target(
            name: "Training", dependencies: ["Inference", "NeuralNetwork", "FaceData", "Fairness", "Reporting", "TensorCore"]),
        .target(name: "Experiments", dependencies: ["Training", "Inference", "NeuralNetwork", "FaceData", "Fairness", "Reporting"]),
        .executableTarget(
            name: "facefair",
            dependencies: [
                "Experiments", "Training", "Inference", "FaceData", "NeuralNetwork", "Fairness", "Reporting", "TensorCore",
                .product(name: "ArgumentParser", package: "swift-argument-parser"), .product(name: "Yams", package: "Yams"),
            ]),

        // Tests
        .target(name: "TestSupport", path: "Tests/TestSupport"),
        .target(name: "AllocationCounter", path: "Tests/AllocationCounter"),
        .testTarget(name: "TensorCoreTests", dependencies: ["TensorCore", "CKernels", "TestSupport"]),
        .testTarget(name: "FairnessTests", dependencies: ["Fairness", "TestSupport"]),
        .testTarget(name: "ReportingTests", dependencies: ["Reporting", "TestSupport"]),
        .testTarget(name: "NeuralNetworkTests", dependencies: ["NeuralNetwork", "TensorCore", "TestSupport"]),
        .testTarget(name: "FaceDataTests", dependencies: ["FaceData", "TensorCore", "TestSupport", "AllocationCounter"]),
        .testTarget(
            name: "InferenceTests",
            dependencies: ["Inference", "FaceData", "Fairness", "NeuralNetwork", "TensorCore", "TestSupport"]),
        .testTarget(
            name: "TrainingTests",
            dependencies: [
                "Training", "Inference", "FaceData", "Fairness", "NeuralNetwork", "TensorCore", "TestSupport", "AllocationCounter",
            ]),
        .testTarget(name: "ExperimentsTests", dependencies: ["Experiments", "TestSupport"]),
        .testTarget(
            name: "CommandTests", dependencies: ["facefair", "Training", "Inference", "FaceData", "Fairness", "NeuralNetwork", "TensorCore", "TestSupport"]),
    ],
    swiftLanguageModes: [.v6],
    cLanguageStandard: .c11
)
