"""Discord's limits on messages and modals, with its error codes and messages.

Every function adds errors to a `Form`; `path` is the path of the checked part in the body.
"""

from collections.abc import Iterator, Sequence
from typing import Any

from .errors import Form

Path = Sequence[str | int]
Json = dict[str, Any]

CONTENT = 2000
DISPLAYED_TEXT = 4000  # over all text displays of a Components V2 message
COMPONENTS = 40  # of a Components V2 message, nested ones included
ROWS = 5  # of any other message
EMBEDS_TEXT = 6000
FILE_BYTES = 10 * 2**20
REQUEST_BYTES = 25 * 2**20
FILES = 10

ROW, BUTTON, STRING_SELECT, TEXT_INPUT = 1, 2, 3, 4
SELECTS = (3, 5, 6, 7, 8)
SECTION, TEXT, THUMBNAIL, GALLERY, FILE, SEPARATOR, CONTAINER, LABEL = 9, 10, 11, 12, 13, 14, 17, 18
TOP_LEVEL_V2 = (ROW, SECTION, TEXT, GALLERY, FILE, SEPARATOR, CONTAINER)
LINK_STYLE, PREMIUM_STYLE = 5, 6


def walk(components: Any, path: Path) -> Iterator[tuple[Json, Path]]:
    """Yields every component of a tree with its path, parents first."""
    for index, component in enumerate(components if isinstance(components, list) else []):
        if not isinstance(component, dict):
            continue
        item_path = [*path, index]
        yield component, item_path
        yield from walk(component.get("components"), [*item_path, "components"])
        for single in ("accessory", "component"):
            if isinstance(component.get(single), dict):
                yield component[single], [*item_path, single]


def check_text(form: Form, path: Path, text: Any, maximum: int, minimum: int = 0) -> None:
    if isinstance(text, str):
        if len(text) > maximum:
            if minimum:
                form.bad_length(path, minimum, maximum)
            else:
                form.too_long(path, maximum)
        elif len(text) < minimum:
            form.bad_length(path, minimum, maximum)


def check_message(form: Form, data: Json, path: Path, *, v2: bool) -> None:
    """A message's JSON; `v2` says whether the message has the flag IS_COMPONENTS_V2."""
    check_text(form, [*path, "content"], data.get("content"), CONTENT)
    check_embeds(form, data.get("embeds") or [], [*path, "embeds"])
    for index, attachment in enumerate(data.get("attachments") or []):
        alt_text = attachment.get("description")
        check_text(form, [*path, "attachments", index, "description"], alt_text, 1024)
    if len(data.get("attachments") or []) > FILES:
        form.too_long([*path, "attachments"], FILES)
    components = data.get("components") or []
    where = [*path, "components"]
    if v2:
        for field in ("content", "embeds", "poll", "sticker_ids"):
            if data.get(field):
                form.add(
                    [*path, field],
                    "MESSAGE_CANNOT_USE_LEGACY_FIELDS_WITH_COMPONENTS_V2",
                    f"The '{field}' field cannot be used when using MessageFlags.IS_COMPONENTS_V2",
                )
        _check_v2(form, components, where)
    else:
        _check_v1(form, components, where)
    _check_components(form, components, where)


def _check_v1(form: Form, components: list[Json], path: Path) -> None:
    if len(components) > ROWS:
        form.bad_length(path, 1, ROWS)
    for component, item_path in walk(components, path):
        if component.get("type") in (*TOP_LEVEL_V2[1:], THUMBNAIL):
            form.add(
                [*item_path, "type"],
                "UNION_TYPE_CHOICES",
                'Value of field "type" must be one of (1,).',
            )


def _check_v2(form: Form, components: list[Json], path: Path) -> None:
    every = [component for component, _ in walk(components, path)]
    if len(every) > COMPONENTS:
        form.add(
            path,
            "COMPONENT_MAX_TOTAL_COMPONENTS_EXCEEDED",
            f"The total number of components must be {COMPONENTS} or fewer (it is {len(every)}).",
        )
    texts = (str(c.get("content")) for c in every if c.get("type") == TEXT)
    if (characters := sum(map(len, texts))) > DISPLAYED_TEXT:
        form.add(
            path,
            "COMPONENT_DISPLAYABLE_TEXT_SIZE_EXCEEDED",
            f"The displayable text exceeds the maximum size of {DISPLAYED_TEXT} "
            f"(it is {characters}).",
        )
    for index, component in enumerate(components):
        if component.get("type") not in TOP_LEVEL_V2:
            reason = f'Value of field "type" must be one of {TOP_LEVEL_V2}.'
            form.add([*path, index, "type"], "UNION_TYPE_CHOICES", reason)


def _check_components(form: Form, components: list[Json], path: Path) -> None:
    custom_ids: set[str] = set()
    ids: set[int] = set()
    for component, item_path in walk(components, path):
        kind = component.get("type")
        check_text(form, [*item_path, "custom_id"], component.get("custom_id"), 100, minimum=1)
        if (custom_id := component.get("custom_id")) in custom_ids:
            form.add(
                [*item_path, "custom_id"],
                "COMPONENT_CUSTOM_ID_DUPLICATED",
                "Component custom id cannot be duplicated",
            )
        elif custom_id is not None:
            custom_ids.add(custom_id)
        if (number := component.get("id")) in ids:
            form.add(
                [*item_path, "id"], "COMPONENT_ID_DUPLICATED", "Component id cannot be duplicated"
            )
        elif number:
            ids.add(number)
        if kind == ROW:
            _check_row(form, component.get("components") or [], [*item_path, "components"])
        elif kind == BUTTON:
            _check_button(form, component, item_path)
        elif kind in SELECTS:
            _check_select(form, component, item_path)
        elif kind == TEXT:
            check_text(
                form, [*item_path, "content"], component.get("content"), DISPLAYED_TEXT, minimum=1
            )
        elif kind == GALLERY:
            items = component.get("items") or []
            if not 1 <= len(items) <= 10:
                form.bad_length([*item_path, "items"], 1, 10)
            for index, item in enumerate(items):
                where = [*item_path, "items", index, "description"]
                check_text(form, where, item.get("description"), 1024, minimum=1)
        elif kind == SECTION and not 1 <= len(component.get("components") or []) <= 3:
            form.bad_length([*item_path, "components"], 1, 3)
        elif kind == CONTAINER and not component.get("components"):
            form.bad_length([*item_path, "components"], 1, COMPONENTS)


def _check_row(form: Form, children: list[Json], path: Path) -> None:
    if not 1 <= len(children) <= 5:
        form.bad_length(path, 1, 5)
    width = 0
    for index, child in enumerate(children):
        width += 1 if child.get("type") == BUTTON else 5
        if width > 5:
            form.add(
                [*path, index],
                "COMPONENT_LAYOUT_WIDTH_EXCEEDED",
                "The specified component exceeds the maximum width",
            )


def _check_button(form: Form, button: Json, path: Path) -> None:
    check_text(form, [*path, "label"], button.get("label"), 80)
    needed = {LINK_STYLE: "url", PREMIUM_STYLE: "sku_id"}.get(button.get("style", 1), "custom_id")
    if button.get(needed) is None:
        form.required([*path, needed])
    for other in {"url", "sku_id", "custom_id"} - {needed}:
        if button.get(other):
            form.add(
                [*path, other],
                "BUTTON_COMPONENT_INVALID_FIELD",
                f"A button of style {button.get('style')} has {needed}, not {other}",
            )
    if needed != "sku_id" and not button.get("label") and not button.get("emoji"):
        form.add(path, "BUTTON_COMPONENT_INVALID_LABEL", "A button needs a label or an emoji")


def _check_select(form: Form, select: Json, path: Path) -> None:
    check_text(form, [*path, "placeholder"], select.get("placeholder"), 150)
    minimum, maximum = select.get("min_values"), select.get("max_values")
    minimum, maximum = 1 if minimum is None else minimum, 1 if maximum is None else maximum
    if minimum > maximum:
        form.add(
            [*path, "min_values"], "NUMBER_TYPE_MAX", f"Must be {maximum} (max_values) or less."
        )
    if select.get("type") != STRING_SELECT:
        return
    options = select.get("options") or []
    if not 1 <= len(options) <= 25:
        form.bad_length([*path, "options"], 1, 25)
    if maximum > len(options) > 0:
        reason = f"Must be {len(options)} (the options) or less."
        form.add([*path, "max_values"], "NUMBER_TYPE_MAX", reason)
    seen: set[str] = set()
    for index, option in enumerate(options):
        item_path = [*path, "options", index]
        check_text(form, [*item_path, "label"], option.get("label"), 100, minimum=1)
        check_text(form, [*item_path, "value"], option.get("value"), 100, minimum=1)
        check_text(form, [*item_path, "description"], option.get("description"), 100)
        if option.get("value") in seen:
            form.add(
                [*item_path, "value"],
                "SELECT_COMPONENT_OPTION_VALUE_DUPLICATED",
                "The specified option value is already used",
            )
        seen.add(str(option.get("value")))
    if sum(bool(option.get("default")) for option in options) > maximum:
        reason = f"More options are chosen by default than max_values ({maximum})"
        form.add([*path, "options"], "SELECT_COMPONENT_TOO_MANY_DEFAULT_VALUES", reason)


def check_embeds(form: Form, embeds: list[Json], path: Path) -> None:
    if len(embeds) > 10:
        form.too_long(path, 10)
    total = 0
    for index, embed in enumerate(embeds):
        item_path = [*path, index]
        texts: list[tuple[list[str | int], Any, int]] = [
            (["title"], embed.get("title"), 256),
            (["description"], embed.get("description"), 4096),
            (["footer", "text"], (embed.get("footer") or {}).get("text"), 2048),
            (["author", "name"], (embed.get("author") or {}).get("name"), 256),
        ]
        fields = embed.get("fields") or []
        if len(fields) > 25:
            form.too_long([*item_path, "fields"], 25)
        for number, field in enumerate(fields):
            for name, maximum in (("name", 256), ("value", 1024)):
                if not field.get(name):
                    form.required([*item_path, "fields", number, name])
                texts.append((["fields", number, name], field.get(name), maximum))
        for subpath, text, maximum in texts:
            check_text(form, [*item_path, *subpath], text, maximum)
            total += len(text or "")
    if total > EMBEDS_TEXT:
        form.add(
            path,
            "MAX_EMBED_SIZE_EXCEEDED",
            f"Embed size exceeds maximum size of {EMBEDS_TEXT} (it is {total})",
        )


def check_modal(form: Form, data: Json, path: Path) -> None:
    check_text(form, [*path, "title"], data.get("title"), 45, minimum=1)
    check_text(form, [*path, "custom_id"], data.get("custom_id"), 100, minimum=1)
    components = data.get("components") or []
    if not 1 <= len(components) <= 5:
        form.bad_length([*path, "components"], 1, 5)
    seen: set[str] = set()
    for component, item_path in walk(components, [*path, "components"]):
        custom_id = component.get("custom_id")
        check_text(form, [*item_path, "custom_id"], custom_id, 100, minimum=1)
        check_text(form, [*item_path, "label"], component.get("label"), 45, minimum=1)
        if component.get("type") in SELECTS:
            _check_select(form, component, item_path)
        if custom_id in seen:
            form.add(
                [*item_path, "custom_id"],
                "COMPONENT_CUSTOM_ID_DUPLICATED",
                "Component custom id cannot be duplicated",
            )
        seen |= {custom_id} if custom_id is not None else set()
