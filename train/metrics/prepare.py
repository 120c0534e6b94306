"""Builds a judge from cached files, or by a short training of its classifier."""

from pathlib import Path
from typing import Any

from rich.console import Console

from train.data import SHOWN, DataError, Faces
from train.metrics.cache import Tensors, cached, find_cached
from train.metrics.classifier import STAGES, Classifier, fit, images_for
from train.metrics.fidelity import Fidelity
from train.metrics.judge import Judge
from train.progress import progress_bar

MIN_IMAGES = 16
"""Minimum number of images, of which two are held out."""
MIN_IMAGES_PER_VALUE = 8
"""Minimum number of images of a value; from fewer, the classifier would memorize images."""
SECOND_SEED = 1
"""Seed of the second judge. The first one chooses during calibration, the second one measures, with
another classifier and other latents."""
VERSION = 2
"""To be increased when the classifier changes, so that older cache files are not used."""
STRIDE = 2 ** len(STAGES)
"""Stride of the classifier's last stage, in pixels."""


def prepare(
    faces: Faces,
    folder: Path,
    *,
    images: int = 0,
    console: Console | None = None,
    seed: int = 0,
    fidelity: Fidelity | None = None,
) -> Judge:
    """Builds the judge of a set of faces.

    Its classifier is read from the cache in `folder`, or trained on `images` images (0 = a number
    that depends on the data). `seed` determines initial weights and order of the images, and the
    latents that the judge draws. A judge that was used to choose something must not measure the
    result; use another seed. `fidelity` is that of another judge of these faces, to be shared.
    Without attributes the classifier predicts rotations (Gidaris et al. 2018).

    Raises DataError for fewer than MIN_IMAGES images, for values with fewer than
    MIN_IMAGES_PER_VALUE, and for a resolution that cannot be judged; raises FeatureNetworkError if
    the weights of Lite2 are missing.
    """
    check_data(faces)
    console = console or Console(quiet=True)
    # First: missing weights are reported before any training.
    fidelity = fidelity or Fidelity(faces, folder)
    classifier, trained = prepare_classifier(
        faces, folder, images=images, console=console, seed=seed
    )
    judge = Judge(classifier, faces, fidelity, latent_seed=_latent_seed(seed))
    if trained and faces.attributes:
        held_out = judge.held_out
        shares = judge.as_asked(held_out.images, held_out.labels)
        named = ", ".join(
            f"{a.name} {share:.1%}" for a, share in zip(faces.attributes, shares, strict=True)
        )
        console.print(f"the judge reads held-out faces right: {named}", highlight=False)
    return judge


def prepare_both(
    faces: Faces, folder: Path, *, images: int = 0, console: Console | None = None
) -> tuple[Judge, Judge]:
    """The judge that chooses and the one that measures, see `prepare`. They share the features of
    the real images.
    """
    first = prepare(faces, folder, images=images, console=console)
    fidelity = first.fidelity
    return first, prepare(
        faces, folder, images=images, console=console, seed=SECOND_SEED, fidelity=fidelity
    )


def prepare_classifier(
    faces: Faces, folder: Path, *, images: int, console: Console, seed: int = 0
) -> tuple[Classifier, bool]:
    """The classifier of a judge, see `prepare`, and whether it was trained just now."""
    training_set, _ = faces.split()
    size, sizes = faces.images.shape[-1], faces.sizes or (4,)
    images = images or images_for(training_set)
    trained = False

    def train() -> Tensors:
        nonlocal trained
        trained = True
        with progress_bar(console, "training the judge's classifier") as report_progress:
            return dict(fit(training_set, sizes, images, seed, report_progress).state_dict())

    classifier = Classifier(size, sizes)
    classifier.load_state_dict(cached(folder, "classifier", _key(faces, images, seed), train))
    return classifier.to(faces.images.device).eval(), trained


def find(faces: Faces, folder: Path, *, images: int = 0, seed: int = 0) -> Judge | None:
    """The judge that `prepare` builds, if its classifier is cached, otherwise None."""
    images = images or images_for(faces.split()[0])
    state = find_cached(folder, "classifier", _key(faces, images, seed))
    if state is None:
        return None
    classifier = Classifier(faces.images.shape[-1], faces.sizes or (4,))
    classifier.load_state_dict(state)
    classifier.to(faces.images.device)
    return Judge(classifier, faces, Fidelity(faces, folder), latent_seed=_latent_seed(seed))


def _latent_seed(seed: int) -> int:
    """The second judge draws latents of seed 0, as for all stored figures; the others do not, since
    what is chosen by one set of latents looks too good in the same ones.
    """
    return 0 if seed == SECOND_SEED else 1


def _key(faces: Faces, images: int, seed: int) -> dict[str, Any]:
    return {"faces": faces.fingerprint, "images": images, "seed": seed, "version": VERSION}


def check_data(faces: Faces) -> None:
    """Raises DataError if no judge can be built for these faces, see `prepare`."""
    if len(faces) < MIN_IMAGES:
        raise DataError(
            f"{len(faces)} images are too few: an eighth is held out for the judge, which needs at "
            f"least two; bring {MIN_IMAGES} or more (a few thousand for good results)"
        )
    size = faces.images.shape[-1]
    if size % STRIDE:
        raise DataError(
            f"images of {size} pixels cannot be judged: the judge's classifier halves them "
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
        if count < MIN_IMAGES_PER_VALUE
    ]
    if few:
        more = f" and {len(few) - SHOWN} more" if len(few) > SHOWN else ""
        raise DataError(
            f"too few images of some values: {', '.join(few[:SHOWN])}{more}. The judge needs "
            f"{MIN_IMAGES_PER_VALUE} or more of each: add images, give these ones a similar value, "
            "or remove them"
        )
