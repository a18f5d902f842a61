"use strict";
// Puts an answer the server rendered on the page, so that it is seen, read aloud and felt.
(function () {
  const GOOD = new Set(["valid", "valid-bearer"]);

  function show(html) {
    const region = document.getElementById("answer");
    region.innerHTML = html;  // our own origin's markup; scripts in it would not run (CSP, innerHTML)
    region.closest(".columns").classList.add("answered");
    const card = region.querySelector(".verdict, .problem");
    if (!card) return;
    card.focus({ preventScroll: true });
    const calm = window.matchMedia("(prefers-reduced-motion: reduce)").matches;
    region.scrollIntoView({ behavior: calm ? "auto" : "smooth", block: "start" });
    if (navigator.vibrate) navigator.vibrate(GOOD.has(card.dataset.verdict) ? 80 : [300, 120, 300]);
  }

  function post(url, body, headers) {
    const token = document.querySelector("meta[name=csrf-token]").content;
    return fetch(url, {
      method: "POST",
      body: body,
      headers: Object.assign({ "X-CSRFToken": token }, headers),
      credentials: "same-origin",
      redirect: "error",
    });
  }

  window.weid = { show: show, post: post };
})();
