"""Makes the small pictures of `docs/training.md` with `python -m train show` and `compare`.

    python docs/make_show_pictures.py RUN ENCODING-RUN DIGITS-RUN --data faces64.zip \
        [--only NAME ...]

RUN and ENCODING-RUN are trainings of `benchmarks/lineage.py`: of `dcgan`, and of a generator with
an encoder. DIGITS-RUN is a training on the folder `mnist` of `docs/training.md`:

    python -m train --data mnist --recipe acgan-dcgan --width 32 --batch 64 --resolution 32 \
        --enlarge --minutes 6 --clock processor --threads 1 --name digits --no-export
"""

import argparse
import sys
import tempfile
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path

from PIL import Image, ImageSequence

DOCS = Path(__file__).parent
sys.path.insert(0, str(DOCS.parent))  # so that `train` is the package

from export.registry import Registry  # noqa: E402
from train.__main__ import main as train  # noqa: E402

MODEL = Registry(DOCS.parent / "models").current() or ""
WISHES = ("hair:aqua eyes:orange", "hair:black eyes:yellow", "hair:pink eyes:orange")
MAX_BYTES = 11_000
WIDTHS, QUALITIES = (520, 440, 360, 300, 240), (70, 55, 45)
"""Tried one after the other, until a picture is small enough."""
HEIGHTS = {"samples": 192, "digits": 256, "grid": 276, "interpolation": 128, "arithmetic": 276}
"""Pixels of the sheets that are shown in part: some rows of faces, with the headings."""
FRAMES, FRAME_WIDTH = 8, 220
CELL = 64
"""Pixels of a face on the sheet of samples."""


def commands(given: argparse.Namespace, folder: Path) -> dict[str, list[str]]:
    """The arguments of `python -m train`, by the name of the picture that they write."""
    run, encoding = given.run, given.encoding
    wishes = [argument for wish in WISHES for argument in ("--wish", wish)]
    faces = [str(folder / f"face-{number}.png") for number in range(8)]
    epochs = ["epochs", "--epochs", "0.1", "0.5", "1", "2"]
    return {
        "samples": ["show", MODEL, "samples"],
        "grid": ["show", MODEL, "grid"],
        "wishes": ["show", MODEL, *wishes],
        "best": ["show", MODEL, "--best", "12", "--of", "256"],
        "interpolation": ["show", MODEL, "interpolation", "--seed", "2"],
        "arithmetic": ["show", MODEL, "arithmetic", "--data", given.data],
        "epochs": ["show", run, *epochs],
        "animation": ["show", run, "animation"],
        "losses": ["show", run, "losses"],
        "reconstruction": ["show", encoding, "reconstruction", *faces],
        "compare": ["compare", run, encoding],
        "digits": ["show", given.digits, "samples"],
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("run", metavar="RUN", help="a short training")
    parser.add_argument("encoding", metavar="ENCODING-RUN", help="one with an encoder")
    parser.add_argument("digits", metavar="DIGITS-RUN", help="one of digits")
    parser.add_argument("--data", required=True, help="the images of the default model")
    parser.add_argument("--only", nargs="+", metavar="NAME", help="only these pictures")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for picture, arguments in commands(given, folder).items():
            if given.only and picture not in given.only:
                continue
            if picture == "reconstruction":
                save_faces(folder)
            out = folder / "compare.webp" if picture == "compare" else folder
            arguments += ["--out", str(out)]
            train(arguments)
            (written,) = folder.glob(f"{'samples' if picture == 'digits' else picture}.*")
            target = DOCS / f"show-{picture}.webp"
            animated = picture == "animation"
            target.write_bytes(
                small_animation(written) if animated else small(written, HEIGHTS.get(picture))
            )
            print(target, target.stat().st_size)


def save_faces(folder: Path) -> None:
    """Images that no training has seen: faces of the default model."""
    train(["show", MODEL, "samples", "--seed", "20", "--out", str(folder)])
    with Image.open(folder / "samples.png") as sheet:
        for number in range(8):
            place = (CELL * number, 0, CELL * (number + 1), CELL)
            sheet.crop(place).save(folder / f"face-{number}.png")


def small(file: Path, height: int | None) -> bytes:
    """The largest of the tried encodings with at most MAX_BYTES, else the smallest."""
    with Image.open(file) as stored:
        picture = stored.convert("RGB").crop((0, 0, stored.width, height or stored.height))
    for encoded in _encodings(picture):
        if len(encoded) <= MAX_BYTES:
            break
    return encoded


def _encodings(picture: Image.Image) -> Iterator[bytes]:
    for width in WIDTHS:
        scaled = picture
        if picture.width > width:
            height = round(picture.height * width / picture.width)
            scaled = picture.resize((width, height), Image.Resampling.LANCZOS)
        for quality in QUALITIES:
            stream = BytesIO()
            scaled.save(stream, "WEBP", quality=quality, method=6)
            yield stream.getvalue()


def small_animation(file: Path) -> bytes:
    with Image.open(file) as stored:
        frames = [frame.convert("RGB") for frame in ImageSequence.Iterator(stored)][-FRAMES:]
    for frame in frames:
        frame.thumbnail((FRAME_WIDTH, FRAME_WIDTH))
    stream = BytesIO()
    frames[0].save(
        stream,
        "WEBP",
        save_all=True,
        append_images=frames[1:],
        duration=[400] * (len(frames) - 1) + [2000],
        loop=0,
        quality=40,
        method=6,
    )
    return stream.getvalue()


if __name__ == "__main__":
    main()
