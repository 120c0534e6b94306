"""Where a judge comes from: its file beside the runs, or a short training."""

import json
from collections.abc import Callable
from pathlib import Path

import torch
from safetensors.torch import load_file, save_file

from train.data import SHOWN, DataError, Faces
from train.judge.judge import Judge
from train.judge.network import Classifier, fit

FEWEST = 16
"""Images, of which two are held out."""
FEWEST_OF_A_VALUE = 8
"""Images that show a value; from fewer the judge would learn single pictures, not the value."""
SECOND = 1
"""Seed of the second judge, by which nothing is chosen: the figures that are shown are its own."""
VERSION = 1
"""Goes up when the judge changes, so that no figure is compared with one of another judge."""


def prepare(
    faces: Faces, folder: Path, *, images: int, report: Callable[[str], None], seed: int = 0
) -> Judge:
    """The judge of these faces: from the cache in `folder`, or trained on `images` images.

    Another `seed` is another judge: of other first weights, which saw the faces in another order.
    Where something was chosen by one judge, another one measures it.
    Without attributes it learns which of four ways up a picture is (Gidaris et al. 2018).
    Raises DataError for fewer than FEWEST images, or FEWEST_OF_A_VALUE of a value.
    """
    _check(faces)
    size = faces.images.shape[-1]
    which = f"{images // 1000}k" + (f"-seed{seed}" if seed else "")
    file = folder / f"judge-{faces.fingerprint}-{which}-v{VERSION}.safetensors"
    sizes = faces.sizes or (4,)
    if file.is_file():
        classifier = Classifier(size, sizes)
        classifier.load_state_dict(load_file(file))
        return Judge(classifier.to(faces.images.device), faces)
    learnt, held_out = faces.split()
    classifier = fit(learnt, sizes, images, seed, report)
    judge = Judge(classifier, faces)
    if faces.attributes:
        shares = judge.as_asked(held_out.images, held_out.labels)
        named = {a.name: round(s, 4) for a, s in zip(faces.attributes, shares, strict=True)}
        report(f"the judge reads held-out faces right: {json.dumps(named)}")
    folder.mkdir(parents=True, exist_ok=True)
    beside = file.with_name(f".{file.name}")
    save_file({k: v.contiguous() for k, v in classifier.cpu().state_dict().items()}, beside)
    beside.replace(file)
    classifier.to(faces.images.device)
    return judge


def _check(faces: Faces) -> None:
    if len(faces) < FEWEST:
        raise DataError(
            f"{len(faces)} images are too few: an eighth is held out to judge by, and distances "
            f"need at least two of those; bring {FEWEST} or more (a few thousand to learn well)"
        )
    few = [
        f"{attribute.name} {value!r} has {count}"
        for column, attribute in enumerate(faces.attributes)
        for value, count in zip(
            attribute.values,
            torch.bincount(faces.labels[:, column], minlength=len(attribute.values)).tolist(),
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
