"""What the judge's classifier computes from images: features, recognized values, points."""

from dataclasses import dataclass

import torch
from torch import Tensor

from train.metrics.classifier import Classifier

BATCH = 256


@dataclass(frozen=True)
class ClassifierOutput:
    """Features and predictions of the classifier for a set of images."""

    features: dict[str, Tensor]
    """float32 [N, F] each: channel means and deviations of every stage, and the last features."""
    labels: Tensor
    """int64 [N, A]: the predicted values."""


@torch.inference_mode()
def classify(classifier: Classifier, images: Tensor, device: torch.device) -> ClassifierOutput:
    """Runs the classifier on images uint8 [N, 3, S, S]."""
    features_by_layer: dict[str, list[Tensor]] = {}
    labels = []
    for batch in torch.split(images, BATCH):
        maps, features, logits = classifier(batch.to(device))
        for number, stage in enumerate(maps, 1):
            deviation, mean = torch.std_mean(stage.flatten(2), dim=2)
            statistics = torch.cat([mean, deviation], dim=1)
            features_by_layer.setdefault(f"stage{number}", []).append(statistics)
        features_by_layer.setdefault("features", []).append(features)
        columns = [head.argmax(dim=1) for head in logits]
        none = features.new_zeros((len(batch), 0), dtype=torch.int64)
        labels.append(torch.stack(columns, dim=1) if columns else none)
    features_of = {name: torch.cat(parts) for name, parts in features_by_layer.items()}
    return ClassifierOutput(features_of, torch.cat(labels))


def standardize(output: ClassifierOutput, reference: ClassifierOutput) -> Tensor:
    """All features concatenated, float32 [N, F], with equal weight for each layer: reference images
    have a mean of 0 and a root mean square distance of 1 from it.
    """
    parts = []
    for layer, features in output.features.items():
        real = reference.features[layer]
        mean = real.mean(dim=0)
        deviation = (real - mean).square().sum(dim=1).mean().sqrt()
        parts.append((features - mean) / deviation.clamp(min=1e-9))
    return torch.cat(parts, dim=1)


@dataclass(frozen=True)
class FeaturePoints:
    """Images as points in feature space, with their predicted conditions."""

    points: Tensor
    """float32 [N, F]: the standardized features."""
    labels: Tensor
    """int64 [N, A]: the predicted values."""

    @classmethod
    def of(cls, output: ClassifierOutput, reference: ClassifierOutput) -> "FeaturePoints":
        return cls(standardize(output, reference), output.labels)

    @classmethod
    def concatenate(cls, parts: list["FeaturePoints"]) -> "FeaturePoints":
        return cls(
            torch.cat([part.points for part in parts]),
            torch.cat([part.labels for part in parts]),
        )

    def skip(self, count: int) -> "FeaturePoints":
        """Without the first `count` points."""
        return FeaturePoints(self.points[count:], self.labels[count:])
