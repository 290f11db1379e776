// Where the paper and its released code disagree, and what this run did about it.
import FaceData
import Training

public enum PaperChoices {
    /// One line per disagreement: both sides, and the choice taken.
    public static func lines(_ experiment: Experiment, dataset: FaceDataset) -> [String] {
        let c = experiment.configuration
        var lines: [String] = []
        if dataset.name == "celeba" {
            lines.append("ε: the paper's CelebA table says 1e-4, its code 1e-3; here \(c.epsilon) (--epsilon).")
        }
        if dataset.name == "fairface" {
            lines.append(
                "Groups: the paper's README says gender (2), its code gender x race (14); here \(dataset.groupCount) (--group-by).")
        }
        if !c.augmentation.isNone {
            lines.append(
                "Augmentation: the paper draws it per image, its code once for all epochs; here "
                    + (c.augmentation.isFrozen ? "once" : "anew in each epoch") + " (--frozen-augmentation).")
        }
        let baseline = experiment.methods.contains(.projection) ? "projected" : "raw"
        lines.append(
            "Best epoch of the unconstrained model: by projected validation loss in the CelebA code, by raw loss in the FairFace code; "
                + "here by \(baseline) loss (--methods projection or none).")
        lines.append(
            "Test projection: batches of 128 or 256, incomplete ones dropped and small groups repeated by the code's sampler; here every "
                + "sample once, "
                + (experiment.projectionBatch.map { "in stratified batches of at most \($0)" } ?? "the whole split at once")
                + " (--projection-batch).")
        lines.append(
            "Penalty in the primal-dual step: the package penalises the largest gap, the image code the sum over pairs; here "
                + "\(c.pairPenalty.rawValue) (--pair-penalty).")
        lines.append("Early stopping: configuration and histories differ on FairFace (1, 3); here patience \(c.patience) (--patience).")
        lines.append("Δ accuracy: the two tables divide by different accuracies; here (method − fairness-layer) / fairness-layer for both.")
        lines.append("Pairs beyond ε: counted beyond 1.01 ε for every method, as the FairFace code does for its own.")
        return lines
    }
}
