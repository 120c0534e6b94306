"""Listing models, and switching between them."""

import asyncio

import pytest
from tiny_model import add_model, attribute

from bot.errors import ModelUnavailable
from bot.studio import Request, Studio
from db.records import Owner
from export.manifest import file_entry, read_manifest, write_manifest
from export.registry import Registry


async def test_models_are_listed_and_switched(
    studio: Studio, registry: Registry, owner: Owner
) -> None:
    add_model(registry, "next", (attribute("wings", "red blue"),))
    (registry.root / "broken").mkdir()
    (registry.root / "broken" / "manifest.json").write_text("{")
    models = {model.name: model for model in await studio.models.all()}
    assert set(models) == {"tiny", "next", "broken"}
    assert (models["tiny"].in_use, models["next"].in_use) == (True, False)
    assert (models["tiny"].metrics, models["tiny"].problem) == ({"lite2_fd_ratio": 1.5}, None)
    assert "not valid JSON" in (models["broken"].problem or "")

    running = asyncio.create_task(studio.painting.create("pink hair", Request(owner), count=9))
    await asyncio.sleep(0)
    await studio.models.use("next")
    assert (studio.model_name, studio.attributes[0].name) == ("next", "wings")
    assert {avatar.model for avatar in await running} == {"tiny"}
    assert await studio.models.rollback() == studio.model_name == "tiny"
    registry.use("next")  # as training does
    assert await studio.models.reload() == studio.model_name == "next"


async def test_a_model_that_cannot_be_used_changes_nothing(
    studio: Studio, registry: Registry
) -> None:
    with pytest.raises(ModelUnavailable, match="no model was used before"):
        await studio.models.rollback()
    with pytest.raises(ModelUnavailable, match=r"nosuch.*there are: tiny"):
        await studio.models.use("nosuch")
    add_model(registry, "cut")
    file = registry.folder("cut") / "generator.onnx"
    file.write_bytes(file.read_bytes()[:1000])
    with pytest.raises(ModelUnavailable, match="has 1000 bytes where its manifest says"):
        await studio.models.use("cut")
    assert (studio.model_name, registry.current()) == ("tiny", "tiny")
    (registry.root / "current").write_text("cut\n")  # written by hand
    with pytest.raises(ModelUnavailable, match="cut cannot be used, so tiny stays"):
        await studio.models.reload()


async def test_a_file_that_cannot_be_read_or_written_is_named(
    studio: Studio, registry: Registry
) -> None:
    add_model(registry, "newer")
    history = registry.root / "history"
    history.unlink()
    history.mkdir()  # even root cannot replace it with a file
    for switch in (studio.models.use("newer"), studio.models.rollback()):
        with pytest.raises(ModelUnavailable, match=f"not a regular file: '{history}'"):
            await switch
    assert (studio.model_name, registry.current()) == ("tiny", "tiny")


async def test_rollback_to_a_model_that_does_not_run_changes_nothing(
    studio: Studio, registry: Registry
) -> None:
    add_model(registry, "newer")
    add_model(registry, "broken")
    folder = registry.folder("broken")
    (folder / "generator.onnx").write_bytes(b"not a network")
    files = {"generator.onnx": file_entry(folder / "generator.onnx")}
    write_manifest(folder, read_manifest(folder).model_copy(update={"files": files}))
    registry.use("broken")  # as another version could run it
    registry.use("newer")
    await studio.models.reload()
    for _ in range(2):
        with pytest.raises(ModelUnavailable, match="broken cannot be used, so newer stays"):
            await studio.models.rollback()
        assert (studio.model_name, registry.current()) == ("newer", "newer")


async def test_concurrent_switches_run_one_after_the_other(
    studio: Studio, registry: Registry
) -> None:
    add_model(registry, "newer")
    names = ["newer", "tiny"] * 5
    await asyncio.gather(*(studio.models.use(name) for name in names))
    assert (studio.model_name, registry.current()) == ("tiny", "tiny")
