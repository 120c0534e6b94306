// On a phone, the picture stays in view, small, while the visitor chooses values below it.

import { find, form } from "./dom.js";

const result = find("#result");
const inView = new Map([[find(".easel", result), true], [form, false]]);

const observer = new IntersectionObserver((entries) => {
  for (const { target, isIntersecting } of entries) inView.set(target, isIntersecting);
  const [easel, choosing] = inView.values();
  result.toggleAttribute("data-float", !easel && choosing);
});
for (const element of inView.keys()) observer.observe(element);
