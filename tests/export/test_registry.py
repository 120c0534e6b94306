from pathlib import Path

import pytest
from small_models import make_manifest, write_generator

from export.manifest import GENERATOR, MANIFEST, ModelError, read_manifest
from export.registry import Registry


def history(registry: Registry) -> list[str]:
    return (registry.root / "history").read_text().splitlines()


def test_starts_empty(tmp_path: Path) -> None:
    registry = Registry(tmp_path / "models")
    assert registry.names() == []
    assert registry.current() is None
    with pytest.raises(ModelError, match=r"no model is in use .*there are no models yet"):
        registry.load()
    with pytest.raises(ModelError, match="no model was used before"):
        registry.rollback()


def test_lists_the_oldest_first(registry: Registry) -> None:
    registry.add(make_manifest("aa", 2), write_generator())
    (registry.root / "not-a-model").mkdir()
    assert registry.names() == ["b", "a", "aa", "c"]


def test_lists_a_broken_model_with_the_reason(registry: Registry) -> None:
    (registry.root / "c" / MANIFEST).write_text("{")
    assert registry.names() == ["c", "b", "a"]
    with pytest.raises(ModelError, match="not valid JSON"):
        registry.load("c")


def test_a_link_that_leads_nowhere_does_not_hide_the_models(registry: Registry) -> None:
    (registry.root / "missing").symlink_to("nothing")
    (registry.root / "long").symlink_to("x" * 300)  # which no file system allows
    assert registry.names() == ["b", "a", "c"]
    with pytest.raises(ModelError, match="there is no model 'long'"):
        registry.folder("long")


def test_adds_a_verified_model(registry: Registry) -> None:
    added = registry.add(make_manifest("d", 4, metrics={"q": 3.0}), write_generator())
    assert set(added.files) == {GENERATOR}
    assert registry.load("d") == (registry.root / "d", added)
    assert registry.current() is None
    assert sorted(path.name for path in registry.root.iterdir()) == ["a", "b", "c", "d"]
    assert (registry.root / "d").stat().st_mode & 0o777 == 0o755


@pytest.mark.parametrize("name", ["a", "current", "history"])
def test_refuses_a_name_that_is_taken(registry: Registry, name: str) -> None:
    with pytest.raises(ModelError, match="exists already"):
        registry.new_folder(name)
    before = registry.load("a")
    with pytest.raises(ModelError, match="exists already"):
        registry.add(make_manifest(name), write_generator("another"))
    assert registry.load("a") == before


def test_a_failed_build_leaves_nothing_behind(registry: Registry) -> None:
    def build(folder: Path) -> None:
        write_generator()(folder)
        raise RuntimeError("the disk is full")

    with pytest.raises(RuntimeError, match="the disk is full"):
        registry.add(make_manifest("d"), build)
    with pytest.raises(ModelError, match="lists no generator"):
        registry.add(make_manifest("d"), lambda folder: None)
    assert sorted(path.name for path in registry.root.iterdir()) == ["a", "b", "c"]


def test_add_does_not_overwrite_a_model_created_meanwhile(registry: Registry) -> None:
    def build(folder: Path) -> None:
        write_generator("the slower one")(folder)
        registry.add(make_manifest("d"), write_generator("the quicker one"))

    with pytest.raises(ModelError, match="cannot be written"):
        registry.add(make_manifest("d"), build)
    folder, _ = registry.load("d")
    assert (folder / GENERATOR).read_text() == "the quicker one"


def test_use_changes_the_pointer(registry: Registry) -> None:
    registry.use("a")
    assert registry.current() == "a"
    assert (registry.root / "current").read_text() == "a\n"
    folder, manifest = registry.load()
    assert (folder, manifest.name) == (registry.root / "a", "a")
    registry.use("a")
    registry.use("c")
    assert history(registry) == ["a", "c"]


def test_use_refuses_a_damaged_model_and_keeps_the_one_in_use(registry: Registry) -> None:
    registry.use("a")
    (registry.root / "c" / GENERATOR).write_text("tampered with")
    with pytest.raises(ModelError, match=GENERATOR):
        registry.use("c")
    assert registry.current() == "a"
    assert history(registry) == ["a"]


@pytest.mark.parametrize("name", ["z", "", "..", "../models/a", ".staging-x"])
def test_unknown_and_unsafe_names_are_refused(registry: Registry, name: str) -> None:
    with pytest.raises(ModelError, match=r"there is no model .*there are: b, a, c"):
        registry.folder(name)
    with pytest.raises(ModelError, match="there is no model"):
        registry.use(name)


def test_refuses_a_renamed_folder(registry: Registry) -> None:
    (registry.root / "c").rename(registry.root / "d")
    with pytest.raises(ModelError, match="has the name c, but its folder is d"):
        registry.load("d")


def test_rollback_goes_back_step_by_step(registry: Registry) -> None:
    for name in ("a", "b", "a", "c"):
        registry.use(name)
    for name in ("a", "b", "a"):
        assert registry.previous() == name
        assert registry.rollback() == name
    assert registry.previous() is None
    with pytest.raises(ModelError, match="no model was used before a"):
        registry.rollback()
    assert registry.current() == "a"
    registry.use("c")
    assert history(registry) == ["a", "c"]


def test_rollback_skips_deleted_models(registry: Registry) -> None:
    for name in ("a", "b", "c"):
        registry.use(name)
    (registry.root / "b").rename(registry.root.parent / "b")
    assert registry.rollback() == "a"


def test_rollback_keeps_the_model_in_use_when_the_one_before_is_damaged(registry: Registry) -> None:
    registry.use("a")
    registry.use("b")
    (registry.root / "a" / GENERATOR).write_text("tampered with")
    with pytest.raises(ModelError, match=GENERATOR):
        registry.rollback()
    assert registry.current() == "b"


def test_rollback_after_a_crash_between_history_and_pointer(registry: Registry) -> None:
    registry.use("a")
    registry.use("b")
    (registry.root / "history").write_text("a\nb\nc\n")
    assert registry.rollback() == "a"


def test_rollback_after_the_pointer_was_written_by_hand(registry: Registry) -> None:
    registry.use("a")
    (registry.root / "current").write_text("c\n")
    assert registry.rollback() == "a"


def test_manifest_on_disk_is_the_one_returned(registry: Registry) -> None:
    added = registry.add(make_manifest("d"), write_generator())
    assert read_manifest(registry.root / "d") == added
