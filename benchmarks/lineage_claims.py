"""What the texts claim about their systems, and whether the trainings of `lineage.py` agree."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from benchmarks.lineage_results import Scale, TrainedRecipe
from export.figures import ALL_AS_ASKED, DETECTOR_FACES, FD_RATIO, FIGURES, label, number

HIGHER_IS_BETTER = (ALL_AS_ASKED, DETECTOR_FACES)
RELATIVE, ABSOLUTE = 0.05, 0.02
"""Smaller differences of a figure, and of a share, count as none."""


@dataclass(frozen=True)
class Comparison:
    """The claim that one entry has a better figure than another after as many minutes or images,
    those of the shorter training.
    """

    better: str
    worse: str
    figure: str = FD_RATIO
    scale: Scale = "minutes"

    def measure(self, trained: Mapping[str, TrainedRecipe]) -> tuple[str, int | None]:
        """The values as a text; and 1 if the claim is right, 0 if both are alike, -1 if it is
        wrong, None if one has no figures.
        """
        pair = trained[self.better], trained[self.worse]
        place = min(one.end(self.scale) for one in pair)
        values = [one.value(self.figure, self.scale, place) for one in pair]
        shown = " against ".join(
            f"{one.name} {'diverged' if value is None else number(self.figure, value)}"
            for one, value in zip(pair, values, strict=True)
        )
        where = f"{place:.0f} minutes" if self.scale == "minutes" else f"{place:,.0f} images"
        return f"{label(self.figure)} at {where}: {shown}", self._verdict(*values)

    def _verdict(self, better: float | None, worse: float | None) -> int | None:
        if better is None or worse is None:
            return None
        share = self.figure == ALL_AS_ASKED or FIGURES[self.figure].is_share
        tolerance = ABSOLUTE if share else RELATIVE * max(abs(better), abs(worse))
        lead = better - worse if self.figure in HIGHER_IS_BETTER else worse - better
        return 0 if abs(lead) < tolerance else 1 if lead > 0 else -1


@dataclass(frozen=True)
class Claim:
    text: str
    comparisons: tuple[Comparison, ...]

    @property
    def entries(self) -> set[str]:
        return {name for one in self.comparisons for name in (one.better, one.worse)}

    def row(self, trained: Mapping[str, TrainedRecipe]) -> str:
        """A row of the table."""
        measured = [one.measure(trained) for one in self.comparisons]
        shown = "; ".join(text for text, _ in measured)
        return f"| {self.text} | {shown} | {_answer([verdict for _, verdict in measured])} |"


def _answer(verdicts: Sequence[int | None]) -> str:
    kinds = set(verdicts)
    if None in kinds:
        return "a training diverged"
    if kinds == {0}:
        return "no difference"
    if 1 not in kinds:
        return "no"
    return "yes" if kinds == {1} else "in part"


@dataclass(frozen=True)
class Topic:
    """Entries that are compared with each other, in a plot of their own."""

    name: str
    entries: tuple[str, ...]
    claims: tuple[Claim, ...] = ()


TOPICS = (
    Topic(
        "MakeGirlsMoe's networks, λ = weight of realness",
        (
            *("realness-0.2", "realness-1", "realness-5"),
            *("realness-5-deep-heads", "realness-5-two-nets"),
        ),
        (
            Claim(
                "λ = 5 loses the classes that λ = 1 has (report)",
                (Comparison("realness-1", "realness-5", ALL_AS_ASKED),),
            ),
            Claim(
                "λ = 5 has better images than λ = 1 (report)",
                (Comparison("realness-5", "realness-1"),),
            ),
            Claim(
                "A small λ has worse images (report)",
                (Comparison("realness-1", "realness-0.2"),),
            ),
            Claim(
                "With λ = 5, separate heads of three layers have the classes, and better images"
                " than λ = 1 (report)",
                (
                    Comparison("realness-5-deep-heads", "realness-5", ALL_AS_ASKED),
                    Comparison("realness-5-deep-heads", "realness-1"),
                ),
            ),
            Claim(
                "Two networks should be better than one with two heads (report, not tried there)",
                (
                    Comparison("realness-5-two-nets", "realness-5-deep-heads", ALL_AS_ASKED),
                    Comparison("realness-5-two-nets", "realness-5-deep-heads"),
                ),
            ),
        ),
    ),
    Topic(
        "DCGAN and WGAN-GP",
        ("dcgan", "wgan-gp", "wgan-gp-report", "wgan", "dcgan-residual", "dcgan-tricks"),
        (
            Claim(
                "WGAN-GP converges faster than DCGAN: better after as many epochs, and as many"
                " minutes (homework, whose WGAN-GP has batch norm and a penalty per pixel)",
                (
                    Comparison("wgan-gp-report", "dcgan", scale="images"),
                    Comparison("wgan-gp-report", "dcgan"),
                ),
            ),
            Claim(
                "The WGAN-GP of the paper converges faster than DCGAN, too",
                (Comparison("wgan-gp", "dcgan", scale="images"), Comparison("wgan-gp", "dcgan")),
            ),
            Claim(
                "A DCGAN that trains well has better images than WGAN-GP (report)",
                (Comparison("dcgan", "wgan-gp"),),
            ),
            Claim(
                "WGAN-GP collapses less (homework, with its WGAN-GP)",
                (
                    Comparison("wgan-gp-report", "dcgan", "near_duplicates", "images"),
                    Comparison("wgan-gp-report", "dcgan", "dropped_clusters", "images"),
                ),
            ),
            Claim(
                "The WGAN-GP of the paper collapses less, too",
                (
                    Comparison("wgan-gp", "dcgan", "near_duplicates", "images"),
                    Comparison("wgan-gp", "dcgan", "dropped_clusters", "images"),
                ),
            ),
            Claim(
                "Residual blocks improve the generator (book)",
                (Comparison("dcgan-residual", "dcgan"),),
            ),
        ),
    ),
    Topic(
        "Conditional systems",
        ("acgan-dcgan", "cgan", "acgan-decoupled", "acgan-two-nets"),
        (
            Claim(
                "An ACGAN of DCGAN networks has worse images than DCGAN (report)",
                (Comparison("dcgan", "acgan-dcgan"),),
            ),
            Claim(
                "The report's best system has better images than that ACGAN (report)",
                (Comparison("acgan-decoupled", "acgan-dcgan"),),
            ),
            Claim(
                "Two networks should be better than the two heads of the report's best system, too",
                (
                    Comparison("acgan-two-nets", "acgan-decoupled", ALL_AS_ASKED),
                    Comparison("acgan-two-nets", "acgan-decoupled"),
                ),
            ),
        ),
    ),
    Topic(
        "Auto-encoding generator, and EBGAN",
        ("aegan", "aegan-dcgan", "aegan-wgan-gp", "ebgan"),
        (
            Claim(
                "Deep convolutional networks improve the auto-encoding generator (article)",
                (Comparison("aegan-dcgan", "aegan"),),
            ),
            Claim(
                "The Wasserstein loss with gradient penalty improves it further (article)",
                (Comparison("aegan-wgan-gp", "aegan-dcgan"),),
            ),
        ),
    ),
    Topic("Other systems", ("gan", "dcgan-96", "stackgan", "r3gan", "irodori")),
)


def topics(everything: Sequence[TrainedRecipe]) -> list[tuple[str, list[TrainedRecipe]]]:
    """The trained entries of each topic; entries of no topic are at the end."""
    by_name = {trained.name: trained for trained in everything}
    found = [
        (topic.name, [by_name.pop(name) for name in topic.entries if name in by_name])
        for topic in TOPICS
    ]
    found.append(("Entries of no topic", list(by_name.values())))
    return [(name, group) for name, group in found if group]


def table(everything: Sequence[TrainedRecipe], choice: Sequence[Topic] = TOPICS) -> Iterator[str]:
    """Paragraphs with the claims whose entries are trained, and what is missing for the others;
    nothing if no claim can be answered.
    """
    trained = {one.name: one for one in everything}
    claims = [claim for topic in choice for claim in topic.claims]
    rows = [claim.row(trained) for claim in claims if claim.entries <= trained.keys()]
    if not rows:
        return
    yield (
        "Single trainings; at points between two measurements, values are interpolated. Differences"
        f" of less than {RELATIVE:.0%} of a figure, or {100 * ABSOLUTE:.0f} points of a share, are"
        " none."
    )
    yield "\n".join(["| claim | measured | answer |", "|---|---|---|", *rows])
    missing = [name for claim in claims for name in sorted(claim.entries - trained.keys())]
    if missing:
        names = ", ".join(dict.fromkeys(missing))
        yield f"Claims that wait for a training of {names}: {len(claims) - len(rows)}."
