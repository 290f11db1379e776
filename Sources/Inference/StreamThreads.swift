// The threads of a stream and what hands work from one to the next.
import Foundation

/// Named threads that can be waited for.
final class StreamThreads: Sendable {
    private let running = Monitor(0)

    func start(_ name: String, _ body: @escaping @Sendable () -> Void) {
        running.update { $0 += 1 }
        let thread = Thread { [running] in
            body()
            running.update { $0 -= 1 }
        }
        thread.name = name
        thread.start()
    }

    /// Waits until all have returned.
    func join() { _ = running.wait { $0 == 0 ? true : nil } }
}

/// A queue of bounded length between two threads.
final class Conveyor<Element: Sendable>: Sendable {
    private struct State: Sendable {
        var elements: [Element] = []
        var finished = false
        var cancelled = false
    }

    private let state = Monitor(State())
    private let capacity: Int

    init(capacity: Int) { self.capacity = capacity }

    /// Waits for room; false when the taker has given up.
    func push(_ element: Element) -> Bool {
        state.wait { state in
            if state.cancelled { return false }
            guard state.elements.count < self.capacity else { return nil }
            state.elements.append(element)
            return true
        } ?? false
    }

    /// No more will come.
    func finish() { state.update { $0.finished = true } }

    /// Nothing more is wanted.
    func cancel() {
        state.update {
            $0.cancelled = true
            $0.elements = []
        }
    }

    /// Waits for elements and takes all there are, in order; nil at the end.
    func takeAll() -> [Element]? {
        let taken: [Element] = state.wait { state in
            if state.elements.isEmpty { return state.finished || state.cancelled ? [] : nil }
            defer { state.elements = [] }
            return state.elements
        } ?? []
        return taken.isEmpty ? nil : taken
    }
}
