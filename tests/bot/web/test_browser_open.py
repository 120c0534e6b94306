"""Opening saved pictures on the studio page in a browser."""

from browser import Visit
from playwright.async_api import FilePayload, Page, expect

from .api.conftest import paint
from .conftest import Client, Serve

DROP = """([bytes, type]) => {
  const transfer = new DataTransfer();
  transfer.items.add(new File([new Uint8Array(bytes)], "saved", { type }));
  document.body.dispatchEvent(new DragEvent("drop", { dataTransfer: transfer, bubbles: true }));
}"""


async def drop(page: Page, data: bytes, type: str = "image/png") -> None:
    await page.evaluate(DROP, [list(data), type])


async def test_a_saved_picture_that_is_dropped_opens(client: Client, visit: Visit) -> None:
    (avatar,) = await paint(client)
    async with client.get(avatar["image_url"]) as answer:
        data = await answer.read()
    page = await visit()
    dialog = page.get_by_role("dialog")
    await drop(page, data)
    await expect(dialog).to_contain_text("The file is this picture, unchanged.")
    await dialog.get_by_role("button", name="Close").click()
    await drop(page, b"hello", "text/plain")
    await expect(dialog).to_contain_text("This is not a PNG picture.")
    await expect(dialog.get_by_role("link")).to_be_hidden()
    await dialog.get_by_role("button", name="Close").click()
    async with page.expect_file_chooser() as chooser:
        await page.get_by_role("button", name="Open a saved picture").click()
    file = FilePayload(name="saved.png", mimeType="image/png", buffer=data)
    await (await chooser.value).set_files(file)
    await dialog.get_by_role("link", name="Open it").click()
    await page.wait_for_url(f"**/a/{avatar['id']}")


async def test_a_picture_opens_under_another_host_than_the_public_one(
    serve: Serve, visit: Visit
) -> None:
    client = await serve(public_url="https://example.org")
    (avatar,) = await paint(client)
    async with client.get(f"/images/{avatar['id']}.png") as answer:
        data = await answer.read()
    page = await visit(at=client)
    dialog = page.get_by_role("dialog")
    await drop(page, data)
    await expect(dialog.locator("img")).to_have_js_property("naturalWidth", 64)
    await dialog.get_by_role("link", name="Open it").click()
    await page.wait_for_url(f"{client.make_url('/a/')}{avatar['id']}")
