"""The networks, a file a family; any generator plays with any discriminator of its size."""

from train.networks.base import SIZES, check_size
from train.networks.irodori import Discriminator, Generator

__all__ = ["SIZES", "Discriminator", "Generator", "check_size"]
