"""`python -m train tag`: proposed tags of untagged images, and the page to review them."""

import csv
import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import drawn_faces
import pytest
from browser import FLAGS
from painted_faces import MODELS, Painted, paint_faces
from PIL import Image
from playwright.async_api import async_playwright

from export.registry import Registry
from train.__main__ import main
from train.data import load

Write = Callable[..., Path]


def rows(folder: Path) -> list[dict[str, str]]:
    with (folder / "tags.csv").open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream))


def page_data(folder: Path) -> dict[str, list[dict[str, Any]]]:
    text = (folder / "tags.html").read_text("utf-8")
    found = re.search(r'<script id="data" type="application/json">(.*?)</script>', text, re.DOTALL)
    assert found is not None
    data: dict[str, list[dict[str, Any]]] = json.loads(found[1])
    return data


@pytest.fixture(scope="module")
def faces() -> list[Painted]:
    return paint_faces(40)


@pytest.fixture
def painted(faces: list[Painted], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Untagged images whose names are the number, hair and eyes."""
    monkeypatch.setenv("IRODORI_MODELS__DIR", str(MODELS))
    folder = tmp_path / "painted"
    folder.mkdir()
    for number, (values, image) in enumerate(faces):
        image.save(folder / f"{number:02d} {' '.join(values)}.png")
    return folder


def test_without_data_the_model_in_use_recognizes_the_values(
    painted: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (painted / "broken.png").write_bytes(b"no image")
    main(["tag", str(painted), "--min-confidence", "0.5"])
    found = rows(painted)
    assert len(found) == 40
    certain = [row for row in found if row["hair"] and row["eyes"]]
    assert len(certain) > 30
    right = [row for row in certain if row["file"][3:] == f"{row['hair']} {row['eyes']}.png"]
    assert len(right) >= 0.9 * len(certain)
    output = capsys.readouterr().out
    assert "not tagged: unreadable image broken.png" in output
    assert f"40 images, values from model {Registry(MODELS).current()}" in output
    assert f"python -m train --data {painted} --skip-bad" in output


def test_uncertain_values_are_left_empty_and_listed(
    painted: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    Image.new("RGB", (64, 64), "gray").save(painted / "0.png")
    main(["tag", str(painted), "--min-confidence", "0.999", "--attributes", "hair"])
    found = rows(painted)
    assert set(found[0]) == {"file", "hair"}
    assert found[0] == {"file": "0.png", "hair": ""}
    empty = [row["file"] for row in found if not row["hair"]]
    assert f"uncertain, left empty: {len(empty)} (0.png" in capsys.readouterr().out
    images = page_data(painted)["images"]
    assert [image["file"] for image in images] == [row["file"] for row in found]
    assert empty == [i["file"] for i in images if i["tags"][0]["confidence"] < 0.999]


def test_tags_that_exist_are_replaced_only_with_force(
    painted: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (painted / "tags.csv").write_text("mine")
    with pytest.raises(SystemExit, match="2"):
        main(["tag", str(painted)])
    assert "has tags in tags.csv already; --force" in capsys.readouterr().out
    assert (painted / "tags.csv").read_text() == "mine"
    main(["tag", str(painted), "--force"])
    assert len(rows(painted)) == 40


def test_without_data_and_without_a_model_the_message_names_both(
    painted: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("IRODORI_MODELS__DIR", str(tmp_path / "none"))
    with pytest.raises(SystemExit, match="2"):
        main(["tag", str(painted)])
    output = capsys.readouterr().out
    assert "Give tagged images with --data" in output
    assert "--model" in output
    assert not (painted / "tags.csv").exists()


def test_values_are_learned_from_tagged_data(
    few_faces_zip: Path, lay_out: Write, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    files = drawn_faces.face_files(300)
    tags = dict(line.split(",") for line in files["tags.csv"].decode().splitlines()[240:])
    folder = lay_out({f"images/{n}.png": files[f"images/{n}.png"] for n in tags}, name="untagged")
    given = ["--data", str(few_faces_zip), "--resolution", "32", "--runs", str(tmp_path / "runs")]
    given += ["--judge.images", "1600", "--device", "cpu"]
    main(["tag", str(folder), *given])
    output = capsys.readouterr().out
    assert "held-out images of faces: hair " in output
    certain = [row for row in rows(folder) if row["hair"] and row["eyes"]]
    assert len(certain) > 30
    for row in certain:
        assert tags[Path(row["file"]).stem] == f"{row['hair']} hair {row['eyes']} eyes"
    faces = load(folder, 32, skip_bad=True)
    assert [attribute.name for attribute in faces.attributes] == ["hair", "eyes"]
    (classifier,) = (tmp_path / "runs").iterdir()
    main(["tag", str(folder), "--force", *given])  # with the cached classifier
    assert "training" not in capsys.readouterr().out
    assert list((tmp_path / "runs").iterdir()) == [classifier]


@pytest.fixture
def with_odd_name(painted: Path) -> Path:
    min(painted.iterdir()).rename(painted / 'a "name", odd.png')
    return painted


async def test_a_person_corrects_the_tags_on_the_page(
    with_odd_name: Path, chromium_path: str
) -> None:
    painted = with_odd_name
    main(["tag", str(painted)])
    before = rows(painted)
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=chromium_path, args=FLAGS)
        page = await browser.new_page()
        await page.goto((painted / "tags.html").as_uri())
        await page.get_by_label('hair of a "name", odd.png').select_option("pink")
        async with page.expect_download() as download:
            await page.get_by_role("button", name="Save tags.csv").click()
        await (await download.value).save_as(painted / "tags.csv")
        await browser.close()
    expected = [row | {"hair": "pink"} if "odd" in row["file"] else row for row in before]
    assert rows(painted) == expected
