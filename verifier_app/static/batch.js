"use strict";
// Files one by one to our own origin; each answer is a line of JSON with the rows of one file.
(function () {
  const form = document.getElementById("drop");
  if (!form || !window.fetch || !window.ReadableStream) return;
  const field = document.getElementById("files"), rows = document.getElementById("rows"), results = document.getElementById("results");
  const bar = document.getElementById("progress"), told = document.getElementById("told");
  const AT_ONCE = 2;
  let waiting = [], active = 0, whole = 0, done = 0, faults = 0;
  form.querySelector("button.plain").hidden = true;

  function count(group, more) {
    for (const name of [group, "all"]) {
      const place = results.querySelector("[data-count=" + name + "]");
      place.textContent = String(Number(place.textContent) + more);
    }
  }

  function tell() {
    bar.max = whole;
    bar.value = done;
    bar.parentElement.hidden = whole === 0;
    const words = done < whole ? form.dataset.of : form.dataset.done;
    told.textContent = words.replace("{done}", done).replace("{count}", whole) + (faults ? " " + form.dataset.refused.replace("{count}", faults) : "");
    form.dataset.state = done < whole ? "working" : "done";
  }

  function line(said) {
    if (said.problem) {
      faults += 1;
      told.textContent = said.problem;
      return;
    }
    results.hidden = false;
    rows.insertAdjacentHTML("beforeend", said.html);  // our own origin's markup
    for (const group of ["good", "bad", "open"]) count(group, said.counts[group]);
    sift();
  }

  async function send(file) {
    const request = document.getElementById("request");
    const response = await fetch(form.dataset.add, {
      method: "POST",
      body: file,
      credentials: "same-origin",
      redirect: "error",
      headers: {
        "Content-Type": "application/octet-stream",
        "X-CSRFToken": document.querySelector("meta[name=csrf-token]").content,
        "X-File-Name": encodeURIComponent(file.name),
        "X-Request": request ? request.value : "none",
      },
    });
    if (!response.ok) {
      const said = await response.json().catch(() => ({}));
      throw new Error(said.problem || "");
    }
    const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
    let rest = "";
    for (;;) {
      const part = await reader.read();
      rest += part.value || "";
      const lines = rest.split("\n");
      rest = lines.pop();
      for (const text of lines) line(JSON.parse(text));
      if (part.done) return;
    }
  }

  async function work() {
    active += 1;
    while (waiting.length) {
      const file = waiting.shift();
      try {
        await send(file);
      } catch (error) {
        faults += 1;
      }
      done += 1;
      tell();
    }
    active -= 1;
  }

  function add(files) {
    if (!files.length) return;
    if (done === whole) whole = done = faults = 0;
    waiting.push(...files);
    whole += files.length;
    tell();
    while (active < Math.min(AT_ONCE, waiting.length + active)) work();
  }

  function sift() {
    const chosen = results.querySelector("[name=filter]:checked").value;
    for (const row of rows.rows) row.hidden = chosen !== "all" && row.dataset.group !== chosen;
  }

  field.addEventListener("change", () => {
    add([...field.files]);
    field.value = "";
  });
  results.addEventListener("change", (event) => {
    if (event.target.name === "filter") sift();
  });
  form.addEventListener("submit", (event) => event.preventDefault());
  for (const kind of ["dragenter", "dragover"]) document.addEventListener(kind, (event) => {
    event.preventDefault();
    form.classList.add("over");
  });
  document.addEventListener("dragleave", (event) => {
    if (!event.relatedTarget) form.classList.remove("over");
  });
  document.addEventListener("drop", (event) => {
    event.preventDefault();
    form.classList.remove("over");
    add([...event.dataTransfer.files]);
  });
})();
