// A value that several threads share: one lock, one condition. The only place of this module that hands state across threads.
import Foundation

/// `@unchecked Sendable` because `state` is touched only while `condition` is held, which the compiler cannot see.
final class Monitor<State: Sendable>: @unchecked Sendable {
    private let condition = NSCondition()
    private var state: State

    init(_ state: State) { self.state = state }

    /// Changes the state and wakes all who wait.
    func update<Result: Sendable>(_ body: (inout State) -> Result) -> Result {
        condition.lock()
        defer {
            condition.broadcast()
            condition.unlock()
        }
        return body(&state)
    }

    /// Waits until `body` has a result, and returns it; nil once `deadline` has passed and it still has none.
    func wait<Result: Sendable>(until deadline: Date? = nil, _ body: (inout State) -> Result?) -> Result? {
        condition.lock()
        defer { condition.unlock() }
        while true {
            if let result = body(&state) {
                condition.broadcast()
                return result
            }
            if let deadline {
                if !condition.wait(until: deadline) {
                    let result = body(&state)
                    if result != nil { condition.broadcast() }
                    return result
                }
            } else {
                condition.wait()
            }
        }
    }
}
