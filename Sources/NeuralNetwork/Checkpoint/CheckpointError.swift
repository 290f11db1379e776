// Names of this module for the file layer of TensorCore, which checkpoints are written with.
import TensorCore

/// What can be wrong with a model file.
public typealias CheckpointError = SafeTensorsError
public typealias SafeTensorsFile = TensorCore.SafeTensorsFile
public typealias SafeTensorsWriter = TensorCore.SafeTensorsWriter
public typealias AtomicFile = TensorCore.AtomicFile
