"""Base class of adversarial trainings; subclasses implement the step."""

import copy
import math
from collections.abc import Mapping
from typing import cast

import torch
from torch import Tensor, nn

from train import state
from train.augment import flip_and_shift, zoom_and_cut
from train.data import Faces
from train.distributed import SINGLE_PROCESS, Processes, share_batch_norms
from train.machine import compiles, multiplies_in_bfloat16
from train.networks.base import Discriminator, Generator
from train.sampler import GroupSampler
from train.settings import TrainSettings

SMALL_DATA = 3_000
"""Number of training images below which augmentation is strong by default."""
LOWEST_RATE = 0.05
"""Final learning rate, as a share of the full rate."""


class Trainer:
    """Networks, optimizers, averaged generator and random state of one training.

    All random numbers come from `rng`, so that a restored state resumes exactly.
    """

    def __init__(
        self,
        settings: TrainSettings,
        faces: Faces,
        networks: Mapping[str, nn.Module],
        processes: Processes = SINGLE_PROCESS,
    ) -> None:
        """`networks` are the `generator` and the discriminators; each gets an optimizer.

        Raises ShareError if the processes cannot share a batch.
        """
        self.settings, self.faces, self.processes = settings, faces, processes
        self.rows = processes.rows(settings.optimizer.batch, settings.optimizer.group)
        self.device = faces.images.device
        self.networks = dict(networks)
        for network in self.networks.values():
            network.to(self.device).to(memory_format=torch.channels_last)
        self.generator = cast(Generator, self.networks["generator"])
        self.discriminator = cast(Discriminator, self.networks["discriminator"])
        self.ema = copy.deepcopy(self.generator).eval().requires_grad_(False)
        if processes.world_size > 1:
            for network in self.networks.values():
                share_batch_norms(network)
        self.optimizers = {
            name: self.build_optimizer(network) for name, network in self.networks.items()
        }
        if compiles(settings.compile, self.device):
            # Not the discriminators: their graph is needed for two backward passes.
            self.generator.compile()
        self.bfloat16 = multiplies_in_bfloat16(settings.precision, self.device)
        self.wrapped = {name: processes.wrap(network) for name, network in self.networks.items()}
        """The networks as called in training."""
        self.rng = torch.Generator(device=self.device).manual_seed(settings.seed)
        optimizer = settings.optimizer
        self.sampler = GroupSampler(faces, optimizer.batch, optimizer.group, self.rng)
        self.tensors: dict[str, Tensor] = {}
        """Further tensors of the state, by name."""
        self.step = 0
        self.flips = True
        """Whether `augment` flips images, too."""
        wish = settings.optimizer.augment
        self.is_strong = settings.lineage is None and (
            wish == "strong" or (wish == "auto" and len(faces) < SMALL_DATA)
        )
        """Whether images are also zoomed and cut."""
        self.rate_factor = 1.0
        """Lowered by the loop after a divergence."""

    @property
    def images(self) -> int:
        """Real images shown so far."""
        return self.step * self.settings.optimizer.batch

    @property
    def data_size(self) -> int:
        """Number of training images."""
        return len(self.faces)

    def build_optimizer(self, network: nn.Module) -> torch.optim.Optimizer:
        settings = self.settings.optimizer
        betas = settings.beta1, settings.beta2
        return torch.optim.Adam(
            network.parameters(), settings.learning_rate, betas=betas, fused=True
        )

    def train_step(self, progress: float) -> dict[str, Tensor]:
        """Updates the networks on one batch; returns the losses as tensors on the device.

        `progress` is the completed share of the training, 0…1.
        """
        raise NotImplementedError

    def learning_rate(self, progress: float) -> float:
        """Constant, then a linear decay to LOWEST_RATE over the last part of the training."""
        settings = self.settings.optimizer
        left = (1 - progress) / settings.anneal if settings.anneal else 1.0
        return settings.learning_rate * self.rate_factor * max(LOWEST_RATE, min(1.0, left))

    def set_schedule(self, progress: float) -> None:
        """Sets what depends on the progress: the learning rates, and whether images are flipped."""
        self.flips = progress < self.settings.optimizer.flip_until
        rate = self.learning_rate(progress)
        for optimizer in self.optimizers.values():
            for group in optimizer.param_groups:
                group["lr"] = rate

    def is_penalty_step(self, penalty: float) -> bool:
        """Lazy regularization: every n-th step with n times the weight (Karras et al. 2020)."""
        return penalty > 0 and self.step % self.settings.objective.penalty_every == 0

    def draw_batch(self) -> tuple[Tensor, Tensor, Tensor]:
        """This process's rows of a batch: real images [N, 3, S, S] in -1…1, labels and latents."""
        rows = self.sampler()[self.rows]
        real = self.augment(self.faces.images[rows]).float().div_(127.5).sub_(1)
        real = self.augment_strongly(real)
        return real, self.faces.labels[rows], self.draw_latents()

    def draw_latents(self) -> Tensor:
        size = (self.settings.optimizer.batch, self.settings.network.latent_dim)
        return torch.randn(size, generator=self.rng, device=self.device)[self.rows]

    def generate(self, latent: Tensor, condition: Tensor) -> Tensor:
        """Fakes [N, 3, S, S] of one or more batches, augmented like real images."""
        with self.half_precision():
            fake = self.wrapped["generator"](latent, condition).float()
        batch = self.rows.stop - self.rows.start
        parts = torch.split(fake, batch)
        return torch.cat([self.augment_strongly(self.augment(part)) for part in parts])

    def augment(self, images: Tensor) -> Tensor:
        """Augments real and fake images alike, so that the generator does not learn the changes."""
        batch, flips = self.settings.optimizer.batch, self.flips
        return flip_and_shift(images, self.rng, batch, self.rows, flips)

    def augment_strongly(self, images: Tensor) -> Tensor:
        """Further augmentation of images in -1…1, real and fake alike, for small data."""
        if not self.is_strong:
            return images
        return zoom_and_cut(images, self.rng, self.settings.optimizer.batch, self.rows)

    def half_precision(self, enabled: bool = True) -> torch.autocast:
        """Autocast to bfloat16 if it is enabled; second derivatives need float32."""
        return torch.autocast(self.device.type, torch.bfloat16, enabled=enabled and self.bfloat16)

    def update(self, name: str, loss: Tensor) -> None:
        """One optimizer step of a network, which `loss` depends on alone."""
        optimizer = self.optimizers[name]
        optimizer.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]
        optimizer.step()

    @torch.no_grad()
    def average_generator(self) -> None:
        """Updates the EMA, batch statistics included. Its half-life is shorter at the start."""
        settings = self.settings.optimizer
        half_life = min(settings.ema_images, self.images / 8 + 1)
        keep = math.exp(math.log(0.5) * settings.batch / half_life) if half_life else 0.0
        pairs = zip(
            self.ema.state_dict().values(), self.generator.state_dict().values(), strict=True
        )
        for average, new in pairs:
            if average.is_floating_point():
                average.lerp_(new, 1 - keep)

    def state_dict(self) -> dict[str, Tensor]:
        """The named tensors that `load_state_dict` needs to resume exactly."""
        return state.collect(self._stateful(), self.optimizers, self.rng, self.tensors)

    def load_state_dict(self, tensors: Mapping[str, Tensor], step: int) -> None:
        """Resumes from a `state_dict` saved after `step` steps.

        Raises KeyError or RuntimeError for the state of other networks.
        """
        seed = self.settings.seed + step
        networks = self._stateful()
        state.load(tensors, networks, self.optimizers, self.rng, seed, self.tensors)
        self._reset_latent_scale()
        self.step = step

    def weights(self) -> dict[str, Tensor]:
        """Weights of all networks by name, in the form that `load_weights` takes."""
        return state.weights(self.networks)

    def load_weights(self, tensors: Mapping[str, Tensor]) -> None:
        """Replaces initial weights by those of a model.

        Networks that are not in the model keep theirs. Raises RuntimeError for other networks.
        """
        weights = dict(tensors) | {
            f"ema.{name}": tensor for name, tensor in state.part(tensors, "generator.").items()
        }
        for name, network in self._stateful().items():
            if found := state.part(weights, f"{name}."):
                network.load_state_dict(found)
        self._reset_latent_scale()

    def _reset_latent_scale(self) -> None:
        """Replaces the scale of a calibrated model, which is calibrated again at the end."""
        for generator in (self.generator, self.ema):
            generator.latent_scale.fill_(generator.training_scale)

    def _stateful(self) -> dict[str, nn.Module]:
        return self.networks | {"ema": self.ema}
