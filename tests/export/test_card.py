import re
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from quick_exports import SCORED
from small_models import make_manifest

from export.card import draw_samples, draw_weakest, write_card
from export.manifest import Attribute
from export.registry import Registry

HAIR, EYES = make_manifest().attributes
GLASSES = Attribute(name="glasses", values=("round", "none"), frequencies=(0.0, 1.0))
MANY = Attribute(name="hat", values=tuple(f"hat {i}" for i in range(40)), frequencies=(0.025,) * 40)


def paint_condition(latents: np.ndarray, conditions: np.ndarray) -> np.ndarray:
    """16 × 16 images whose first bytes are the condition."""
    assert len(latents) == len(conditions)
    pictures = np.zeros((len(latents), 16 * 16 * 3), np.uint8)
    pictures[:, : conditions.shape[1]] = conditions * 255
    return pictures.reshape(-1, 16, 16, 3)


@pytest.mark.parametrize(
    ("attributes", "rows", "columns"),
    [
        ((HAIR, EYES), 3, 2),
        ((HAIR, EYES, GLASSES), 3, 2),
        ((HAIR,), 3, 8),
        ((), 8, 8),
        ((MANY, HAIR), 6, 3),
    ],
)
def test_samples_show_every_pair(
    attributes: tuple[Attribute, ...], rows: int, columns: int
) -> None:
    manifest = make_manifest(attributes=attributes)
    grid = np.asarray(draw_samples(paint_condition, manifest))
    left, top = grid.shape[1] - 16 * columns, grid.shape[0] - 16 * rows
    assert (top > 0, left > 0) == (len(attributes) > 1, len(attributes) > 0)
    for y in range(rows):
        for x in range(columns):
            cell = grid[top + 16 * y :, left + 16 * x :][:16, :16]
            shown = manifest.decode(cell.flatten()[: manifest.condition_dim])
            if attributes:
                assert shown[attributes[0].name] == attributes[0].values[y]
            if len(attributes) > 1:
                assert shown[attributes[1].name] == attributes[1].values[x]
            if len(attributes) > 2:
                assert shown["glasses"] == "none"


def test_samples_have_different_latents() -> None:
    seen: list[np.ndarray] = []

    def generate(latents: np.ndarray, conditions: np.ndarray) -> np.ndarray:
        seen.extend(latents)
        return paint_condition(latents, conditions)

    draw_samples(generate, make_manifest(attributes=()))
    assert len(np.unique(np.stack(seen), axis=0)) == 64


def test_card_has_figures_of_real_images() -> None:
    metrics = {"lite2_fd_ratio": 4.531, "lite2_fd_ratio_real": 1.0, "speed": 1234.5}
    metrics |= {"hair_as_asked": 0.991, "hair_as_asked_real": 0.995}
    metrics |= {"lite2_fd_stride4": 0.0213, "lite2_fd_stride4_real": 0.00523}
    card = write_card(make_manifest(metrics=metrics))
    rows = [line.split(" | ") for line in card.splitlines() if line.count("|") == 5]
    figures = {row[0].strip("| "): [cell.strip() for cell in row[1:3]] for row in rows[1:]}
    figures.pop("|---", None)
    assert figures["hair as asked"] == ["99.1%", "99.5%"]
    assert figures["FD ratio (Lite2)"] == ["4.53", "1"]
    assert figures["FD (Lite2, stride 4)"] == ["0.0213", "0.00523"]
    assert figures["speed"] == ["1,234", ""]
    assert not any(name.endswith("_real") for name in figures)


def test_card_describes_the_training_data() -> None:
    training = {"images": 2_000_000, "settings": {"data": "faces64.zip", "batch": 16}}
    training |= {"judged": {"learnt": 70, "held_out": 10}, "about": "found in a drawer"}
    card = write_card(make_manifest(training=training))
    assert "faces64.zip, 70 for training, 10 held out" in card
    assert "found in a drawer" in card
    assert "2,000,000 images" in card
    assert "hair: aqua 50.0%, pink 30.0%, red 20.0%" in card
    assert '"batch": 16' in card


def test_card_has_values_pairs_and_candidates(exported: Registry) -> None:
    card = (exported.folder("small") / "MODEL_CARD.md").read_text()
    assert "Measured on 100 generated images, each the best of 4." in card
    assert "| requested eyes | shown | in real images |" in card
    assert "| blue | 99.0% | 100.0% |" in card
    assert "| orange | 97.0% |  |" in card
    assert "| red hair, blue eyes | hair 98.0%, eyes 96.0% |" in card
    assert "| best of | hair as asked | FD ratio (Lite2) | near-duplicates |" in card
    assert "| 4 | 99.1% | 4.5 | 8.0% |" in card
    assert "The requested values with the lowest shares: orange eyes (97.0%)" in card
    assert "## Upscaler" not in card


def test_card_describes_the_upscaler() -> None:
    figures = {"images": 60_000, "pictures": 200, "psnr": 24.51, "psnr_bicubic": 22.02}
    figures |= {"ssim": 0.811, "ssim_bicubic": 0.702, "clean_psnr": 27.0, "clean_ssim": 0.9}
    figures |= {"clean_psnr_bicubic": 25.0, "clean_ssim_bicubic": 0.85}
    upscaler = {"figures": figures, "settings": {"data": "faces256.zip"}}
    card = write_card(make_manifest(training={"upscaler": upscaler}))
    assert "trained on faces256.zip, with 60,000 patches" in card
    assert "| degraded as in training | 24.51 | 22.02 | 0.811 | 0.702 |" in card
    assert "| downscaled only | 27.00 | 25.00 | 0.900 | 0.850 |" in card


def test_weakest_images_have_the_lowest_scores() -> None:
    manifest = make_manifest(candidates=2)
    seen: list[np.ndarray] = []

    def generate(latents: np.ndarray, conditions: np.ndarray) -> np.ndarray:
        """Uniform gray images that depend on the latent."""
        level = (latents[:, :1] * 30 + 128).clip(0, 255).astype(np.uint8)
        seen.append(level)
        return np.broadcast_to(level[:, :, None, None], (len(latents), 16, 16, 3))

    def score(pictures: np.ndarray, conditions: np.ndarray) -> np.ndarray:
        return pictures[:, 0, 0, 0].astype(np.float32)

    grid = np.asarray(draw_weakest(generate, score, manifest))
    levels = np.stack(seen)[:, :, 0]
    assert levels.shape == (SCORED, 2)
    single, best = (grid[y, -12 * 16 + 8 :: 16, 0] for y in (8, 24))
    assert single.tolist() == sorted(levels[:, 0])[:12]
    assert best.tolist() == sorted(levels.max(axis=1))[:12]


def test_code_on_the_card_generates_an_image(
    exported: Registry, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    folder = exported.folder("small")
    card = (folder / "MODEL_CARD.md").read_text()
    code = re.search(r"```python\n(.*?)```", card, re.DOTALL)
    assert code is not None
    (tmp_path / "models").symlink_to(exported.root)
    monkeypatch.chdir(tmp_path)
    exec(compile(code[1], "MODEL_CARD.md", "exec"), {})
    assert Image.open("avatar.png").size == (32, 32)
    assert (folder / re.findall(r"!\[.*?\]\((.*?)\)", card)[0]).is_file()
