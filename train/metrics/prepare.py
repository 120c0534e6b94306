"""Where a judge comes from: files beside the runs, or a short training."""

from pathlib import Path

from rich.console import Console

from train.data import SHOWN, DataError, Faces
from train.metrics.cache import Tensors, cached
from train.metrics.classifier import STAGES, Classifier, fit, images_for
from train.metrics.fidelity import Fidelity
from train.metrics.judge import Judge
from train.progress import bar

FEWEST = 16
"""Images, of which two are held out."""
FEWEST_OF_A_VALUE = 8
"""Images that show a value; from fewer the judge would learn single pictures, not the value."""
SECOND = 1
"""Seed of the second judge, by which nothing is chosen: the figures that are shown are its own."""
VERSION = 2
"""Increased when the classifier changes, so that no cached file of another is read."""
STRIDE = 2 ** len(STAGES)
"""Pixels of the picture to one of the classifier's last stage."""


def prepare(
    faces: Faces,
    folder: Path,
    *,
    images: int = 0,
    console: Console | None = None,
    seed: int = 0,
) -> Judge:
    """The judge of these faces: its classifier from the cache in `folder`, or trained on `images`
    images; 0 = as many as fit the data.

    Another `seed` is another judge: of other first weights, which saw the faces in another order.
    Where something was chosen by one judge, another one measures it.
    Without attributes it learns which of four ways up a picture is (Gidaris et al. 2018).
    The console shows the progress.
    Raises DataError for fewer than FEWEST images, FEWEST_OF_A_VALUE of a value, or a resolution
    that cannot be judged, and FeatureNetworkError where Lite2's weights are missing.
    """
    _check(faces)
    console = console or Console(quiet=True)
    fidelity = Fidelity(faces, folder)  # first: what is missing is said before anything is learned
    learnt, held_out = faces.split()
    size, sizes = faces.images.shape[-1], faces.sizes or (4,)
    images = images or images_for(learnt)
    trained = False

    def train() -> Tensors:
        nonlocal trained
        trained = True
        with bar(console, "training the judge's classifier") as tell:
            return dict(fit(learnt, sizes, images, seed, tell).state_dict())

    key = {"faces": faces.fingerprint, "images": images, "seed": seed, "version": VERSION}
    classifier = Classifier(size, sizes)
    classifier.load_state_dict(cached(folder, "classifier", key, train))
    judge = Judge(classifier.to(faces.images.device), faces, fidelity)
    if trained and faces.attributes:
        shares = judge.as_asked(held_out.images, held_out.labels)
        named = ", ".join(
            f"{a.name} {share:.1%}" for a, share in zip(faces.attributes, shares, strict=True)
        )
        console.print(f"the judge reads held-out faces right: {named}", highlight=False)
    return judge


def _check(faces: Faces) -> None:
    if len(faces) < FEWEST:
        raise DataError(
            f"{len(faces)} images are too few: an eighth is held out to judge by, and distances "
            f"need at least two of those; bring {FEWEST} or more (a few thousand to learn well)"
        )
    size = faces.images.shape[-1]
    if size % STRIDE:
        raise DataError(
            f"pictures of {size} pixels cannot be judged: the judge's classifier halves them "
            f"{len(STAGES)} times, so the resolution must be a multiple of {STRIDE}"
        )
    few = [
        f"{attribute.name} {value!r} has {count}"
        for column, attribute in enumerate(faces.attributes)
        for value, count in zip(
            attribute.values,
            faces.labels[:, column].bincount(minlength=len(attribute.values)).tolist(),
            strict=True,
        )
        if count < FEWEST_OF_A_VALUE
    ]
    if few:
        more = f" and {len(few) - SHOWN} more" if len(few) > SHOWN else ""
        raise DataError(
            f"too few images of some values: {', '.join(few[:SHOWN])}{more}. The judge needs "
            f"{FEWEST_OF_A_VALUE} or more of each to learn what it looks like: bring more, give "
            "these images the value next to it, or take them out"
        )
