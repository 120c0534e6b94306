"""The critic: scores generated images by how usual their features are, for rejection sampling.

Real images give a normal distribution of features for each position of the face (PaDiM, Defard et
al. 2021, arXiv:2011.08785). Broken faces have positions that are far from it. But keeping the image
with the smallest distance would keep the most usual faces only; the score is therefore capped at a
threshold that most images reach: the first candidate that reaches it is kept.
"""

from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save
from torch import Tensor, nn

from export.candidates import best_candidate
from train.checkpoint import CheckpointError
from train.metrics import GenerateFn
from train.networks.features import FeatureNetwork, FeatureNetworkName

CANDIDATES = 2
"""Number of candidates per image; docs/experiments.md has measurements."""
REJECTED_SHARE = 0.25
"""Share of images below the threshold."""
CRITIC_FILE = "critic.safetensors"
NETWORK: FeatureNetworkName = "lite0"
INPUT_SIZE, STRIDE = 128, 8
REAL_IMAGES = 8000
"""Upper limit of the real images that the distributions are computed from."""
MIN_REAL_IMAGES = 200
SHRINKAGE = 0.05
"""Share of the mean variance that is added to the diagonal of each covariance."""
UNUSUAL_SHARE = 1 / 3
"""Share of the positions, those with the largest distances, whose mean is the anomaly."""
_BATCH = 64


class Critic(nn.Module):
    """Scores images: min(0, threshold + usual(condition) - anomaly).

    The anomaly is the mean of the largest Mahalanobis distances around the center of the image. The
    linear function `usual` predicts it from the condition, so that images of rare values are not
    rejected for these values. An image with a score of 0 is acceptable.
    """

    mean: Tensor  # [P, C], for each position around the center
    whitening: Tensor  # [P, C, C], the Cholesky factor of each inverse covariance
    usual: Tensor  # [K], a weight for each element of a condition
    threshold: Tensor  # []

    def __init__(self, condition_dim: int) -> None:
        """Raises FeatureNetworkError without the weights of the feature network."""
        super().__init__()
        self.features = FeatureNetwork(NETWORK, INPUT_SIZE, (STRIDE,))
        channels, side = self.features.channels[0], INPUT_SIZE // STRIDE
        self.rows = slice(side // 4, side * 13 // 16)
        self.columns = slice(side // 8, side * 7 // 8)
        positions = len(range(side)[self.rows]) * len(range(side)[self.columns])
        self.worst = round(positions * UNUSUAL_SHARE)
        self.register_buffer("mean", torch.zeros(positions, channels))
        self.register_buffer("whitening", torch.eye(channels).repeat(positions, 1, 1))
        self.register_buffer("usual", torch.zeros(condition_dim))
        self.register_buffer("threshold", torch.zeros(()))
        self.requires_grad_(False).eval()

    def forward(self, image: Tensor, condition: Tensor) -> Tensor:
        """Images uint8 [N, 3, S, S] and conditions float32 [N, K], whose blocks may be mixtures, to
        scores float32 [N]; higher is better.
        """
        usual = (condition * self.usual).sum(dim=1)
        score: Tensor = (self.threshold + usual - self.anomaly(image)).clamp(max=0)
        return score

    def anomaly(self, image: Tensor) -> Tensor:
        """Images uint8 [N, 3, S, S] to float32 [N]."""
        offsets = self.vectors(image) - self.mean[:, None]
        distances: Tensor = torch.bmm(offsets, self.whitening).norm(dim=2)  # [P, N]
        return distances.topk(self.worst, dim=0).values.mean(dim=0)

    def vectors(self, image: Tensor) -> Tensor:
        """The features of each position around the center: uint8 [N, 3, S, S] to [P, N, C]."""
        (features,) = self.features(image.float() / 127.5 - 1)
        center: Tensor = features[:, :, self.rows, self.columns]
        return center.flatten(2).permute(2, 0, 1)

    def state(self) -> dict[str, Tensor]:
        """Everything but the pretrained network."""
        return dict(self.named_buffers(recurse=False))


@torch.inference_mode()
def fit_critic(
    real: Tensor, generate: GenerateFn, latents: Tensor, conditions: Tensor
) -> Critic | None:
    """A critic of which REJECTED_SHARE of the images generated from latents [N, Z] and conditions
    [N, K] do not reach the threshold. `real` are training images uint8 [M, 3, S, S].

    Returns None for fewer than MIN_REAL_IMAGES.
    """
    if len(real) < MIN_REAL_IMAGES:
        return None
    critic = Critic(conditions.shape[1]).to(real.device)
    rng = torch.Generator().manual_seed(0)
    rows = torch.randperm(len(real), generator=rng)[:REAL_IMAGES].to(real.device)
    vectors = torch.cat([critic.vectors(real[r]) for r in torch.split(rows, _BATCH)], dim=1)
    critic.mean.copy_(vectors.mean(dim=1))
    offsets = vectors - critic.mean[:, None]
    covariance = offsets.transpose(1, 2) @ offsets / len(rows)
    diagonal = covariance.diagonal(dim1=1, dim2=2)
    # The constant is for features that are zero in all images.
    diagonal += SHRINKAGE * diagonal.mean(dim=1, keepdim=True) + 1e-6
    critic.whitening.copy_(torch.linalg.cholesky(torch.linalg.inv(covariance)))
    parts = zip(torch.split(latents, _BATCH), torch.split(conditions, _BATCH), strict=True)
    anomaly = torch.cat([critic.anomaly(generate(z, c)) for z, c in parts])
    # The constant lets the regression work for values that no condition has.
    squares = conditions.T @ conditions + 1e-3 * torch.eye(len(critic.usual)).to(conditions)
    critic.usual.copy_(torch.linalg.solve(squares, conditions.T @ anomaly))
    unexpected = anomaly - conditions @ critic.usual
    critic.threshold.copy_(torch.quantile(unexpected, 1 - REJECTED_SHARE))
    return critic


def save_critic(run: Path, critic: Critic) -> None:
    """Stores a critic in the folder of a run. Raises OSError."""
    tensors = {name: tensor.cpu().contiguous() for name, tensor in critic.state().items()}
    (run / CRITIC_FILE).write_bytes(save(tensors))


def load_critic(run: Path) -> Critic:
    """The critic of a judged run. Raises CheckpointError, FeatureNetworkError."""
    file = run / CRITIC_FILE
    try:
        tensors = load_file(file)
        critic = Critic(len(tensors["usual"]))
        for name, buffer in critic.state().items():
            buffer.copy_(tensors[name])
    except (OSError, SafetensorError, KeyError, RuntimeError) as error:
        raise CheckpointError(
            f"{file} cannot be read ({error}): judge the run again (python -m train judge {run})"
        ) from None
    return critic


def best_of(generate: GenerateFn, critic: GenerateFn, candidates: int) -> GenerateFn:
    """Rejection sampling as in the bot: keeps the first candidate of highest score.

    `critic` maps images [N, 3, S, S] and conditions [N, C] to scores [N]. The returned function
    takes the concatenated latents of all candidates, [N, candidates × Z].
    """

    def choose(latents: Tensor, conditions: Tensor) -> Tensor:
        repeated = conditions.repeat_interleave(candidates, dim=0)
        images = generate(latents.reshape(len(repeated), -1), repeated)
        scores = critic(images, repeated).view(-1, candidates)
        best = torch.from_numpy(best_candidate(scores.cpu().numpy())).to(images.device)
        return torch.unflatten(images, 0, (-1, candidates))[
            torch.arange(len(conditions), device=images.device), best
        ]

    return choose if candidates > 1 else generate
