"""`python -m train show RUN`."""

from pathlib import Path

import pytest
import torch
from drawn_faces import write_zip
from PIL import Image
from PIL.GifImagePlugin import GifImageFile
from PIL.WebPImagePlugin import WebPImageFile
from small_recipes import small
from small_runs import make_run

from train import checkpoint
from train.__main__ import main
from train.data import load
from train.show.model import Model
from train.show.pictures import MAX_FRAMES, frames


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("IRODORI_JUDGE__IMAGES", "640")
    monkeypatch.setenv("COLUMNS", "200")


@pytest.fixture
def run(tmp_path: Path, faces_zip: Path) -> Path:
    return make_run(tmp_path / "runs/run", load(faces_zip, 32), reports=3, data=faces_zip)


@pytest.fixture
def untagged_run(tmp_path: Path, face_files: dict[str, bytes]) -> Path:
    files = {name: face_files[name] for name in list(face_files)[:64]}
    data = write_zip(tmp_path / "plain.zip", files)
    return make_run(tmp_path / "runs/plain", load(data, 32), data=data)


def size_of(file: Path) -> tuple[int, int]:
    with Image.open(file) as picture:
        return picture.size


def test_show_all_pictures(run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    main(["show", str(run), "--seed", "3"])
    said = capsys.readouterr().out
    for name in ("samples", "grid", "interpolation", "best", "epochs", "arithmetic", "losses"):
        assert (run / f"{name}.png").is_file(), name
        assert f"{run}/{name}.png" in said
    assert size_of(run / "samples.png") == (8 * 64, 8 * 64)
    width, height = size_of(run / "grid.png")
    assert (width - 3 * 64 > 20, height) == (True, 20 + 4 * 64), "hair by eyes, labelled"
    assert size_of(run / "interpolation.png")[1] == 6 * 64
    with Image.open(run / "animation.webp") as animation:
        assert isinstance(animation, WebPImageFile)
        assert animation.n_frames == 3


def test_best_of_many_candidates(run: Path, tmp_path: Path) -> None:
    main(["show", str(run), "--best", "10", "--of", "70"])
    assert [file.name for file in run.glob("*.png") if "samples" not in file.name] == ["best.png"]
    assert size_of(run / "best.png") == (4 * 64, 3 * 64), "as square as possible"
    with Image.open(run / "best.png") as sheet:
        assert sheet.getpixel((3 * 64 + 5, 2 * 64 + 5)) == (255, 255, 255), "two places stay empty"
        first = sheet.crop((0, 0, 64, 64)).tobytes()
    main(["show", str(run), "--best", "1", "--of", "70", "--out", str(tmp_path / "one")])
    with Image.open(tmp_path / "one/best.png") as sheet:
        assert sheet.tobytes() == first, "the best one is the first"


def test_samples_after_some_epochs(run: Path) -> None:
    main(["show", str(run), "epochs", "--epochs", "6", "8", "16", "100"])
    width, height = size_of(run / "epochs.png")
    assert height == 3 * 64, "epochs 7.5, 15 and 22.5"
    with Image.open(run / "epochs.png") as sheet:
        levels = [sheet.getpixel((width - 5, 64 * row + 30)) for row in range(3)]
    assert levels == [(level,) * 3 for level in (40, 80, 120)]


def test_reconstruction_of_images_of_ones_own(
    tmp_path: Path, faces_zip: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run = make_run(tmp_path / "runs/aegan", load(faces_zip, 32), chosen=small("aegan-dcgan"))
    Image.new("RGB", (200, 100), "red").save("photo.png")
    Image.new("L", (28, 28), 200).save("digit.jpg")
    main(["show", str(run), "reconstruction", "photo.png", "digit.jpg"])
    width, height = size_of(run / "reconstruction.png")
    assert height == 2 * 64
    with Image.open(run / "reconstruction.png") as sheet:
        assert sheet.getpixel((width - 2 * 64 + 5, 5)) == (255, 0, 0)
        assert sheet.getpixel((width - 5, 60)) == (200, 200, 200)
    Path("notes.txt").write_text("no image")
    for given, message in (
        ([str(run), "reconstruction"], "name the images to reconstruct"),
        ([str(run), "reconstruction", "notes.txt"], "notes.txt is not a readable image"),
        ([str(run), "reconstruction", "gone.png"], "gone.png is not a readable image"),
        ([str(run), "--best", "65", "--of", "64"], "there must be as many candidates"),
    ):
        with pytest.raises(SystemExit):
            main(["show", *given])
        assert message in capsys.readouterr().out


def test_error_for_a_reconstruction_without_an_encoder(
    run: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    Image.new("RGB", (64, 64)).save("photo.png")
    with pytest.raises(SystemExit):
        main(["show", str(run), "reconstruction", "photo.png"])
    assert "has no encoder" in " ".join(capsys.readouterr().out.split())


def test_a_checkpoint_of_a_gpu_is_shown_and_resumed_on_a_cpu(run: Path, faces_zip: Path) -> None:
    """Files have no devices; only the random state, of 16 bytes there, is of another kind."""
    tensors, progress = checkpoint.restore(run), checkpoint.read_progress(run)
    tensors["rng"] = torch.arange(16, dtype=torch.uint8)
    checkpoint.save(run, tensors, progress)
    main(["show", str(run), "samples"])
    assert (run / "samples.png").is_file()
    more = ("--images", "1664", "--no-export", "--device", "cpu")
    main(["--data", str(faces_zip), "--resume", str(run), *more])
    assert checkpoint.read_run(run).images == 1664
    assert len(checkpoint.restore(run)["rng"]) > 16


def test_judge_is_cached_in_the_folder_of_the_runs(run: Path, tmp_path: Path) -> None:
    (tmp_path / "runs").rename(tmp_path / "elsewhere")
    main(["show", "elsewhere/run", "arithmetic"])
    assert len(list((tmp_path / "elsewhere").glob("judge-*"))) == 1
    assert not (tmp_path / "runs").exists()


def test_pictures_depend_on_the_seed(run: Path, tmp_path: Path) -> None:
    for folder, seed in (("one", "1"), ("same", "1"), ("other", "2")):
        main(["show", str(run), "samples", "--seed", seed, "--out", folder])
    one, same, other = (
        (tmp_path / f / "samples.png").read_bytes() for f in ("one", "same", "other")
    )
    assert one == same != other
    assert [file.name for file in (tmp_path / "one").iterdir()] == ["samples.png"]


def test_error_for_a_seed_out_of_range(run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["show", str(run), "samples", "--seed", str(2**64)])
    assert "argument --seed: 18446744073709551616 is not from 0 to" in capsys.readouterr().err


def test_model_generates_in_batches(run: Path) -> None:
    model = Model(run)
    labels = model.labels(2)
    assert model.name([2, 1]) == "pink hair, green eyes"
    assert model.encode(labels).shape == (2, 7)
    assert model.generate(model.latents(70), model.encode(model.labels(70))).shape == (
        70,
        3,
        32,
        32,
    )


def test_an_animation_as_gif(run: Path) -> None:
    main(["show", str(run), "animation", "--format", "gif"])
    with Image.open(run / "animation.gif") as animation:
        assert isinstance(animation, GifImageFile)
        assert animation.n_frames == 3
        assert animation.info["duration"] == 200
        animation.seek(2)
        assert animation.info["duration"] == 2000, "the last one stays"


def test_animation_of_many_reports_keeps_the_first_and_last(run: Path) -> None:
    for number in range(4, 200):
        (run / f"samples-{number:06d}k.png").symlink_to(run / "samples-000003k.png")
    shown = frames(run)
    assert len(shown) == MAX_FRAMES
    assert shown[0].getpixel((5, 5)) == (40, 40, 40)
    assert shown[-1].size == (96, 84), "a caption below"


def test_pictures_that_a_run_cannot_show_are_reported(
    untagged_run: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    main(["show", str(untagged_run)])
    said = capsys.readouterr().out
    assert "no grid: " in said
    assert "was trained without attributes" in said
    assert "no animation: " in said
    assert (untagged_run / "samples.png").is_file()
    assert (untagged_run / "arithmetic.png").is_file()


@pytest.mark.parametrize(
    ("what", "message"),
    [
        ("grid", "plain was trained without attributes"),
        ("animation", "has samples of 0 reports, and an animation needs two or more"),
        ("losses", "has fewer than two reports"),
        ("portrait", "there is no picture 'portrait'; there are: samples, grid"),
    ],
)
def test_requested_picture_that_a_run_cannot_show_is_an_error(
    what: str, message: str, untagged_run: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as end:
        main(["show", str(untagged_run), what])
    assert end.value.code == 2
    assert message in capsys.readouterr().out


def test_error_for_missing_data_of_a_run(
    run: Path, faces_zip: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    gone = make_run(tmp_path / "runs/gone", load(faces_zip, 32), data=tmp_path / "gone.zip")
    with pytest.raises(SystemExit):
        main(["show", str(gone), "arithmetic"])
    assert "gone.zip, does not exist; give its path with --data" in capsys.readouterr().out
    main(["show", str(gone), "arithmetic", "--data", str(faces_zip)])
    assert (gone / "arithmetic.png").is_file()
