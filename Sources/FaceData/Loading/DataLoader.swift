// Images ahead of the network: worker threads decode, resize and normalise a bounded number of batches in advance, then sleep and
// leave the cores to the network.
import Foundation
import TensorCore

/// Loads batches in a given order. Results do not depend on the number of workers.
///
/// An image that cannot be decoded is left out of its batch and logged; nothing takes its place. A batch that loses all its images
/// is passed over.
public final class DataLoader {
    public let samples: [FaceSample]
    public let transform: FaceTransform
    public let badImages: BadImageLog
    /// Seconds that callers of `next()` have waited for images, over all sequences.
    public fileprivate(set) var secondsWaited = 0.0

    fileprivate let pool: LoaderPool
    private let prefetch: Int
    private let maxErrors: Int?
    /// Why no batch can be loaded: a packed file of another image size or of images that were read otherwise.
    fileprivate let mismatch: DatasetError?

    /// - `workers`: threads, at least 1.
    /// - `prefetch`: batches in memory beyond the one in use, at least 1.
    /// - `cacheBytes`: memory for resized 8-bit pixels, so that later epochs do not decode; 0 keeps none.
    /// - `maxErrors`: more refused files than this make `next()` throw; nil allows any number.
    public init(
        samples: [FaceSample], transform: FaceTransform, workers: Int = 2, prefetch: Int = 3, cacheBytes: Int = 0,
        badImages: BadImageLog = BadImageLog(), limits: ImageLimits = ImageLimits(), maxErrors: Int? = nil
    ) {
        self.samples = samples
        self.transform = transform
        self.badImages = badImages
        self.prefetch = max(1, prefetch)
        self.maxErrors = maxErrors
        do throws(DatasetError) {
            try samples.first?.packed?.images.require(
                imageSize: transform.imageSize, interpolation: transform.interpolation, limits: limits)
            mismatch = nil
        } catch { mismatch = error }
        pool = LoaderPool(
            samples: samples, transform: transform, limits: limits, workers: max(1, workers), cacheBytes: cacheBytes)
        pool.start()
    }

    deinit { pool.stop() }

    /// Batches in the order of `order`, whose elements are lists of positions in `samples`.
    ///
    /// - Parameters:
    ///   - order: the samples of each batch.
    ///   - change: is applied to each image, by the loader's threads.
    public func batches(_ order: [[Int]], change: ImageChange? = nil) -> BatchSequence {
        let largest = order.reduce(1) { max($0, $1.count) } * transform.byteCount * MemoryLayout<Float>.size
        return BatchSequence(
            loader: self, order: order, prefetch: min(prefetch, max(1, Self.prefetchBytes / largest)), change: change)
    }

    /// Batches of large images are prefetched less far: one ahead is enough to work on while the network computes. Units: bytes.
    private static let prefetchBytes = 256 << 20

    fileprivate func finish(_ slot: LoaderSlot) throws -> Batch? {
        let clock = ContinuousClock()
        let start = clock.now
        let refused = slot.wait()
        let waited = (clock.now - start).components
        secondsWaited += Double(waited.seconds) + Double(waited.attoseconds) * 1e-18

        for (_, error) in refused.sorted(by: { $0.key < $1.key }) {
            badImages.add(error)
            if let maxErrors, badImages.count > maxErrors {
                throw TooManyBadImages(count: badImages.count, limit: maxErrors, last: error)
            }
        }
        for (_, warning) in slot.warnings.sorted(by: { $0.key < $1.key }) { badImages.add(warning) }
        let kept = slot.indices.indices.filter { refused[$0] == nil }
        if kept.isEmpty { return nil }
        let indices = kept.map { slot.indices[$0] }
        return Batch(
            images: compacted(slot.images, kept), labels: indices.map { samples[$0].label.map(Float.init) ?? .nan },
            groups: indices.map { samples[$0].group }, indices: indices)
    }

    /// Moves the images that are left together.
    private func compacted(_ images: Tensor, _ kept: [Int]) -> Tensor {
        guard kept.count < images.shape[0] else { return images }
        let size = transform.imageSize
        withExtendedLifetime(images.storage) {
            for (to, from) in kept.enumerated() where to != from {
                (images.pointer + to * transform.byteCount).update(from: images.pointer + from * transform.byteCount, count: transform.byteCount)
            }
        }
        return images.view(offset: 0, Shape(kept.count, size, size, 3))
    }
}

/// The batches of one epoch. Not Sendable.
public final class BatchSequence {
    private let loader: DataLoader
    private let order: [[Int]]
    private let prefetch: Int
    private let change: ImageChange?
    private var queued = 0
    /// Batches of the order that `next()` is done with, those without any image included.
    public private(set) var position = 0
    private var slots: [LoaderSlot] = []

    init(loader: DataLoader, order: [[Int]], prefetch: Int, change: ImageChange?) {
        self.loader = loader
        self.order = order.filter { !$0.isEmpty }
        self.prefetch = prefetch
        self.change = change
        if loader.mismatch == nil { fill() }
    }

    /// The next batch, nil after the last. Errors: ``TooManyBadImages``; ``DatasetError`` where a packed file does not fit.
    public func next() throws -> Batch? {
        if let mismatch = loader.mismatch { throw mismatch }
        while !slots.isEmpty {
            let slot = slots.removeFirst()
            position += 1
            fill()
            if let batch = try loader.finish(slot) { return batch }
        }
        return nil
    }

    private func fill() {
        while slots.count < prefetch && queued < order.count {
            slots.append(loader.pool.load(order[queued], change: change))
            queued += 1
        }
    }
}
