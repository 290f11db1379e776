// What the next epoch depends on besides weights and optimizer moments. No times: the same run gives the same bytes.
import Foundation
import NeuralNetwork
import TensorCore

struct TrainerState: Codable {
    /// Finished epochs and optimizer steps.
    var epoch = 0
    var step = 0
    var learningRates: [String: Double]
    var plateau: ReduceLROnPlateau
    var earlyStopping: EarlyStopping
    /// Of the best epoch, which another metric may have chosen.
    var bestValidLoss: Double?
    var dropout: RandomSource
    /// Where an unfinished epoch stands; nil between epochs.
    var unfinished: EpochProgress?

    /// The part of an epoch that is behind: batches of its order, their sums, and what the method carries from batch to batch.
    struct EpochProgress: Codable {
        var batches: Int
        var tally: EpochTally
        var method: Data?
    }

    func encoded() throws -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys]
        return String(decoding: try encoder.encode(self), as: UTF8.self)
    }

    static func decode(_ text: String, file: String) throws -> TrainerState {
        do { return try JSONDecoder().decode(TrainerState.self, from: Data(text.utf8)) } catch {
            throw TrainingError.cannotResume("\(file): the trainer's state cannot be read: \(error)")
        }
    }
}
