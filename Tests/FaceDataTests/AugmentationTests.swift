import FaceData
import Foundation
import TensorCore
import TestSupport
import Testing

extension Augmentation {
    /// Changes a batch of the samples `indices`, as a loader does.
    fileprivate func apply(to images: Tensor, indices: [Int], transform: FaceTransform, epoch: Int, random: RandomSource) {
        let change = change(transform: transform, epoch: epoch, random: random)!
        withExtendedLifetime(images.storage) {
            for (place, sample) in indices.enumerated() {
                change(UnsafeMutableBufferPointer(start: images.pointer + place * transform.byteCount, count: transform.byteCount), sample)
            }
        }
    }
}

@Suite struct AugmentationTests {
    private let transform = FaceTransform(imageSize: 6, mean: [0.4, 0.5, 0.6], std: [0.2, 0.3, 0.25])

    private func images(_ count: Int) -> Tensor {
        var random = RandomSource(seed: 5)
        let images = Tensor(Shape(count, 6, 6, 3))
        for i in 0..<images.count { images.pointer[i] = (Float(random.uniform()) - transform.mean[i % 3]) / transform.std[i % 3] }
        return images
    }

    /// One image of 2 x 2 pixels; expected values from torchvision 0.29 (adjust_brightness, adjust_contrast, adjust_saturation).
    @Test func colourChangesAreTorchvisions() throws {
        struct Case: Decodable { let name: String, factor: Float, pixels: [Float], expected: [Float] }
        for item in try JSONDecoder().decode([Case].self, from: Fixture.data("color_jitter.json")) {
            var pixels = item.pixels
            pixels.withUnsafeMutableBufferPointer { buffer in
                switch item.name {
                case "brightness": ColorAdjustment.brightness(buffer, item.factor)
                case "contrast": ColorAdjustment.contrast(buffer, item.factor)
                default: ColorAdjustment.saturation(buffer, item.factor)
                }
            }
            expectClose(pixels, item.expected, atol: 1e-6, "\(item.name) by \(item.factor)")
        }
    }

    @Test func aFlipIsItsOwnInverseAndMirrorsColumns() {
        let batch = images(1)
        let before = batch.toArray()
        let augmentation = Augmentation(flip: 1)
        augmentation.apply(to: batch, indices: [0], transform: transform, epoch: 1, random: RandomSource(seed: 1))
        let flipped = batch.toArray()
        for row in 0..<6 { for column in 0..<6 { for c in 0..<3 {
            #expect(flipped[(row * 6 + column) * 3 + c] == before[(row * 6 + 5 - column) * 3 + c])
        } } }
        augmentation.apply(to: batch, indices: [0], transform: transform, epoch: 1, random: RandomSource(seed: 1))
        #expect(batch.toArray() == before)
    }

    @Test func anImagesDrawDependsOnSampleAndEpochOnly() {
        let augmentation = Augmentation(flip: 0.5, jitter: 0.2)
        func changed(_ indices: [Int], epoch: Int, _ augmentation: Augmentation) -> [[Float]] {
            let one = images(1).toArray()
            let batch = Tensor(Shape(indices.count, 6, 6, 3))
            for place in indices.indices { batch.view(offset: place * one.count, Shape(one.count)).copy(from: one) }
            augmentation.apply(to: batch, indices: indices, transform: transform, epoch: epoch, random: RandomSource(seed: 7))
            return indices.indices.map { Array(batch.toArray()[$0 * one.count..<($0 + 1) * one.count]) }
        }
        let all = changed([0, 1, 2, 3], epoch: 2, augmentation)
        #expect(changed([3, 1], epoch: 2, augmentation) == [all[3], all[1]])
        #expect(all[0] != all[1] && changed([0], epoch: 3, augmentation)[0] != all[0])
        let frozen = Augmentation(flip: 0.5, jitter: 0.2, isFrozen: true)
        #expect(changed([0, 1], epoch: 2, frozen) == changed([0, 1], epoch: 9, frozen))
    }

    @Test func halfOfManyImagesAreFlippedAndFactorsStayInRange() {
        let augmentation = Augmentation(flip: 0.5, jitter: 0)
        let batch = images(400)
        let before = batch.toArray()
        augmentation.apply(to: batch, indices: Array(0..<400), transform: transform, epoch: 1, random: RandomSource(seed: 7))
        let after = batch.toArray()
        let flipped = (0..<400).count { after[$0 * 108] != before[$0 * 108] }
        #expect((150...250).contains(flipped), "\(flipped)")
    }
}
