// A value that several threads share: one lock, one condition. The only place of this module that hands state across threads.
import Foundation

/// `@unchecked Sendable` because `state` is touched only while `mutex` is held, which the compiler cannot see.
final class Monitor<State: Sendable>: @unchecked Sendable {
    private let mutex = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)
    private let condition = UnsafeMutablePointer<pthread_cond_t>.allocate(capacity: 1)
    private var state: State

    init(_ state: State) {
        self.state = state
        pthread_mutex_init(mutex, nil)
        var attributes = pthread_condattr_t()
        pthread_condattr_init(&attributes)
        pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC)
        pthread_cond_init(condition, &attributes)
        pthread_condattr_destroy(&attributes)
    }

    deinit {
        pthread_cond_destroy(condition)
        pthread_mutex_destroy(mutex)
        condition.deallocate()
        mutex.deallocate()
    }

    /// Changes the state and wakes all who wait.
    func update<Result: Sendable>(_ body: (inout State) -> Result) -> Result {
        pthread_mutex_lock(mutex)
        defer {
            pthread_cond_broadcast(condition)
            pthread_mutex_unlock(mutex)
        }
        return body(&state)
    }

    /// Waits until `body` has a result, and returns it; nil once `deadline` has passed and it still has none.
    func wait<Result: Sendable>(until deadline: Deadline? = nil, _ body: (inout State) -> Result?) -> Result? {
        pthread_mutex_lock(mutex)
        defer { pthread_mutex_unlock(mutex) }
        while true {
            if let result = body(&state) {
                pthread_cond_broadcast(condition)
                return result
            }
            guard var time = deadline?.time else {
                pthread_cond_wait(condition, mutex)
                continue
            }
            if pthread_cond_timedwait(condition, mutex, &time) == ETIMEDOUT {
                let result = body(&state)
                if result != nil { pthread_cond_broadcast(condition) }
                return result
            }
        }
    }
}

/// A moment on the clock that is not set: somebody who corrects the time of day must not hold back a batch.
struct Deadline: Sendable {
    fileprivate let time: timespec

    init(after delay: Duration) {
        var now = timespec()
        clock_gettime(CLOCK_MONOTONIC, &now)
        let (seconds, attoseconds) = delay.components
        let nanoseconds = Int64(now.tv_nsec) + attoseconds / 1_000_000_000
        time = timespec(tv_sec: now.tv_sec + Int(seconds + nanoseconds / 1_000_000_000), tv_nsec: Int(nanoseconds % 1_000_000_000))
    }
}
