// The last stage before answers leave: one step of the online algorithm per batch, and the answers as text.
import Fairness

/// Not Sendable: it belongs to the fairness thread while the stream runs.
final class FairnessStage {
    private(set) var online: OnlineFairness
    /// This run's figures, and those of the whole durable stream.
    private(set) var summary: StreamSummary
    private(set) var totals: StreamSummary
    private(set) var replayed = 0

    private let settings: StreamSettings
    private let writer: RecordWriter
    private let state: StreamState?
    private let retries: Monitor<[ReplayPlace]>
    /// Answers that may not be on disk yet, oldest first.
    private var recent: [KeptAnswers] = []
    /// More batches than can be on their way to the disk.
    private let recentLimit: Int
    /// The batch of the last replay, as lines: replays come in order.
    private var opened: (kept: KeptAnswers, lines: [ArraySlice<UInt8>])?

    init(
        online: OnlineFairness, totals: StreamSummary, settings: StreamSettings, writer: RecordWriter, state: StreamState?,
        retries: Monitor<[ReplayPlace]>, batchesUnderWay: Int
    ) {
        self.online = online
        self.totals = totals
        self.settings = settings
        self.writer = writer
        self.state = state
        self.retries = retries
        summary = StreamSummary(groupCount: totals.raw.groupCount)
        recentLimit = batchesUnderWay
    }

    /// Errors: ``StateError`` when a kept answer cannot be read.
    func process(_ batch: StreamBatch) throws -> AnsweredBatch {
        var records: [ScoredRecord] = []
        for case .new(let record) in batch.entries { records.append(record) }
        let answers = step(records)

        var head = JSONWriter()
        var ends: [Int] = []
        for answer in answers {
            writer.writeHead(answer, to: &head)
            ends.append(head.bytes.count)
            head.newline()
        }
        let tail = answers.lazy.compactMap { try? $0.result.get() }.first.map(writer.tail) ?? []
        let kept = keep(records, answers, heads: head.bytes, tail: tail)

        var lines: [UInt8] = []
        lines.reserveCapacity(head.bytes.count + answers.count * tail.count)
        var next = 0, start = 0
        for entry in batch.entries {
            switch entry {
            case .new:
                lines += head.bytes[start..<ends[next]]
                if case .success = answers[next].result { lines += tail }
                start = ends[next] + 1
                next += 1
            case .replay(let sequence, let id, let place):
                lines += try answer(again: sequence, id, place)
            }
            lines.append(0x0A)
        }
        return AnsweredBatch(answers: answers, lines: lines, durable: records.isEmpty ? nil : durable(records, kept))
    }

    /// One step of the algorithm on the records that have a logit; one answer per record.
    private func step(_ records: [ScoredRecord]) -> [RecordAnswer] {
        guard !records.isEmpty else { return [] }
        var raw: [Double] = [], groups: [Int] = []
        for record in records {
            guard case .success(let logit) = record.logit else { continue }
            raw.append(logit)
            groups.append(record.group)
        }
        var result: Result<OnlineStep, RecordError>?
        if !raw.isEmpty {
            do { result = .success(try online.process(raw, groups: groups)) } catch {
                result = .failure(RecordError(.internalError, "\(error)"))
            }
        }
        var used = 0
        let answers = records.map { record -> RecordAnswer in
            let outcome: Result<RecordAnswer.Score, RecordError>
            switch (record.logit, result) {
            case (.failure(let error), _), (_, .failure(let error)?): outcome = .failure(error)
            case (.success(let logit), .success(let step)?):
                outcome = .success(
                    .init(logit: step.scores[used], rawLogit: logit, imageWarnings: record.imageWarnings, group: record.group, step: step))
                used += 1
            case (.success, nil): preconditionFailure("a logit without a step")
            }
            return RecordAnswer(sequence: record.sequence, id: record.id, result: outcome)
        }
        func count(_ summary: inout StreamSummary) {
            if case .success(let step)? = result { summary.add(step, raw: raw, groups: groups) }
            summary.batches += 1
            for (record, answer) in zip(records, answers) {
                switch answer.result {
                case .success(let score): summary.count(score, label: record.label, threshold: settings.threshold)
                case .failure(let error): summary.failures[error.code.rawValue, default: 0] += 1
                }
            }
        }
        count(&summary)
        if state != nil { count(&totals) }
        return answers
    }

    // MARK: Durable streams

    private func keep(_ records: [ScoredRecord], _ answers: [RecordAnswer], heads: [UInt8], tail: [UInt8]) -> KeptAnswers? {
        guard state != nil, settings.identity != .none, settings.replayWindow > 0, let first = records.first else { return nil }
        var places: [UInt8] = []
        var again: [ReplayPlace] = []
        for (record, answer) in zip(records, answers) {
            var retryable = false
            if case .failure(let error) = answer.result { retryable = error.code.isRetryable }
            if let place = record.place {
                if retryable { again.append(place) }
                place.encode(to: &places, retryable: retryable)
            }
            places.append(0x0A)
        }
        if !again.isEmpty { retries.update { $0 += again } }
        let kept = KeptAnswers(firstSequence: first.sequence, count: records.count, heads: heads, tail: tail, places: places)
        recent.append(kept)
        if recent.count > 2 * recentLimit { recent.removeFirst(recent.count - recentLimit) }
        return kept
    }

    private func durable(_ records: [ScoredRecord], _ kept: KeptAnswers?) -> DurableBatch? {
        guard state != nil else { return nil }
        var sources: [String: SourceCount] = [:]
        for case let place? in records.lazy.map(\.place) {
            sources[place.source, default: SourceCount()].records += 1
            if case .offset(let offset) = place.mark {
                sources[place.source]!.lastOffset = max(offset, sources[place.source]!.lastOffset ?? offset)
            }
        }
        return DurableBatch(kept: kept, online: online, totals: totals, nextSequence: records.last!.sequence + 1, sources: sources)
    }

    /// The line that was the answer to the record when it came first.
    private func answer(again sequence: Int?, _ id: JSONValue, _ place: ReplayPlace) throws -> [UInt8] {
        if let sequence, let line = try keptLine(sequence) {
            var start = JSONWriter()
            start.open()
            RecordWriter.writeStart(sequence, id, to: &start)
            if line.starts(with: start.bytes) && line[start.bytes.count] == UInt8(ascii: ",") {
                replayed += 1
                return line
            }
            return refusal(sequence, id, "\(place) was counted before with another id, so this is another record under the same place")
        }
        return refusal(
            sequence, id,
            "\(place) was counted before, and its answer is no longer kept: the last \(settings.replayWindow) are (--replay-window), and offsets rise")
    }

    private func keptLine(_ sequence: Int) throws -> [UInt8]? {
        if opened.map({ $0.kept.holds(sequence) }) != true {
            opened = try (recent.last { $0.holds(sequence) } ?? state?.answers(holding: sequence)).map {
                ($0, $0.heads.split(separator: 0x0A, omittingEmptySubsequences: false))
            }
        }
        guard let opened, opened.kept.holds(sequence) else { return nil }
        let head = opened.lines[sequence - opened.kept.firstSequence]
        // The head of a score lacks the end of its object.
        return head.last == UInt8(ascii: "}") ? Array(head) : Array(head) + opened.kept.tail
    }

    private func refusal(_ sequence: Int?, _ id: JSONValue, _ message: String) -> [UInt8] {
        summary.failures[RecordErrorCode.replayInvalid.rawValue, default: 0] += 1
        var writer = JSONWriter()
        writer.open()
        RecordWriter.writeStart(sequence, id, to: &writer)
        RecordWriter.writeEnd(RecordError(.replayInvalid, message), to: &writer)
        return writer.bytes
    }
}

extension KeptAnswers {
    fileprivate func holds(_ sequence: Int) -> Bool { sequence >= firstSequence && sequence < firstSequence + count }
}

extension ReplayPlace {
    /// One field each for retry mark, kind, mark and source; JSON strings hold neither tabs nor line ends.
    func encode(to bytes: inout [UInt8], retryable: Bool) {
        bytes.append(UInt8(ascii: retryable ? "r" : "-"))
        switch mark {
        case .offset(let offset):
            bytes.append(UInt8(ascii: "o"))
            bytes += "\(offset)".utf8
        case .id(let text):
            bytes.append(UInt8(ascii: "i"))
            bytes += text.utf8
        }
        bytes.append(0x09)
        var writer = JSONWriter()
        writer.field(nil, source)
        bytes += writer.bytes
    }

    /// Errors: nil for what ``encode(to:retryable:)`` does not write.
    init?(decoding line: ArraySlice<UInt8>, retryable: inout Bool) {
        guard let tab = line.firstIndex(of: 0x09), tab >= line.startIndex + 3,
            case .string(let source)? = try? JSONValue.parse(String(decoding: line[(tab + 1)...], as: UTF8.self))
        else { return nil }
        retryable = line.first == UInt8(ascii: "r")
        let text = String(decoding: line[(line.startIndex + 2)..<tab], as: UTF8.self)
        switch line[line.startIndex + 1] {
        case UInt8(ascii: "o"):
            guard let offset = Int(text) else { return nil }
            self.init(source: source, mark: .offset(offset))
        case UInt8(ascii: "i"): self.init(source: source, mark: .id(text))
        default: return nil
        }
    }
}
