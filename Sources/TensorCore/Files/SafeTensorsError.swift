// What can be wrong with a safetensors file.

public enum SafeTensorsError: Error, Equatable, CustomStringConvertible {
    case missing(String)
    case unreadable(String, String)
    case unwritable(String, String)
    case pickle(String)
    case malformed(String, String)

    public var description: String {
        switch self {
        case .missing(let file): "\(file): no such model file; train one with 'facefair train' or name a run folder"
        case .unreadable(let file, let reason): "\(file): cannot be read: \(reason)"
        case .unwritable(let file, let reason): "\(file): cannot be written: \(reason)"
        case .pickle(let file):
            "\(file): this is a PyTorch .pt file (zip or pickle), which can run code when opened and is never read here; "
                + "convert it in Python with safetensors.torch.save_file(state_dict, \"model.safetensors\")"
        case .malformed(let file, let reason): "\(file): not a usable safetensors file: \(reason)"
        }
    }
}
