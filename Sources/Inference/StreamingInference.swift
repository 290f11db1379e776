// Records in, fair scores out: forms batches, runs the network, takes one step of the online algorithm per batch, answers in order.
import Fairness
import Foundation

/// A stream of records through one model, with the online algorithm's state. One caller at a time.
public final class StreamingInference {
    public enum Ending: Sendable, Equatable { case endOfInput, stopped }

    public let settings: StreamSettings
    public let features: SensitiveFeatures
    public let modelName: String
    /// λ, counters and pooled sums.
    public private(set) var online: PrimalDual
    public private(set) var summary: StreamSummary

    private let imageSize: Int
    private let predict: ([[UInt8]]) -> [Double]
    private let pipeline: RecordPipeline

    /// `predict` turns decoded images into logits. Shape: each `[imageSize, imageSize, 3]` of bytes → one logit each.
    public init(
        settings: StreamSettings, features: SensitiveFeatures, modelName: String, imageSize: Int,
        predict: @escaping ([[UInt8]]) -> [Double]
    ) {
        precondition(settings.batchSize > 0 && settings.workers > 0, "batchSize \(settings.batchSize), workers \(settings.workers)")
        self.settings = settings
        self.features = features
        self.modelName = modelName
        self.imageSize = imageSize
        self.predict = predict
        online = PrimalDual(
            groupCount: features.groupCount, tolerance: settings.tolerance, eta0: settings.eta0,
            batchThreshold: settings.batchThreshold, pairPenalty: settings.pairPenalty)
        summary = StreamSummary(groupCount: features.groupCount)
        pipeline = RecordPipeline(capacity: 2 * settings.batchSize + 2 * settings.workers, byteLimit: 64 << 20)
    }

    public convenience init(settings: StreamSettings, predictor: Predictor) {
        self.init(
            settings: settings, features: predictor.features, modelName: predictor.modelName,
            imageSize: predictor.metadata.imageSize, predict: predictor.logits)
    }

    /// A function that makes ``run(_:emit:)`` finish the batch in hand and return; may be called from any thread.
    public var stop: @Sendable () -> Void {
        { [pipeline] in pipeline.stop() }
    }

    /// Answers every record of `input`, in order; `emit` receives the answers of a batch at a time. To be called once.
    ///
    /// Errors: ``FileError`` when the input cannot be read, after all records that could be read are answered; what `emit` throws.
    public func run(_ input: StreamInput, emit: ([RecordAnswer]) throws -> Void) throws -> Ending {
        startThreads(input)
        defer { pipeline.stop() }
        let start = ContinuousClock.now
        defer { summary.seconds += (ContinuousClock.now - start).milliseconds / 1e3 }

        var batch: [PreparedRecord] = []
        var images = 0
        var deadline: Date?
        func answer() throws {
            guard !batch.isEmpty else { return }
            let answers = process(batch)
            batch.removeAll(keepingCapacity: true)
            (images, deadline) = (0, nil)
            try emit(answers)
        }
        while true {
            switch pipeline.next(deadline: deadline) {
            case .record(let record):
                batch.append(record)
                if case .success = record.content { images += 1 }
                if deadline == nil, let delay = settings.maxDelay { deadline = Date(timeIntervalSinceNow: delay.milliseconds / 1e3) }
                // Broken records do not fill a batch, but many of them must not hold back the answers either.
                if images == settings.batchSize || batch.count == 4 * settings.batchSize { try answer() }
            case .idle: try answer()
            case .end:
                try answer()
                return .endOfInput
            case .stopped:
                try answer()
                return .stopped
            case .failed(let error):
                try answer()
                throw error
            }
        }
    }

    private func startThreads(_ input: StreamInput) {
        let (pipeline, settings, imageSize) = (pipeline, settings, imageSize)
        let reader = RecordReader(features: features, imageRoot: settings.imageRoot)
        for _ in 0..<settings.workers {
            Thread {
                let preparation = RecordPreparation(
                    reader: reader, imageSize: imageSize, limits: settings.imageLimits, maxLineBytes: settings.maxLineBytes)
                pipeline.work(preparation.prepare)
            }.start()
        }
        Thread { input.run(into: pipeline, maxLineBytes: settings.maxLineBytes) }.start()
    }

    /// One batch: network, fairness step, one answer per record.
    private func process(_ batch: [PreparedRecord]) -> [RecordAnswer] {
        var rows: [Int] = []
        var pixels: [[UInt8]] = []
        var outcomes: [Result<PreparedRecord.Content, RecordError>] = batch.map(\.content)
        for (row, outcome) in outcomes.enumerated() {
            guard case .success(let content) = outcome else { continue }
            rows.append(row)
            pixels.append(content.pixels)
        }
        let logits = pixels.isEmpty ? [] : predict(pixels)
        var fairRows: [Int] = [], raw: [Double] = [], groups: [Int] = []
        for (row, logit) in zip(rows, logits) {
            guard logit.isFinite, case .success(let content) = outcomes[row] else {
                outcomes[row] = .failure(RecordError(.internalError, "the network's logit is \(logit), not a finite number"))
                continue
            }
            fairRows.append(row)
            raw.append(logit)
            groups.append(content.group)
        }
        var scored: [Int: RecordAnswer.Score] = [:]
        if !raw.isEmpty {
            do {
                let step = try online.process(raw, groups: groups)
                let known = groups.count { $0 != unknownGroup }
                for (index, row) in fairRows.enumerated() {
                    scored[row] = .init(
                        logit: step.scores[index], rawLogit: raw[index], group: groups[index], batchCount: known, step: step)
                }
                summary.add(step, raw: raw, groups: groups)
            } catch {
                for row in fairRows { outcomes[row] = .failure(RecordError(.internalError, "\(error)")) }
            }
        }
        summary.batches += 1
        return batch.enumerated().map { row, record in
            let answer: RecordAnswer
            switch outcomes[row] {
            case .success(let content):
                let score = scored[row]!
                summary.count(score, label: content.label, threshold: settings.threshold)
                answer = RecordAnswer(sequence: record.sequence, id: record.id, result: .success(score))
            case .failure(let error):
                summary.failures[error.code, default: 0] += 1
                answer = RecordAnswer(sequence: record.sequence, id: record.id, result: .failure(error))
            }
            return answer
        }
    }
}

/// The answer to one record.
public struct RecordAnswer: Sendable {
    public struct Score: Sendable {
        public let logit: Double
        public let rawLogit: Double
        /// Index of the group, or `unknownGroup`.
        public let group: Int
        /// Records of known groups in the batch: b.
        public let batchCount: Int
        public let step: OnlineStep
    }

    /// Counts the records of the stream from 0; blank lines are none.
    public let sequence: Int
    public let id: JSONValue
    public let result: Result<Score, RecordError>
}
