// What a run tells its caller while it goes on.

public enum TrainingEvent: Sendable {
    /// Something worth a line: where a run resumes, why it stops.
    case note(String)
    /// After a batch. `images` and `of` count within the epoch; loss is the mean so far, gap this batch's after the method.
    case progress(epoch: Int, epochs: Int, images: Int, of: Int, loss: Double, gap: Double, imagesPerSecond: Double)
    case epoch(EpochRow, epochs: Int, isBest: Bool)
}

/// How a run ended.
public struct TrainingResult: Sendable {
    public let status: RunRecord.Status
    public let epochs: Int
    public let bestEpoch: Int
    public let bestValidLoss: Double?
    public let badImages: Int
}
