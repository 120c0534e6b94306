// The links to other languages keep what scripts have added to the page's URL.

for (const link of document.querySelectorAll(".languages a")) {
  const { lang } = link;
  link.addEventListener("click", () => {
    const url = new URL(location.href);
    url.searchParams.set("lang", lang);
    link.href = url.href;
  });
}
