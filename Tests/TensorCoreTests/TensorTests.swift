// Shapes, storage, views, the pool; traps on programming errors.
import TensorCore
import TestSupport
import Testing

extension TensorCoreSuites {
    @Suite struct TensorTests {
        @Test func shapes() {
            let shape = Shape(2, 3, 4)
            #expect(shape.count == 24 && shape.rank == 3 && shape[1] == 3 && shape.channels == 4)
            #expect(shape.description == "[2, 3, 4]")
            #expect(shape == Shape([2, 3, 4]) && shape != Shape(2, 12))
        }

        @Test func copiesShareAndClonesDoNot() {
            let a = Tensor(Shape(2, 2), [1, 2, 3, 4]), copy = a, clone = a.clone()
            copy.fill(7)
            #expect(a.toArray() == [7, 7, 7, 7])
            #expect(clone.toArray() == [1, 2, 3, 4])
            let row = a.view(offset: 2, Shape(2))
            row.copy(from: [8, 9])
            #expect(a.toArray() == [7, 7, 8, 9])
            #expect(a.view(offset: 1, Shape(3)).view(offset: 1, Shape(2)).toArray() == [8, 9])
            #expect(a.reshaped(Shape(4)).toArray() == a.toArray())
            #expect(Tensor(zeros: Shape(3)).toArray() == [0, 0, 0])
        }

        @Test func storageIsAlignedPaddedAndReused() {
            for bytes in [0, 1, 255, 256, 257, 1000, 4097, 1_000_001, 123_456_789] {
                let size = TensorStorage.sizeClass(bytes)
                #expect(size >= bytes && size % TensorStorage.alignment == 0)
                #expect(bytes < 1024 || Double(size) < 1.26 * Double(bytes))
                #expect(TensorStorage.sizeClass(size) == size)
            }
            TensorStorage.releasePool()
            #expect(TensorStorage.pooledBytes == 0)
            var address = UInt(0)
            do {
                let storage = TensorStorage(byteCount: 5_000_000)
                address = UInt(bitPattern: storage.pointer)
                #expect(address % UInt(TensorStorage.alignment) == 0)
            }
            #expect(TensorStorage.pooledBytes >= 5_000_000)
            let before = TensorStorage.systemAllocations
            #expect(UInt(bitPattern: TensorStorage(byteCount: 5_000_000).pointer) == address)
            #expect(TensorStorage.systemAllocations == before)
            _ = TensorStorage(byteCount: 9_000_000)
            #expect(TensorStorage.systemAllocations == before + 1)
            TensorStorage.releasePool()
        }

        @Test func wrongShapesTrap() async {
            await #expect(processExitsWith: .failure) { _ = Shape(2, 0) }
            await #expect(processExitsWith: .failure) { _ = Tensor(Shape(3), [1, 2]) }
            await #expect(processExitsWith: .failure) { _ = Tensor(zeros: Shape(4)).view(offset: 2, Shape(3)) }
            await #expect(processExitsWith: .failure) { _ = Kernels.add(Tensor(zeros: Shape(2)), Tensor(zeros: Shape(3))) }
            await #expect(processExitsWith: .failure) { Threads.configure(0) }
        }

        @Test func trapsNameStatusAndShapes() async throws {
            let padding = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
                _ = Kernels.maxPool2dForward(Tensor(zeros: Shape(1, 4, 4, 2)), kernel: 2, stride: 1, padding: 2)
            }
            let text = String(decoding: try #require(padding).standardErrorContent, as: UTF8.self)
            #expect(text.contains("shapes do not fit") && text.contains("[1, 4, 4, 2]"))
            let channels = await #expect(processExitsWith: .failure) {
                _ = Kernels.conv2dForward(
                    Tensor(zeros: Shape(1, 4, 4, 2)), weight: Tensor(zeros: Shape(8, 3, 3, 5)), bias: nil, stride: 1, padding: 1)
            }
            _ = channels
        }
    }
}
