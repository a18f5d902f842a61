"use strict";
// Offers the phone's own menu for sharing where there is one. Phones let a page share only some kinds of files: the
// certificate file if they allow it, else the PDF, which carries the file inside. Nothing is fetched before the button is pressed.
(() => {
  const button = document.querySelector("[data-share]");
  if (!button || !navigator.canShare) return;
  const trial = (name, type) => navigator.canShare({ files: [new File(["{}"], name, { type })] });
  const way = trial(button.dataset.name, "application/json")
    ? [button.dataset.share, button.dataset.name, "application/json"]
    : trial(button.dataset.elseName, "application/pdf") ? [button.dataset.else, button.dataset.elseName, "application/pdf"] : null;
  if (!way) return;
  button.hidden = false;
  let file = null;
  button.addEventListener("click", async () => {
    try {
      if (!file) {
        const answer = await fetch(way[0]);
        if (!answer.ok) { location.assign(way[0]); return; }
        file = new File([await answer.blob()], way[1], { type: way[2] });
      }
      await navigator.share({ files: [file] });
    } catch (error) {
      // Drawing took longer than a press counts for: the file is here now, and one more press shares it.
      if (error.name === "NotAllowedError") button.textContent = button.dataset.ready;
      else if (error.name !== "AbortError") location.assign(way[0]);
    }
  });
})();
