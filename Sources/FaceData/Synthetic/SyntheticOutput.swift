// Files with errors that name the path, and worker threads that share out image numbers.
import Foundation
import Synchronization

enum OutputFile {
    static func makeFolder(_ url: URL) throws {
        do {
            try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
        } catch {
            let code = (error as NSError).userInfo[NSUnderlyingErrorKey].flatMap { ($0 as? NSError)?.code }
            if let code, code == Int(ENOSPC) || code == Int(EDQUOT) { throw SyntheticFacesError.diskFull(path: url.path) }
            let reason = code.map { String(cString: strerror(Int32($0))) } ?? error.localizedDescription
            throw SyntheticFacesError.unwritable(path: url.path, reason: reason)
        }
    }

    static func write(_ text: String, to url: URL) throws {
        try Array(text.utf8).withUnsafeBytes { try write($0, to: url.path) }
    }

    /// Replaces the file at `path` by way of a temporary name, so that a file is whole or absent.
    static func write(_ bytes: UnsafeRawBufferPointer, to path: String) throws {
        let partial = path + ".partial"
        let file = open(partial, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o644)
        guard file >= 0 else { throw SyntheticFacesError.system(errno, path) }
        var done = 0
        while done < bytes.count {
            let n = Foundation.write(file, bytes.baseAddress! + done, bytes.count - done)
            if n < 0 && errno == EINTR { continue }
            if n <= 0 {
                let code = n < 0 ? errno : ENOSPC
                close(file)
                unlink(partial)
                throw SyntheticFacesError.system(code, path)
            }
            done += n
        }
        guard close(file) == 0, rename(partial, path) == 0 else {
            let code = errno
            unlink(partial)
            throw SyntheticFacesError.system(code, path)
        }
    }
}

enum Workers {
    /// What the threads and the caller share: the next number, the first error, and a condition for progress.
    private final class Board: Sendable {
        let next = Atomic<Int>(0)
        let done = Atomic<Int>(0)
        let isStopped = Atomic<Bool>(false)
        let failure = Mutex<(any Error)?>(nil)
        let news = DispatchSemaphore(value: 0)

        func stop(_ error: any Error) {
            failure.withLock { if $0 == nil { $0 = error } }
            isStopped.store(true, ordering: .releasing)
        }
    }

    /// Runs the closure that `prepare` makes, one per worker, over 0..<count; `progress` runs on the calling thread.
    /// - Throws: the first error; the other workers stop after the image they are at.
    static func run(
        count: Int, workers: Int, progress: (Int) -> Void, prepare: @escaping @Sendable () -> (Int) throws -> Void
    ) throws {
        let number = max(1, min(workers, count))
        guard number > 1 else {
            let work = prepare()
            for index in 0..<count {
                try work(index)
                progress(index + 1)
            }
            return
        }
        let board = Board()
        let finished = DispatchGroup()
        for _ in 0..<number {
            finished.enter()
            let thread = Thread {
                let work = prepare()
                while !board.isStopped.load(ordering: .acquiring) {
                    let index = board.next.wrappingAdd(1, ordering: .relaxed).oldValue
                    if index >= count { break }
                    do {
                        try work(index)
                        board.done.wrappingAdd(1, ordering: .relaxed)
                    } catch {
                        board.stop(error)
                    }
                    board.news.signal()
                }
                finished.leave()
                board.news.signal()
            }
            thread.start()
        }
        var reported = 0
        while finished.wait(timeout: .now()) == .timedOut {
            board.news.wait()
            let done = board.done.load(ordering: .relaxed)
            if done > reported {
                reported = done
                progress(done)
            }
        }
        if let error = board.failure.withLock({ $0 }) { throw error }
        let done = board.done.load(ordering: .relaxed)
        if done > reported { progress(done) }
    }
}
