// The worker threads of a data loader and what they share: a queue of samples to load and one slot per batch under way.
import Foundation
import Synchronization
import TensorCore

/// A batch being filled. Each image has its own stretch of the tensor, so workers write without a lock.
final class LoaderSlot: Sendable {
    let indices: [Int]
    // The tensor is not Sendable. Workers write disjoint images of it, and the consumer reads it only after `done` was signalled as
    // often as there are tasks.
    nonisolated(unsafe) let images: Tensor
    /// Changes an image after it is normalised.
    let change: ImageChange?
    private let refused = Mutex<[Int: ImageError]>([:])
    private let accepted = Mutex<[Int: ImageWarning]>([:])
    private let left: Mutex<Int>
    private let done = DispatchSemaphore(value: 0)

    init(indices: [Int], shape: Shape, tasks: Int, change: ImageChange?) {
        self.indices = indices
        self.change = change
        images = Tensor(shape)
        left = Mutex(tasks)
    }

    /// The memory as 8-bit pixels.
    var bytes: UnsafeMutablePointer<UInt8> { UnsafeMutableRawPointer(images.pointer).assumingMemoryBound(to: UInt8.self) }

    func refuse(_ position: Int, _ error: ImageError) { refused.withLock { $0[position] = error } }

    func warn(_ position: Int, _ warning: ImageWarning?) {
        if let warning { accepted.withLock { $0[position] = warning } }
    }

    /// Of images that a lenient decoder accepted, by position in the batch; whole after `wait()`.
    var warnings: [Int: ImageWarning] { accepted.withLock { $0 } }

    func finishTask() {
        let isLast = left.withLock { left in
            left -= 1
            return left == 0
        }
        if isLast { done.signal() }
    }

    /// Waits until every image is loaded or refused; errors by position in the batch. Call once.
    func wait() -> [Int: ImageError] {
        done.wait()
        return refused.withLock { $0 }
    }
}

/// Changes one normalised image in place, on a loader's thread; gets the sample's position in the loader's list. Must depend on
/// nothing else, or batches would depend on timing. Shape: [imageSize, imageSize, 3].
public typealias ImageChange = @Sendable (_ pixels: UnsafeMutableBufferPointer<Float>, _ sample: Int) -> Void

/// What a slot's memory gets.
enum LoaderOutput {
    /// Normalised values, image after image.
    case values
    /// Resized 8-bit pixels, image after image, in the same memory.
    case bytes
}

/// Shared by the loader and its threads; lives until the last of them lets go.
final class LoaderPool: Sendable {
    /// A stretch of one batch: small enough that workers finish a batch together, large enough that the queue costs nothing.
    private struct Task {
        let slot: LoaderSlot
        let positions: Range<Int>
    }

    private struct Queue {
        var tasks: [Task] = []
        var next = 0
        var isStopped = false
    }

    private static let samplesPerTask = 8

    private let samples: [FaceSample]
    private let transform: FaceTransform
    private let limits: ImageLimits
    private let output: LoaderOutput
    private let cache: PixelCache
    /// Samples refused before: they stay refused for the loader's life, so that epochs agree.
    private let refused = Mutex<[Int: ImageError]>([:])
    private let queue = Mutex(Queue())
    private let available = DispatchSemaphore(value: 0)
    let workerCount: Int

    init(
        samples: [FaceSample], transform: FaceTransform, limits: ImageLimits, workers: Int, cacheBytes: Int,
        output: LoaderOutput = .values
    ) {
        self.samples = samples
        self.transform = transform
        self.limits = limits
        self.output = output
        workerCount = workers
        // Packed pixels are as near as cached ones.
        let isPacked = samples.contains { $0.packed != nil }
        cache = PixelCache(sampleCount: samples.count, imageBytes: transform.byteCount, budget: isPacked ? 0 : cacheBytes)
    }

    func start() {
        for worker in 0..<workerCount {
            let thread = Thread { [self] in work() }
            thread.name = "facefair-loader-\(worker)"
            thread.stackSize = 1 << 20
            thread.start()
        }
    }

    /// Threads leave after the image they are at; queued batches are dropped.
    func stop() {
        queue.withLock { queue in
            queue.isStopped = true
            queue.tasks = []
            queue.next = 0
        }
        for _ in 0..<workerCount { available.signal() }
    }

    /// Queues a batch.
    func load(_ indices: [Int], change: ImageChange? = nil) -> LoaderSlot {
        let size = transform.imageSize
        let starts = Array(stride(from: 0, to: indices.count, by: LoaderPool.samplesPerTask))
        let shape = output == .values
            ? Shape(indices.count, size, size, 3) : Shape((indices.count * transform.byteCount + 3) / 4)
        let slot = LoaderSlot(indices: indices, shape: shape, tasks: starts.count, change: change)
        let tasks = starts.map { Task(slot: slot, positions: $0..<min($0 + LoaderPool.samplesPerTask, indices.count)) }
        queue.withLock { queue in
            // Drop what is done, so that the queue stays as short as the prefetch.
            queue.tasks.removeFirst(queue.next)
            queue.next = 0
            queue.tasks += tasks
        }
        for _ in tasks { available.signal() }
        return slot
    }

    private func work() {
        let decoder = ImageDecoder(limits: limits)
        var path = ""
        while true {
            available.wait()
            let task: Task? = queue.withLock { queue in
                if queue.isStopped || queue.next == queue.tasks.count { return nil }
                queue.next += 1
                return queue.tasks[queue.next - 1]
            }
            guard let task else { return }
            for position in task.positions { load(task.slot, position, decoder, &path) }
            task.slot.finishTask()
        }
    }

    private func load(_ slot: LoaderSlot, _ position: Int, _ decoder: ImageDecoder, _ path: inout String) {
        let sample = slot.indices[position]
        do throws(ImageError) {
            switch output {
            case .bytes:
                let target = slot.bytes + position * transform.byteCount
                try decode(sample, into: target, decoder, &path)
                slot.warn(position, decoder.lastWarning)
            case .values:
                let target = slot.images.pointer + position * transform.byteCount
                let decoded = try loadValues(sample, into: target, decoder, &path)
                if decoded { slot.warn(position, decoder.lastWarning) }
                slot.change?(UnsafeMutableBufferPointer(start: target, count: transform.byteCount), sample)
            }
        } catch { slot.refuse(position, error) }
    }

    /// Resized 8-bit pixels.
    private func decode(
        _ sample: Int, into output: UnsafeMutablePointer<UInt8>, _ decoder: ImageDecoder, _ path: inout String
    ) throws(ImageError) {
        samples[sample].spellFile(in: &path)
        try decoder.decode(path: path, size: transform.imageSize, interpolation: transform.interpolation, into: output)
    }

    /// Normalised values out of a packed file, out of the cache, or decoded; says whether it was the last.
    private func loadValues(
        _ sample: Int, into output: UnsafeMutablePointer<Float>, _ decoder: ImageDecoder, _ path: inout String
    ) throws(ImageError) -> Bool {
        if let packed = samples[sample].packed {
            guard packed.position >= 0 else { throw packed.images.refusal(-1 - Int(packed.position), name: samples[sample].file) }
            transform.normalize(packed.images.pixels(Int(packed.position)), into: output)
            return false
        }
        if let kept = cache.pixels(sample) {
            transform.normalize(kept, into: output)
            return false
        }
        if let error = refused.withLock({ $0[sample] }) { throw error }
        let kept = cache.begin(sample)
        do throws(ImageError) {
            if let kept {
                try decode(sample, into: kept, decoder, &path)
                transform.normalize(kept, into: output)
                cache.end(sample, isFilled: true)
            } else {
                samples[sample].spellFile(in: &path)
                try decoder.decode(path: path, transform: transform, into: output)
            }
            return true
        } catch {
            if kept != nil { cache.end(sample, isFilled: false) }
            refused.withLock { $0[sample] = error }
            throw error
        }
    }
}
