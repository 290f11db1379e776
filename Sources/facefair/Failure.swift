// From typed errors to exit codes (sysexits.h and docs/records.md).
import FaceData
import Fairness
import Foundation
import Inference
import NeuralNetwork
import Training

enum ExitStatus: Int32 {
    case success = 0
    case failed = 1
    case someInputsFailed = 2
    case gateFailed = 3
    case usage = 64
    case badData = 65
    case inputMissing = 66
    case cannotCreate = 73
    case ioError = 74
    case tryAgain = 75
    case noPermission = 77
    case badConfiguration = 78
}

/// An error with its place among the exit codes.
struct Failure: Error {
    let status: ExitStatus
    let message: String

    init(_ status: ExitStatus, _ message: String) {
        self.status = status
        self.message = message
    }

    /// nil for errors that ArgumentParser prints itself: usage, help, version, explicit exit codes.
    init?(_ error: any Error) {
        switch error {
        case let failure as Failure: self = failure
        case let error as DatasetError: self.init(ExitStatus(rawValue: error.exitCode) ?? .failed, error.description)
        case let error as ImageError: self.init(error.code == .missing ? .inputMissing : .badData, error.description)
        case let error as TooManyBadImages: self.init(.badData, error.description)
        case let error as PackError: self.init(error.exitStatus, error.description)
        case let error as SyntheticFacesError: self.init(error.exitStatus, error.description)
        case let error as CheckpointError: self.init(error.exitStatus, error.description)
        case let error as TrainingError: self.init(error.exitStatus, error.description)
        case let error as FileError: self.init(error.exitStatus, error.description)
        case let error as UnfitCriterion: self.init(.badData, error.description)
        case let error as StateError: self.init(error.exitStatus, error.description)
        case let error as ScoreTableError: self.init(.badData, error.description)
        case let error as AtomicFile.Failure: self.init(.ioError, error.description)
        case let error as CriterionRowsError: self.init(.badData, error.description)
        case let error as FairnessError: self.init(.badData, error.description)
        case let error as GroupError: self.init(.badData, error.description)
        case let error as CocoaError: self.init(.ioError, error.localizedDescription)
        default: return nil
        }
    }
}

extension FileError {
    var exitStatus: ExitStatus {
        switch kind {
        case .closedPipe: .success
        case .missing: .inputMissing
        case .cannotCreate: .cannotCreate
        case .io: .ioError
        case .permission: .noPermission
        }
    }
}

extension StateError {
    var exitStatus: ExitStatus {
        switch kind {
        case .missing: .inputMissing
        case .busy: .tryAgain
        case .mismatch: .badConfiguration
        case .unusable: .badData
        case .cannotCreate: .cannotCreate
        case .permission: .noPermission
        case .io: .ioError
        }
    }
}

extension CheckpointError {
    var exitStatus: ExitStatus {
        switch self {
        case .missing: .inputMissing
        case .unreadable, .unwritable: .ioError
        case .pickle, .malformed: .badData
        }
    }
}

extension PackError {
    var exitStatus: ExitStatus {
        switch self {
        case .wouldOverwrite: .cannotCreate
        case .inUse: .tryAgain
        case .noSpace, .io: .ioError
        }
    }
}

extension SyntheticFacesError {
    var exitStatus: ExitStatus {
        switch self {
        case .badCount: .usage
        case .notEmpty, .otherSet: .cannotCreate
        case .unwritable, .diskFull: .ioError
        case .encoding: .failed
        }
    }
}

extension TrainingError {
    var exitStatus: ExitStatus {
        switch self {
        case .invalidConfiguration: .usage
        case .notFinite, .noSamples: .badData
        case .wouldOverwrite: .cannotCreate
        case .cannotResume: .inputMissing
        }
    }
}
