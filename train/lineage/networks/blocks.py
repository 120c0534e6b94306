"""The residual blocks of the generators."""

from torch import Tensor, nn


class ResidualBlock(nn.Module):
    """Two convolutions with batch norm, added to their input (Ledig et al. 2017)."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            nn.Conv2d(channels, channels, 3, padding=1, bias=False),
            nn.BatchNorm2d(channels),
            nn.ReLU(),
            nn.Conv2d(channels, channels, 3, padding=1, bias=False),
            nn.BatchNorm2d(channels),
        )

    def forward(self, x: Tensor) -> Tensor:
        """[N, C, H, W] to the same."""
        change: Tensor = self.layers(x)
        return x + change


class ResidualUpscaling(nn.Module):
    """Doubles the size: two convolutions, each after batch norm and ReLU, are added to the input,
    which a 1×1 convolution gives as many channels (Gulrajani et al. 2017, networks for CIFAR-10).
    """

    def __init__(self, channels: int, out_channels: int) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            nn.BatchNorm2d(channels),
            nn.ReLU(),
            nn.Upsample(scale_factor=2.0),
            nn.Conv2d(channels, out_channels, 3, padding=1, bias=False),
            nn.BatchNorm2d(out_channels),
            nn.ReLU(),
            nn.Conv2d(out_channels, out_channels, 3, padding=1, bias=False),
        )
        # A 1×1 convolution gives the same after the upsampling, in four times the time.
        self.shortcut = nn.Sequential(
            nn.Conv2d(channels, out_channels, 1, bias=False), nn.Upsample(scale_factor=2.0)
        )

    def forward(self, x: Tensor) -> Tensor:
        """[N, C, H, W] to [N, D, 2H, 2W]."""
        change: Tensor = self.layers(x)
        shortcut: Tensor = self.shortcut(x)
        return shortcut + change
