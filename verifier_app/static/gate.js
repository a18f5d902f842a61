"use strict";
// A camera that never stops: every new code gets one answer over the whole screen, which goes by itself.
// Frames go to our own origin as JPEG, or the code's text where the browser reads codes itself. Nothing is kept but counts.
(function () {
  const lens = window.lens;
  const root = document.getElementById("gate");
  if (!root) return;
  const video = root.querySelector("video"), view = root.querySelector(".view"), hint = root.querySelector(".hint");
  const screen = document.getElementById("screen"), rest = document.getElementById("rest");
  const kiosk = root.dataset.mode === "kiosk", seconds = Number(root.dataset.seconds);
  const SAME = 5000;  // milliseconds a code must be out of sight before it counts as shown again
  const LONGEST = 1280, PAUSE = 40, IDLE = 60000;
  const recent = new Map();  // mark or text of a code → when it was last in sight
  let stream = null, running = 0, facing = kiosk ? "user" : "environment", timer = 0, ends = 0, held = false, lock = null, used = Date.now();
  const offset = Number(root.dataset.now) - Date.now();
  const part = (name) => document.querySelector("[data-do=" + name + "]");

  function say(key, words) {
    const text = words || (key ? root.dataset[key] : "");
    if (hint.textContent !== text) hint.textContent = text;
    hint.dataset.key = key || "";
  }

  // ---- the answer
  function show(answer) {
    used = Date.now();
    screen.innerHTML = answer.html;  // our own origin's markup
    screen.hidden = false;
    rest.hidden = false;
    document.body.classList.add("answered");
    held = false;
    ends = Date.now() + seconds * 1000;
    window.sound.play(answer.tone);
    window.counters.add(answer);
    const stage = screen.querySelector(".stage");
    if (stage) stage.focus({ preventScroll: true });
    clearInterval(timer);
    timer = setInterval(tick, 200);
    tick();
  }

  function tick() {
    const left = Math.ceil((ends - Date.now()) / 1000);
    rest.querySelector(".seconds").textContent = held ? root.dataset.kept : String(Math.max(0, left));
    if (!held && left <= 0) reset();
  }

  function reset() {
    clearInterval(timer);
    screen.hidden = true;
    screen.textContent = "";
    rest.hidden = true;
    document.body.classList.remove("answered");
    if (stream) say("looking");
    if (root.dataset.gone) window.location.assign(root.dataset.gone);
  }

  // ---- asking
  function inSight() {
    const now = Date.now();
    for (const [mark, at] of recent) if (now - at > SAME) recent.delete(mark);
    return [...recent.keys()].filter((mark) => mark.length === 16).slice(-32).join(",");
  }

  async function ask(address, body, kind) {
    let response;
    try {
      response = await window.weid.post(address, body, { "Content-Type": kind, "X-Recent": inSight(), "X-Request": root.dataset.request });
    } catch (error) {
      say("lost");
      return null;
    }
    if (response.status === 429) {
      say("slow");
      await lens.wait(2000);
      return null;
    }
    if (!response.ok) {
      const said = await response.json().catch(() => ({}));
      stop("reload", said.problem);
      return null;
    }
    return response.json();
  }

  function take(answer) {
    if (!answer) return false;
    if (answer.problem) say("", answer.problem);
    if (!answer.found) return false;
    for (const mark of answer.ids) recent.set(mark, Date.now());
    if (!answer.same) show(answer);
    return true;
  }

  async function askText(text) {
    const known = recent.has(text);
    recent.set(text, Date.now());
    if (!known) return take(await ask(root.dataset.text, text, "text/plain"));
    return true;
  }

  // ---- the camera
  function newFrame() {
    if (!video.requestVideoFrameCallback) return lens.wait(PAUSE);
    return Promise.race([new Promise((done) => video.requestVideoFrameCallback(done)), lens.wait(250)]);
  }

  async function detector() {
    if (!("BarcodeDetector" in window)) return null;
    try {
      const formats = await window.BarcodeDetector.getSupportedFormats();
      return formats.includes("qr_code") ? new window.BarcodeDetector({ formats: ["qr_code"] }) : null;
    } catch (error) {
      return null;
    }
  }

  async function loop(mine) {
    const native = await detector();
    for (let count = 0; mine === running; count += 1) {
      await newFrame();
      if (mine !== running || !video.videoWidth) continue;
      if (native && count % 6) {  // every sixth frame goes to the server, which reads what some browsers miss
        const codes = await native.detect(video).catch(() => []);
        for (const code of codes) await askText(code.rawValue);
        continue;
      }
      const answer = await ask(root.dataset.scan, await lens.frame(video, LONGEST, 0.8), "image/jpeg");
      if (!take(answer) && answer && !answer.problem && screen.hidden) say(answer.foreign ? "foreign" : "looking");
      await lens.wait(PAUSE);
    }
  }

  async function start() {
    used = Date.now();
    window.sound.ready();
    if (lens.missing()) return say(lens.missing());
    say("starting");
    const mine = ++running;
    try {
      const given = await lens.open(facing, 1280, 720);
      if (mine !== running) return lens.end(given);
      stream = given;
      video.srcObject = given;
      await video.play();
    } catch (error) {
      return stop(lens.refusal(error));
    }
    buttons(true);
    abilities(stream.getVideoTracks()[0]);
    awake();
    say("looking");
    loop(mine);
  }

  function stop(key, words) {
    running += 1;
    if (stream) lens.end(stream);
    stream = null;
    video.srcObject = null;
    buttons(false);
    say(key, words);
    if (lock) lock.release().catch(() => {});
    lock = null;
  }

  function buttons(on) {
    part("start").hidden = on;
    part("stop").hidden = !on;
    view.hidden = !on;
    if (!on) for (const name of ["torch", "flip"]) part(name).hidden = true;
  }

  async function abilities(track) {
    const can = track.getCapabilities ? track.getCapabilities() : {};
    part("torch").hidden = !can.torch;
    const devices = await navigator.mediaDevices.enumerateDevices();
    part("flip").hidden = devices.filter((device) => device.kind === "videoinput").length < 2;
  }

  async function awake() {
    if (!("wakeLock" in navigator)) return;
    try {
      lock = await navigator.wakeLock.request("screen");
    } catch (error) {
      lock = null;  // low battery: the machine decides
    }
  }

  // ---- clock, age of the trust data
  const shown = new Intl.DateTimeFormat(document.documentElement.lang, { hour: "2-digit", minute: "2-digit", second: "2-digit", hour12: false, timeZone: "UTC" });
  function clock() {
    document.getElementById("clock").textContent = shown.format(new Date(Date.now() + offset));
    if (kiosk && Date.now() - used > IDLE) window.location.assign(root.dataset.gone);
  }

  async function state() {
    try {
      const said = await (await fetch(root.dataset.state, { credentials: "same-origin" })).json();
      const strip = document.querySelector(".strip");
      if (strip && said.age) {
        strip.className = "strip " + said.state;
        const place = strip.querySelector("[data-age]");
        if (place) place.textContent = said.age + (said.words ? " · " + said.words : "");
      }
    } catch (error) {
      say("lost");
    }
  }

  // ---- what people press
  part("start").addEventListener("click", start);
  part("stop").addEventListener("click", () => stop(""));
  part("next").addEventListener("click", reset);
  part("flip").addEventListener("click", () => {
    facing = facing === "environment" ? "user" : "environment";
    stop("");
    start();
  });
  part("torch").addEventListener("click", async () => {
    const on = part("torch").getAttribute("aria-pressed") !== "true";
    await stream.getVideoTracks()[0].applyConstraints({ advanced: [{ torch: on }] });
    part("torch").setAttribute("aria-pressed", String(on));
  });
  part("sound").addEventListener("click", () => {
    const on = part("sound").getAttribute("aria-pressed") !== "true";
    part("sound").setAttribute("aria-pressed", String(on));
    window.sound.ready();
    window.sound.set(on);
  });
  document.addEventListener("keydown", (event) => {
    used = Date.now();
    if (screen.hidden) return;
    if (event.key === "Escape" || event.key === "Enter") reset();
    else if (event.key === " ") held = !held;
    else return;
    event.preventDefault();
    if (!screen.hidden) tick();
  });
  document.addEventListener("pointerdown", () => { used = Date.now(); });
  document.addEventListener("visibilitychange", () => {
    if (document.hidden && stream) stop("");
  });
  const typed = document.getElementById("typed"), picked = document.getElementById("picked");
  if (typed) typed.addEventListener("submit", async (event) => {
    event.preventDefault();
    window.sound.ready();
    const field = typed.querySelector("input"), text = field.value.trim();
    field.value = "";
    recent.delete(text);
    if (text && !take(await ask(root.dataset.text, text, "text/plain"))) field.focus();
  });
  if (picked) picked.addEventListener("change", async () => {
    window.sound.ready();
    const file = picked.querySelector("input").files[0];
    recent.clear();
    if (file) {
      const answer = await ask(root.dataset.scan, file, file.type || "image/jpeg");
      if (!take(answer) && answer) say(answer.foreign ? "foreign" : "", answer.problem || (answer.foreign ? "" : root.dataset.looking));
    }
    picked.reset();
  });
  window.counters = window.counters || { add: () => {} };
  setInterval(clock, 500);
  setInterval(state, 60000);
  clock();
})();
