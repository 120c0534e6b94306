"""The trainings of `lineage.py`: recipes with the widths, batches and times that a CPU can train.

The folder of a run depends on its entry, except on the minutes.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Entry:
    name: str
    recipe: str
    """Empty: the settings of `config.toml`."""
    flags: tuple[str, ...]
    minutes: float
    """Of training, in processor time of one CPU thread."""


PLAIN = ("--width", "32", "--batch", "64")
"""The same width and batch for all networks of DCGAN, whose losses are compared."""
SMALL_BATCH = ("--batch", "16")
MAKEGIRLSMOE = ("--upscalings", "3", "--width", "32", "--batch", "16")
"""The same networks for the weights of realness and for the heads."""
ENTRIES = (
    Entry("dcgan", "dcgan", PLAIN, 60),
    Entry("wgan-gp", "wgan-gp", PLAIN, 120),
    Entry("realness-0.2", "acgan-srresnet", (*MAKEGIRLSMOE, "--realness-weight", "0.2"), 90),
    Entry("realness-1", "acgan-srresnet", (*MAKEGIRLSMOE, "--realness-weight", "1"), 90),
    Entry("realness-5", "acgan-srresnet", (*MAKEGIRLSMOE, "--realness-weight", "5"), 90),
    Entry(
        "realness-5-deep-heads",
        "acgan-srresnet",
        (*MAKEGIRLSMOE, "--realness-weight", "5", "--heads", "deep", "--head-units", "512", "256"),
        90,
    ),
    Entry(
        "realness-5-two-nets",
        "acgan-srresnet",
        (*MAKEGIRLSMOE, "--realness-weight", "5", "--heads", "network"),
        90,
    ),
    Entry("acgan-dcgan", "acgan-dcgan", PLAIN, 60),
    Entry("acgan-decoupled", "acgan-decoupled", ("--width", "48", "--batch", "16"), 120),
    Entry("wgan-gp-report", "wgan-gp-report", PLAIN, 60),
    Entry("dcgan-residual", "dcgan", (*PLAIN, "--residual"), 60),
    Entry("aegan", "aegan", ("--width", "32", *SMALL_BATCH), 90),
    Entry("aegan-dcgan", "aegan-dcgan", ("--width", "32", *SMALL_BATCH), 60),
    Entry("aegan-wgan-gp", "aegan-wgan-gp", ("--width", "32", *SMALL_BATCH), 120),
    Entry("ebgan", "ebgan", ("--width", "64", "--discriminator-width", "32", *SMALL_BATCH), 60),
    Entry("dcgan-tricks", "dcgan-tricks", PLAIN, 60),
    Entry("cgan", "cgan", PLAIN, 60),
    Entry("dcgan-96", "dcgan-96", ("--width", "32", "--batch", "32"), 120),
    Entry("gan", "gan", (), 30),
    Entry("wgan", "wgan", ("--width", "32", *SMALL_BATCH), 120),
    Entry("stackgan", "stackgan", ("--width", "24"), 180),
    Entry("acgan-two-nets", "acgan-two-nets", ("--width", "48", "--batch", "16"), 120),
    Entry("r3gan", "r3gan", ("--width", "16", *SMALL_BATCH), 180),
    Entry("irodori", "irodori", (), 60),
)
"""In the order of training: first the claims of the texts."""
