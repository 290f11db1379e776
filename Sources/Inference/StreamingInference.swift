// Records in, fair scores out: the stages of a stream as threads with bounded queues between them.
//
//   reader → decoders (parse, decode) → network (batches, logits) → fairness (online step, answers) → caller (commit, emit)
//
// Each stage has one thread, apart from the decoders, and hands on in input order, so the answers do not depend on timing.
import Fairness
import Foundation

/// A stream of records through one model, with the online algorithm's state. One caller at a time.
public final class StreamingInference {
    public enum Ending: Sendable, Equatable { case endOfInput, stopped }

    public let settings: StreamSettings
    public let features: SensitiveFeatures
    public let modelName: String
    /// How long ``run(_:emit:)`` took.
    public private(set) var seconds = 0.0

    private let imageSize: Int
    private let forming: BatchForming
    private let stage: FairnessStage
    private let state: StreamState?
    private let pipeline: RecordPipeline
    private let wake = WakePipe()

    /// Batches between the fairness stage and the caller; as many share one commit at most.
    private static let batchesUnderWay = 64
    /// Ready logits cost less than a lock, so they travel together; images travel alone, so that all decoders have work.
    private var sliceLimit: Int { settings.scoresOnly ? 64 : 1 }

    /// `predict` turns decoded images into logits. Shape: each `[imageSize, imageSize, 3]` of bytes → one logit each.
    ///
    /// With a `state`, the stream goes on where that one was, and every batch is on disk before its answers leave.
    /// Errors: ``UnfitCriterion``; ``StateError`` when the state cannot be read.
    public init(
        settings: StreamSettings, features: SensitiveFeatures, modelName: String, imageSize: Int, state: StreamState? = nil,
        predict: @escaping ([[UInt8]]) -> [Double]
    ) throws {
        precondition(settings.batchSize > 0 && settings.workers > 0, "batchSize \(settings.batchSize), workers \(settings.workers)")
        guard settings.criterion.onlineRefusal == nil, !settings.hasBounds else {
            throw UnfitCriterion(settings.criterion, hasBounds: settings.hasBounds, modelName)
        }
        precondition(state != nil || settings.identity == .none, "replays are told apart by the saved state")
        self.settings = settings
        self.features = features
        self.modelName = modelName
        self.imageSize = imageSize
        self.state = state
        let retries = Monitor([ReplayPlace]())
        let online = try state.map { try $0.saved.decodedOnline($0.path) } ?? settings.start(groupCount: features.groupCount)
        stage = FairnessStage(
            online: online, totals: state?.saved.totals ?? StreamSummary(groupCount: features.groupCount), settings: settings,
            writer: RecordWriter(features: features, modelName: modelName, settings: settings), state: state, retries: retries,
            batchesUnderWay: 3 * Self.batchesUnderWay)
        forming = BatchForming(
            settings: settings, index: state?.index ?? ReplayIndex(window: 0), nextSequence: state?.saved.nextSequence ?? 0, retries: retries,
            predict: predict)
        let records = 2 * settings.batchSize + 2 * settings.workers
        pipeline = RecordPipeline(capacity: settings.scoresOnly ? max(records / 64, 2 * settings.workers) + 2 : records, byteLimit: 64 << 20)
    }

    /// A model's stream.
    public convenience init(settings: StreamSettings, predictor: Predictor, state: StreamState? = nil) throws {
        try self.init(
            settings: settings, features: predictor.features, modelName: predictor.modelName,
            imageSize: predictor.metadata.imageSize, state: state, predict: predictor.logits)
    }

    /// The algorithm with its state; to be read before or after ``run(_:emit:)``.
    public var online: OnlineFairness { stage.online }
    /// What this run did; to be read before or after ``run(_:emit:)``.
    public var summary: StreamSummary { stage.summary }
    /// Records of this run that had been answered before.
    public var replayed: Int { stage.replayed }

    /// A function that makes ``run(_:emit:)`` finish the batch in hand and return; may be called from any thread.
    public var stop: @Sendable () -> Void {
        { [pipeline, wake] in
            pipeline.stop()
            wake.signal()
        }
    }

    /// Answers every record of `input`, in order; `emit` receives the answers of a batch at a time, on the caller's thread. To be called once.
    ///
    /// All threads have ended when it returns.
    /// Errors: ``FileError`` when the input cannot be read, after all records that could be read are answered; ``StateError``, with
    /// nothing emitted that is not on disk; what `emit` throws.
    public func run(_ input: StreamInput, emit: (AnsweredBatch) throws -> Void) throws -> Ending {
        let start = ContinuousClock.now
        defer { seconds += (ContinuousClock.now - start).milliseconds / 1e3 }
        let threads = StreamThreads()
        let scored = Conveyor<StreamBatch>(capacity: 4)
        let answered = Conveyor<AnsweredBatch>(capacity: Self.batchesUnderWay)
        let ending = Monitor<Result<Ending, any Error>>(.success(.stopped))
        // Whatever happens, nobody is left waiting.
        defer {
            stop()
            scored.cancel()
            answered.cancel()
            threads.join()
        }
        startInput(input, threads)
        // One thread uses each from here to the join.
        nonisolated(unsafe) let forming = forming, stage = stage
        threads.start("network") { [pipeline] in
            let result = forming.run(pipeline) { scored.push($0) }
            ending.update { if case .success = $0 { $0 = result.mapError { $0 } } }
            scored.finish()
        }
        threads.start("fairness") {
            do {
                while let batches = scored.takeAll() {
                    for batch in batches where !answered.push(try stage.process(batch)) { break }
                }
            } catch {
                ending.update { $0 = .failure(error) }
                scored.cancel()
            }
            answered.finish()
        }
        // While a commit waits for the disk, the next batches gather, so the slower the disk the more share one commit.
        while let batches = answered.takeAll() {
            try state?.commit(batches.compactMap(\.durable))
            for batch in batches { try emit(batch) }
        }
        return try ending.update { $0 }.get()
    }

    private func startInput(_ input: StreamInput, _ threads: StreamThreads) {
        let (pipeline, settings, imageSize, sliceLimit, wake) = (pipeline, settings, imageSize, sliceLimit, wake)
        let reader = RecordReader(
            features: features, imageRoot: settings.imageRoot, scoresOnly: settings.scoresOnly, identity: settings.identity)
        for number in 1...settings.workers {
            threads.start("decode \(number)") {
                let preparation = RecordPreparation(
                    reader: reader, imageSize: imageSize, interpolation: settings.interpolation, limits: settings.imageLimits,
                    maxLineBytes: settings.maxLineBytes)
                pipeline.work(preparation.prepare)
            }
        }
        threads.start("reader") { input.run(into: pipeline, sliceLimit: sliceLimit, maxLineBytes: settings.maxLineBytes, wake: wake) }
    }
}
