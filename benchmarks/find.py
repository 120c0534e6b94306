"""Measures how near simulated members come to a hidden favorite by choosing.

    python benchmarks/find.py

The favorite is a random other face of the model. From each sheet, a member chooses the one to
three faces that seem nearest to it. Distances are those of pooled features of the judge's network,
EfficientNet-Lite2, which the search does not know, and members perceive them with noise. A score is
that of the nearest face that a member has seen, in standard deviations below the mean distance of
random faces. A search is compared with random sheets of as many faces, and with nine of them, by

- the difference of the scores;
- the ratio of the distances of the nearest faces, the median of the members;
- the share of random sheets whose nearest face is farther away than that of the search.
"""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch

sys.path.insert(0, str(Path(__file__).parents[1]))  # so that `bot` is the package

from bot.inference.conditions import complete_wish
from bot.inference.latents import draw_latent
from bot.inference.model import Model, load_model
from bot.settings import EngineSettings
from bot.studio.search import FACES, ROUNDS, Faces, Search, draw_faces
from config import ModelsSettings
from export.registry import Registry
from train.metrics.fidelity import NETWORK
from train.networks.features import FeatureNetwork

RANDOM_SHEETS = (ROUNDS, 9)
RANDOM_FACES = 2000  # of which random sheets and favorites are drawn
DRAWS = 200  # of random sheets, for each member
INPUT_SIZE = 64  # pixels of the feature network
BATCH = 36  # faces
NOISE = 0.3  # of a perceived distance, in standard deviations of the distances
MOST_CHOSEN = 3  # faces of a sheet


def compute_features(model: Model, network: FeatureNetwork, sheets: Sequence[Faces]) -> np.ndarray:
    """Float32 [sheets * faces, F], of the painted faces."""
    latents = np.concatenate([faces.latents for faces in sheets])
    conditions = np.stack([model.manifest.encode(c) for faces in sheets for c in faces.conditions])
    found = []
    for start in range(0, len(latents), BATCH):
        part = slice(start, start + BATCH)
        painted, _ = model.paint(latents[part], conditions[part])
        images = torch.from_numpy(painted)
        with torch.no_grad():
            found.append(network(images.permute(0, 3, 1, 2) / 127.5 - 1)[-1].numpy())
    return np.concatenate(found)


def draw_random_faces(model: Model, count: int) -> Faces:
    """The faces of empty wishes, as `/avatar` paints them from the first candidate."""
    latents = [draw_latent(seed, model.manifest.latent_dim) for seed in range(count)]
    conditions = [complete_wish({}, seed, model.manifest) for seed in range(count)]
    return Faces(np.stack(latents), conditions)


class Member:
    """`nearest` is the score of the nearest face seen after each sheet."""

    def __init__(self, number: int, features: np.ndarray) -> None:
        self._random = np.random.RandomState([number, 6])
        favorite = self._random.randint(len(features))
        self._features = features[favorite]
        others = np.delete(features, favorite, axis=0)
        distances = np.linalg.norm(others - self._features, axis=1)
        self._mean, self._deviation = distances.mean(), distances.std()
        self._others = (self._mean - distances) / self._deviation
        self.search = Search("", {}, seed=RANDOM_FACES + number)
        self.nearest: list[float] = []

    def look(self, features: np.ndarray) -> None:
        """Looks at a sheet, features [FACES, F], and chooses from it."""
        distances = np.linalg.norm(features - self._features, axis=1)
        scores = (self._mean - distances) / self._deviation
        self.nearest.append(max([*self.nearest, float(scores.max())]))
        perceived = scores + NOISE * self._random.standard_normal(FACES)
        chosen = np.argsort(-perceived)[: self._random.randint(1, MOST_CHOSEN + 1)]
        if self.search.round < ROUNDS:
            self.search = self.search.nearer(tuple(sorted(int(i) + 1 for i in chosen)))

    def look_at_random(self, sheets: int) -> np.ndarray:
        """Scores [DRAWS] of the nearest face on so many random sheets."""
        seen = self._random.randint(len(self._others), size=(DRAWS, sheets * FACES))
        return np.asarray(self._others[seen].max(1))

    def distance_of(self, score: float) -> float:
        return float(self._mean - score * self._deviation)


def describe(scores: np.ndarray) -> str:
    """Mean and 95% confidence interval."""
    return f"{scores.mean():5.2f} ± {1.96 * scores.std(ddof=1) / np.sqrt(len(scores)):.2f}"


def compare(members: Sequence[Member], sheets: int) -> str:
    """A line about whole searches and so many random sheets."""
    found = np.array([member.nearest[-1] for member in members])
    draws = np.stack([member.look_at_random(sheets) for member in members])
    random = draws.mean(1)
    ratios = [
        member.distance_of(score) / member.distance_of(other)
        for member, score, other in zip(members, found, random, strict=True)
    ]
    won = 100 * (found[:, None] > draws).mean(1)
    return (
        f"random, {sheets * FACES:2} faces: {describe(random)}; a search of {ROUNDS * FACES} faces"
        f" is nearer by {describe(found - random)}, its distance is {np.median(ratios):.3f} times"
        f" theirs, and it wins {describe(won)} %"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--members", type=int, default=300)
    parser.add_argument("--model", help="name of the model (default: the one in use)")
    parser.add_argument("--models", type=Path, default=ModelsSettings().dir)
    given = parser.parse_args()
    torch.set_num_threads(1)
    settings = EngineSettings(provider="cpu", threads=1)
    model = load_model(Registry(given.models), given.model, settings)
    network = FeatureNetwork(NETWORK, INPUT_SIZE, (), pooled=True)

    features = compute_features(model, network, [draw_random_faces(model, RANDOM_FACES)])
    members = [Member(number, features) for number in range(given.members)]
    for _ in range(ROUNDS):
        sheets = [draw_faces(member.search, model.manifest) for member in members]
        seen = compute_features(model, network, sheets).reshape(len(members), FACES, -1)
        for member, looked_at in zip(members, seen, strict=True):
            member.look(looked_at)

    print(f"{model.name}, {len(members)} members; nearest face seen, higher is nearer")
    for round in range(ROUNDS):
        nearest = np.array([member.nearest[round] for member in members])
        print(f"search, {(round + 1) * FACES:2} faces: {describe(nearest)}")
    for count in RANDOM_SHEETS:
        print(compare(members, count))


if __name__ == "__main__":
    main()
