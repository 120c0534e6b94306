"""Models: list, use, roll back."""

from PIL import Image
from tiny_model import add_model

from bot.studio import Studio
from export.registry import Registry

from ..conftest import Client
from .conftest import page, post


async def test_models_are_listed_used_and_rolled_back(
    admin: Client, registry: Registry, studio: Studio
) -> None:
    manifest = add_model(registry, "newer")
    folder = registry.folder("newer")
    (folder / "MODEL_CARD.md").write_text("# newer\n\n<b>Bold</b> ![s](samples.png)\n")
    Image.new("RGB", (64, 32)).save(folder / "samples.png")
    text = await page(admin, "/admin")
    assert "newer" in text
    assert "Roll back" not in text  # there is no previous model
    card = await page(admin, "/admin/models/newer")
    assert '<img src="/admin/models/newer/samples.png" alt="s" width="64" height="32"' in card
    assert "<b>" not in card
    async with admin.get("/admin/models/newer/samples.png") as answer:
        assert (answer.status, answer.content_type) == (200, "image/png")

    assert await post(admin, "/admin/models/newer/use") == {"model": "newer"}
    assert studio.model_name == manifest.name == registry.current()
    assert "Roll back to tiny" in await page(admin, "/admin")
    assert await post(admin, "/admin/rollback") == {"model": "tiny"}
    assert studio.model_name == "tiny"


async def test_a_broken_model_is_reported_with_its_problem(
    admin: Client, registry: Registry, studio: Studio
) -> None:
    add_model(registry, "broken")
    (registry.folder("broken") / "generator.onnx").write_bytes(b"nothing")
    add_model(registry, "invalid")
    (registry.folder("invalid") / "manifest.json").write_text("{")
    assert "not valid JSON" in await page(admin, "/admin")
    assert "not valid JSON" in await page(admin, "/admin/models/invalid")
    for name in ("broken", "invalid", "none"):
        error = await post(admin, f"/admin/models/{name}/use", 503)
        assert "The model cannot be used" in error["error"]
    assert "no model was used before" in (await post(admin, "/admin/rollback", 503))["error"]
    assert studio.model_name == registry.current() == "tiny"
