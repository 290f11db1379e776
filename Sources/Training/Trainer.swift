// The training loop: epochs of batches, validation, schedule, checkpoints. It knows no method by name.
import FaceData
import Fairness
import Foundation
import Inference
import NeuralNetwork
import TensorCore

/// One run in one folder.
///
/// The result depends on configuration and data only, not on threads, workers or interruptions: a run that is stopped and
/// resumed writes the same model bytes as one that is not.
public final class Trainer {
    /// What may differ between machines without changing the result.
    public struct Resources: Sendable {
        public var workers = 2
        /// Memory for decoded images, so that only the first epoch decodes. Units: bytes.
        public var cacheBytes = 2 << 30
        /// Refused images that are tolerated.
        public var maxErrors: Int?
        /// Every so many epochs a numbered model file is kept, the newest `checkpointHistory` of them; 0 keeps none.
        public var savePeriod = 0
        public var checkpointHistory = 10
        /// Batches between two rows of the metric files.
        public var logInterval = 50
        /// Seconds after which the resume file is written within an epoch, too.
        public var saveInterval = 300.0

        public init() {}
    }

    public let configuration: TrainingConfiguration
    private let dataset: FaceDataset
    private let folder: RunFolder
    private let resources: Resources
    /// What config.yaml is to hold.
    private let flags: String?
    private let model: FaceClassifier
    private let optimizer: any Optimizer
    private var method: any FairnessMethod
    private var state: TrainerState
    private var history = RunHistory()
    private var record: RunRecord
    private let trainLoader: DataLoader
    private let validLoader: DataLoader
    private let badImages = BadImageLog()
    private var metrics: MetricsLog?

    /// Builds the network and the loaders.
    ///
    /// Errors: ``TrainingError/noSamples(_:)``, ``TrainingError/invalidConfiguration(_:)``, or `CheckpointError` for the initial weights.
    public init(
        _ configuration: TrainingConfiguration, dataset: FaceDataset, folder: RunFolder, resources: Resources = Resources(),
        command: [String] = [], flags: String? = nil
    ) throws {
        try configuration.validate()
        let train = dataset.samples(.train), valid = dataset.samples(.valid)
        for (split, samples) in [("training", train), ("validation", valid)] where samples.isEmpty {
            throw TrainingError.noSamples("\(dataset.root.path): the \(split) split of \(dataset.name) is empty")
        }
        guard train.count >= 2 else { throw TrainingError.noSamples("\(dataset.root.path): one training sample is not enough") }
        let configuration = configuration.describing(dataset)
        self.configuration = configuration
        self.dataset = dataset
        self.folder = folder
        self.resources = resources
        self.flags = flags

        let random = RandomSource(seed: configuration.seed)
        let baseRate = dataset.baseRate(.train) ?? 0.5
        model = FaceClassifier(
            ClassifierConfiguration(backbone: configuration.model, dropout: configuration.dropout, baseRate: baseRate),
            random: random.fork(1))
        if let weights = configuration.weights { try Checkpoint.loadWeights(model, from: URL(fileURLWithPath: weights)) }
        optimizer = configuration.makeOptimizer(model.store)
        method = try configuration.makeMethod(
            SensitiveFeatures(dataset.features.map { .init(name: $0.name, values: $0.values) }))
        state = TrainerState(
            learningRates: [:],
            plateau: ReduceLROnPlateau(minimum: configuration.minimumLearningRate),
            earlyStopping: EarlyStopping(
                patience: configuration.patience, higherIsBetter: configuration.evaluationMetric.higherIsBetter), dropout: model.dropoutRandom)

        let transform = FaceTransform(
            imageSize: configuration.imageSize, interpolation: configuration.interpolation, mean: configuration.mean, std: configuration.std)
        trainLoader = DataLoader(
            samples: train, transform: transform, workers: resources.workers, cacheBytes: resources.cacheBytes / 10 * 9,
            badImages: badImages, limits: configuration.images, maxErrors: resources.maxErrors)
        validLoader = DataLoader(
            samples: valid, transform: transform, workers: resources.workers, cacheBytes: resources.cacheBytes / 10,
            badImages: badImages, limits: configuration.images, maxErrors: resources.maxErrors)

        var groups: [String: Int] = [:]
        for sample in train { groups[dataset.groupLabel(sample.group), default: 0] += 1 }
        record = RunRecord(
            configuration: configuration,
            data: .init(
                root: dataset.root.path, synthetic: dataset.isSynthetic, train: train.count, valid: valid.count,
                test: dataset.samples(.test).count, groups: groups, baseRate: baseRate),
            command: command, threads: Threads.count, workers: resources.workers, parameters: model.store.values.count,
            startedAt: timestamp())
    }

    /// Trains until the last epoch, early stopping, or `shouldStop`.
    ///
    /// - `resuming`: go on from the folder's resume file instead of starting anew.
    /// - `replacing`: a run in the folder may be overwritten.
    /// - `shouldStop`: asked after every batch; the run is then saved where it stands, to go on from that batch.
    public func run(
        resuming: Bool = false, replacing: Bool = false, shouldStop: () -> Bool = { false },
        report: (TrainingEvent) -> Void = { _ in }
    ) throws -> TrainingResult {
        if resuming {
            try resume(report)
        } else {
            try folder.create(replacing: replacing)
            if let flags { try AtomicFile.write(Data(flags.utf8), to: folder.flags) }
            try saveResume()
        }
        metrics = try MetricsLog(folder, through: resuming ? state.step : nil)
        record.status = .running
        try folder.write(record)
        defer { if !badImages.entries.isEmpty { try? badImages.write(to: folder.badImages) } }  // also where an error ends the run

        var status = RunRecord.Status.finished
        while state.epoch < configuration.epochs, !state.earlyStopping.shouldStop {
            let epoch = state.epoch + 1
            guard var row = try trainOneEpoch(epoch, shouldStop: shouldStop, report: report) else {
                status = .interrupted
                break
            }
            try validate(into: &row)
            try finish(row, report)
        }
        if state.earlyStopping.shouldStop, status == .finished {
            report(.note("no better validation \(configuration.evaluationMetric.rawValue) in \(configuration.patience) epochs, stopping after epoch \(state.epoch)"))
        }
        if badImages.warningCount > 0 {
            report(.note("\(badImages.warningCount) images were accepted with decoder warnings (--lenient-images); see \(folder.badImages.path)"))
        }
        return try close(status)
    }

    // MARK: One epoch

    /// nil if stopped on the way.
    private func trainOneEpoch(
        _ epoch: Int, shouldStop: () -> Bool, report: (TrainingEvent) -> Void
    ) throws -> EpochRow? {
        method.beginEpoch()
        var tally = EpochTally()
        var skipped = 0
        if let unfinished = state.unfinished {
            (tally, skipped) = (unfinished.tally, unfinished.batches)
            if let progress = unfinished.method { try method.restore(progress) }
            state.unfinished = nil
        }
        for (group, base) in configuration.baseRates {
            if let rate = configuration.rateSchedule.rate(base: base, epoch: epoch) { optimizer.learningRates[group] = rate }
        }
        let sampler = StratifiedBatchSampler(
            groups: trainLoader.samples.map(\.group), batchSize: configuration.batchSize,
            random: RandomSource(seed: configuration.seed).fork(2))
        let batches = trainLoader.batches(
            Array(sampler.epoch(epoch).dropFirst(skipped)),
            change: configuration.augmentation.change(
                transform: trainLoader.transform, epoch: epoch, random: RandomSource(seed: configuration.seed).fork(3)))
        var lastSave = ContinuousClock.now
        while let batch = try tally.time(\.data, { try batches.next() }) {
            if batch.count >= 2 { try step(batch, &tally) }  // batch norm needs two
            try logStep(epoch, tally)
            let stops = shouldStop()
            if stops || (ContinuousClock.now - lastSave) / .seconds(1) >= resources.saveInterval {
                state.unfinished = .init(batches: skipped + batches.position, tally: tally, method: method.progress)
                try saveResume()
                state.unfinished = nil
                lastSave = .now
            }
            if stops { return nil }
            report(
                .progress(
                    epoch: epoch, epochs: configuration.epochs, images: tally.images, of: trainLoader.samples.count,
                    loss: tally.meanLoss, gap: tally.lastGap, imagesPerSecond: tally.imagesPerSecond))
        }
        guard tally.images > 0 else { throw TrainingError.noSamples("no training image could be decoded; see bad_images.jsonl") }
        return tally.row(epoch: epoch, step: state.step, learningRate: optimizer.learningRates[.head]!, multiplier: method.multiplier)
    }

    private func step(_ batch: Batch, _ tally: inout EpochTally) throws {
        model.store.zeroGradients()
        let logits = tally.time(\.network) { model.forward(batch.images, .training).map(Double.init) }
        guard logits.allSatisfy(\.isFinite) else { throw notFinite(batch) }
        let objective = try tally.time(\.fairness) {
            try method.objective(logits, labels: batch.labels, groups: batch.groups)
        }
        guard objective.loss.isFinite else { throw notFinite(batch) }
        tally.time(\.network) {
            model.backward(objective.gradient.map { Float($0) })
            if configuration.clipNorm > 0 { GradientClipping.clip(model.store, maxNorm: configuration.clipNorm) }
            optimizer.update()
        }
        state.step += 1
        tally.add(objective, labels: batch.labels)
    }

    private func logStep(_ epoch: Int, _ tally: EpochTally) throws {
        guard state.step > 0, state.step % resources.logInterval == 0 else { return }
        try metrics?.step(
            epoch: epoch, step: state.step, learningRate: optimizer.learningRates[.head]!, loss: tally.lastLoss, gap: tally.lastGap,
            multiplier: method.multiplier, imagesPerSecond: tally.imagesPerSecond)
    }

    private func notFinite(_ batch: Batch) -> TrainingError {
        var counts = [Int](repeating: 0, count: dataset.groupCount)
        for group in batch.groups where group != unknownGroup { counts[group] += 1 }
        return .notFinite(step: state.step + 1, files: batch.indices.map { trainLoader.samples[$0].name }, groupCounts: counts)
    }

    private func validate(into row: inout EpochRow) throws {
        let raw = try Evaluator.predict(validLoader, batchSize: configuration.batchSize) {
            model.forward($0, .inference).map(Double.init)
        }
        guard !raw.scores.isEmpty else { throw TrainingError.noSamples("no validation image could be decoded; see bad_images.jsonl") }
        let fair = try method.postprocessor.apply(raw)
        let frame = MetricFrame(fair, groupCount: dataset.groupCount)
        row.validLoss = (frame.overall(.bce).value ?? .nan) + (try method.validationPenalty(raw))
        row.validAccuracy = frame.overall(.accuracy).value ?? .nan
        row.validBalancedAccuracy = frame.overall(.balancedAccuracy).value
        row.validWorstGroupAccuracy = frame.groupMin(.accuracy).value
        row.validGapRaw = MetricFrame(raw, groupCount: dataset.groupCount).meanLogitGap.value ?? 0
        row.validGap = frame.meanLogitGap.value ?? 0
        row.validDecisionGap = frame.demographicParityDifference.value
    }

    /// Schedule, best model, files: in an order in which a crash loses no finished epoch.
    private func finish(_ row: EpochRow, _ report: (TrainingEvent) -> Void) throws {
        let isBest = state.earlyStopping.isBest(row.value(of: configuration.evaluationMetric), epoch: row.epoch)
        if isBest { state.bestValidLoss = row.validLoss }
        if configuration.schedule == .plateau, row.epoch > configuration.warmupEpochs { _ = state.plateau.step(row.validLoss, optimizer: optimizer) }
        state.epoch = row.epoch
        history.append(row)
        if isBest { try Checkpoint.save(model, metadata: metadata(epoch: row.epoch), to: folder.best) }
        try Checkpoint.save(model, metadata: metadata(epoch: row.epoch), to: folder.last)
        if resources.savePeriod > 0, row.epoch % resources.savePeriod == 0 {
            try Checkpoint.save(model, metadata: metadata(epoch: row.epoch), to: folder.numbered(row.epoch))
            folder.pruneNumbered(keeping: resources.checkpointHistory)
        }
        try metrics?.epoch(row)
        try AtomicFile.write(Data(history.text.utf8), to: folder.history)
        try saveResume()
        record.epochsRun = row.epoch
        record.bestEpoch = state.earlyStopping.bestEpoch
        record.bestValidLoss = state.bestValidLoss
        record.bestEvaluationMetric = state.earlyStopping.best
        try folder.write(record)
        report(.epoch(row, epochs: configuration.epochs, isBest: isBest))
    }

    private func close(_ status: RunRecord.Status) throws -> TrainingResult {
        record.status = status
        record.finishedAt = timestamp()
        record.badImages = badImages.count
        try folder.write(record)
        return TrainingResult(
            status: status, epochs: state.epoch, bestEpoch: state.earlyStopping.bestEpoch,
            bestValidLoss: state.bestValidLoss, badImages: badImages.count)
    }

    // MARK: Saving and resuming

    private func saveResume() throws {
        state.dropout = model.dropoutRandom
        state.learningRates = Dictionary(uniqueKeysWithValues: optimizer.learningRates.map { ($0.key.rawValue, $0.value) })
        try Checkpoint.saveResume(
            model, optimizer: optimizer, metadata: metadata(epoch: state.epoch), trainerState: state.encoded(), to: folder.resume)
    }

    private func resume(_ report: (TrainingEvent) -> Void) throws {
        let earlier = try folder.readRecord()
        var comparable = earlier.configuration
        comparable.epochs = configuration.epochs
        guard comparable == configuration else {
            throw TrainingError.cannotResume(
                "\(folder.url.path): the run was started with other settings (only --epochs may change); see its run.json")
        }
        guard earlier.data.train == record.data.train, earlier.data.groups == record.data.groups else {
            throw TrainingError.cannotResume("\(folder.url.path): the run was started on other data: \(earlier.data.root)")
        }
        let text = try Checkpoint.loadResume(model, optimizer: optimizer, from: folder.resume).trainerState
        state = try TrainerState.decode(text, file: folder.resume.path)
        for (name, rate) in state.learningRates {
            if let group = ParameterGroup(rawValue: name) { optimizer.learningRates[group] = rate }
        }
        optimizer.step = state.step
        model.dropoutRandom = state.dropout
        history = RunHistory.read(folder.history, through: state.epoch)
        record.startedAt = earlier.startedAt
        record.epochsRun = state.epoch
        let place = state.unfinished.map { "epoch \(state.epoch), batch \($0.batches)" } ?? "epoch \(state.epoch)"
        report(.note("resuming \(folder.url.path) after \(place)"))
    }

    private func metadata(epoch: Int) -> ModelMetadata {
        ModelMetadata(
            classifier: model.configuration, imageSize: configuration.imageSize, mean: configuration.mean,
            std: configuration.std, interpolation: configuration.interpolation, fastDecode: configuration.images.fastDecode,
            dataset: dataset.name, synthetic: dataset.isSynthetic, target: dataset.target,
            features: dataset.features.map { FeatureDeclaration(name: $0.name, values: $0.values) },
            method: configuration.method.rawValue, criterion: configuration.criterion.rawValue,
            criterionDetails: configuration.criterionDetails.map(CriterionDeclaration.init), epsilon: configuration.epsilon,
            batchThreshold: configuration.batchThreshold, eta0: configuration.eta0,
            pairPenalty: configuration.pairPenalty.rawValue, seed: configuration.seed, epoch: epoch)
    }
}

extension TrainingConfiguration {
    var baseRates: [ParameterGroup: Double] { [.backbone: backboneLearningRate, .head: learningRate] }

    var rateSchedule: LearningRateSchedule {
        LearningRateSchedule(
            schedule, epochs: epochs, warmupEpochs: warmupEpochs, stepSize: stepSize, gamma: gamma, minimum: minimumLearningRate)
    }

    func makeOptimizer(_ store: ParameterStore) -> any Optimizer {
        switch optimizer {
        case .adamw: AdamW(store, learningRates: baseRates, weightDecay: weightDecay)
        case .adam: AdamW(store, learningRates: baseRates, weightDecay: weightDecay, mode: .coupled)
        case .sgd: SGD(store, learningRates: baseRates, momentum: momentum, weightDecay: weightDecay)
        }
    }
}

private func timestamp() -> String { Date().formatted(.iso8601) }
