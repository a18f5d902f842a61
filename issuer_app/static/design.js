"use strict";
// The preview follows what is typed; without this script the button beside "Save" does the same.
(() => {
  const form = document.querySelector("form[data-live]");
  if (!form) return;
  const name = form.hasAttribute("data-typed") ? "type" : form.dataset.switch;
  const fit = () => {
    const type = name && form.elements[name];
    if (!type) return;
    for (const part of form.querySelectorAll("[data-for]")) part.hidden = !part.dataset.for.split(" ").includes(type.value);
  };
  const button = form.querySelector(".look-first");
  if (button) button.hidden = true;
  let timer = 0, turn = 0;
  const look = async () => {
    const mine = ++turn;
    const data = new FormData(form);
    data.set("preview", "yes");
    const old = document.getElementById("preview");
    old.classList.add("stale");
    try {
      const answer = await fetch(location.href, { method: "POST", body: data, credentials: "same-origin" });
      if (!answer.ok || mine !== turn) return;
      const page = new DOMParser().parseFromString(await answer.text(), "text/html");
      const fresh = page.getElementById("preview");
      if (!fresh) return;
      const open = [...old.querySelectorAll("details")].map((item) => item.open);
      fresh.querySelectorAll("details").forEach((item, place) => { item.open = Boolean(open[place]); });
      old.replaceWith(fresh);
    } finally {
      document.getElementById("preview").classList.remove("stale");
    }
  };
  form.addEventListener("input", () => { fit(); clearTimeout(timer); timer = setTimeout(look, 700); });
  form.addEventListener("change", fit);
  fit();
})();
