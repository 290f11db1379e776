// Reading a file's bytes into a buffer that is kept, with the limits of an untrusted input.
#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// A byte buffer that grows and never shrinks, so that a worker stops allocating once it has met its largest image.
struct GrowingBuffer: ~Copyable {
    private(set) var pointer: UnsafeMutablePointer<UInt8>
    private(set) var capacity: Int

    init(capacity: Int = 1 << 16) {
        self.capacity = capacity
        pointer = .allocate(capacity: capacity)
    }

    deinit { pointer.deallocate() }

    /// Makes room for `count` bytes; the contents are lost when that takes a new buffer.
    mutating func reserve(_ count: Int) {
        guard count > capacity else { return }
        pointer.deallocate()
        capacity = count + count / 4
        pointer = .allocate(capacity: capacity)
    }
}

enum ImageFile {
    /// Reads a regular file whole; returns its length.
    static func read(_ path: String, into buffer: inout GrowingBuffer, limit: Int) throws(ImageError) -> Int {
        // O_NONBLOCK: a named pipe must not hang the worker. A String passed where C wants a pointer is copied to the heap first;
        // withCString lends its own bytes.
        let descriptor = path.withCString { open($0, O_RDONLY | O_CLOEXEC | O_NONBLOCK) }
        guard descriptor >= 0 else {
            throw ImageError(code: .missing, name: path, detail: "cannot be opened: \(String(cString: strerror(errno)))")
        }
        defer { close(descriptor) }
        var status = stat()
        guard fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFREG else {
            throw ImageError(code: .missing, name: path, detail: "is not a regular file")
        }
        let size = Int(status.st_size)
        guard size <= limit else { throw tooManyBytes(path, size, limit) }
        buffer.reserve(size)
        var filled = 0
        while filled < size {
            #if canImport(Darwin)
                let got = Darwin.read(descriptor, buffer.pointer + filled, size - filled)
            #elseif canImport(Musl)
                let got = Musl.read(descriptor, buffer.pointer + filled, size - filled)
            #else
                let got = Glibc.read(descriptor, buffer.pointer + filled, size - filled)
            #endif
            if got < 0 && errno == EINTR { continue }
            guard got >= 0 else {
                throw ImageError(
                    code: .missing, name: path,
                    detail: "cannot be read at byte \(filled) of \(size): \(String(cString: strerror(errno)))")
            }
            if got == 0 { break }  // the file shrank under us; the decoder says what is missing
            filled += got
        }
        return filled
    }

    static func tooManyBytes(_ name: String, _ found: Int, _ limit: Int) -> ImageError {
        ImageError(
            code: .tooLarge, name: name,
            detail: "has \(found) bytes, \(limit) are allowed (--max-image-bytes)")
    }
}
