// The network's stage: collects prepared records into batches, tells replays from new records, and runs the network.
import Fairness
import Foundation

/// Not Sendable: it belongs to the network thread.
final class BatchForming {
    private let settings: StreamSettings
    private let predict: ([[UInt8]]) -> [Double]
    private var index: ReplayIndex
    private var nextSequence: Int
    /// Records of the input so far, for replays by position.
    private var position: Int
    /// Places whose transient failure may be tried again, as the fairness stage finds them.
    private let retries: Monitor<[ReplayPlace]>

    private var entries: [Entry] = []
    private var inputs = 0, fresh = 0

    private enum Entry {
        case new(PreparedRecord, sequence: Int, place: ReplayPlace?)
        case replay(sequence: Int?, id: JSONValue, place: ReplayPlace)
    }

    init(
        settings: StreamSettings, index: ReplayIndex, nextSequence: Int, retries: Monitor<[ReplayPlace]>, predict: @escaping ([[UInt8]]) -> [Double]
    ) {
        self.settings = settings
        self.index = index
        self.nextSequence = nextSequence
        self.retries = retries
        self.predict = predict
        if case .position(_, let first) = settings.identity { position = first } else { position = 0 }
    }

    /// Runs until the input ends or the stream is stopped. `emit` is false when nobody wants more.
    func run(_ pipeline: RecordPipeline, emit: (StreamBatch) -> Bool) -> Result<StreamingInference.Ending, FileError> {
        var deadline: Deadline?
        var wanted = true
        func close() {
            deadline = nil
            guard !entries.isEmpty, wanted else { return }
            wanted = emit(batch())
        }
        while wanted {
            switch pipeline.next(deadline: deadline) {
            case .records(let records):
                for record in records where wanted {
                    add(record)
                    if deadline == nil, let delay = settings.maxDelay { deadline = Deadline(after: delay) }
                    if isFull { close() }
                }
            case .idle: close()
            case .end:
                close()
                return .success(.endOfInput)
            case .stopped:
                close()
                return .success(.stopped)
            case .failed(let error):
                close()
                return .failure(error)
            }
        }
        return .success(.stopped)
    }

    /// Broken records do not fill a batch, but many of them must not hold back the answers either; nor do replays.
    private var isFull: Bool {
        inputs == settings.batchSize || fresh == 4 * settings.batchSize
            || entries.count >= (fresh == 0 ? settings.batchSize : 8 * settings.batchSize)
    }

    private func add(_ record: PreparedRecord) {
        var place = record.place
        if case .position(let source, _) = settings.identity {
            place = ReplayPlace(source: source, mark: .offset(position))
            position += 1
        }
        guard let place else { return addNew(record, place: nil) }
        switch index.find(place) {
        case .new: addNew(record, place: place)
        case .replay(let sequence): entries.append(.replay(sequence: sequence, id: record.id, place: place))
        case .gone: entries.append(.replay(sequence: nil, id: record.id, place: place))
        }
    }

    private func addNew(_ record: PreparedRecord, place: ReplayPlace?) {
        if let place { index.add(place, sequence: nextSequence) }
        entries.append(.new(record, sequence: nextSequence, place: place))
        nextSequence += 1
        fresh += 1
        if case .success = record.content { inputs += 1 }
    }

    /// Runs the network on what was collected and starts a new collection.
    private func batch() -> StreamBatch {
        var pixels: [[UInt8]] = []
        for case .new(let record, _, _) in entries {
            if case .success(let content) = record.content, case .pixels(let image) = content.input { pixels.append(image) }
        }
        let logits = pixels.isEmpty ? [] : predict(pixels)
        var used = 0
        let scored = entries.map { entry -> StreamBatch.Entry in
            switch entry {
            case .replay(let sequence, let id, let place): return .replay(sequence: sequence, id: id, place: place)
            case .new(let record, let sequence, let place):
                let result: Result<Double, RecordError>
                var group = unknownGroup
                var label: Int?
                var warnings = 0
                switch record.content {
                case .failure(let error): result = .failure(error)
                case .success(let content):
                    (group, label, warnings) = (content.group, content.label, content.imageWarnings)
                    let logit: Double
                    switch content.input {
                    case .logit(let given): logit = given
                    case .pixels:
                        logit = logits[used]
                        used += 1
                    }
                    result =
                        abs(logit) <= largestScore  // false for NaN
                        ? .success(logit) : .failure(RecordError(.internalError, "the network's logit is \(logit), not a finite number"))
                }
                return .new(
                    ScoredRecord(
                        sequence: sequence, id: record.id, place: place, group: group, label: label, imageWarnings: warnings, logit: result))
            }
        }
        entries.removeAll(keepingCapacity: true)
        (inputs, fresh) = (0, 0)
        let again = retries.update { waiting in
            defer { waiting = [] }
            return waiting
        }
        if !again.isEmpty { index.allowRetry(again) }
        return StreamBatch(entries: scored)
    }
}
