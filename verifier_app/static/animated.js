"use strict";
// Frame after frame of our trust data. Who wants less motion presses for each one.
(function () {
  const root = document.getElementById("animated");
  if (!root) return;
  const picture = root.querySelector("img"), hint = root.querySelector(".hint"), speed = root.querySelector("[data-do=speed]");
  const play = root.querySelector("[data-do=play]");
  const calm = window.matchMedia("(prefers-reduced-motion: reduce)").matches;
  let number = 0, timer = 0;

  async function turn(to) {
    number = Math.max(0, to);
    const next = new Image();
    next.src = root.dataset.frame.replace("/0.svg", "/" + number + ".svg");
    await next.decode().catch(() => {});
    picture.src = next.src;
    hint.textContent = root.dataset.told.replace("{number}", number + 1);
  }

  function run(on) {
    clearTimeout(timer);
    play.setAttribute("aria-pressed", String(on));
    hint.setAttribute("aria-live", on ? "off" : "polite");
    if (on) step();
  }

  async function step() {
    const began = performance.now();
    await turn(number + 1);
    const left = 1000 / Number(speed.value) - (performance.now() - began);
    if (play.getAttribute("aria-pressed") === "true") timer = setTimeout(step, Math.max(0, left));
  }

  play.addEventListener("click", () => run(play.getAttribute("aria-pressed") !== "true"));
  root.querySelector("[data-do=back]").addEventListener("click", () => { run(false); turn(number - 1); });
  root.querySelector("[data-do=on]").addEventListener("click", () => { run(false); turn(number + 1); });
  turn(0);
  if (!calm) run(true);
})();
