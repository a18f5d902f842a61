"use strict";
// Camera to answer: frames are drawn to a canvas, sent as JPEG to our own origin, and scanning stops on a result.
(function () {
  const lens = window.lens;
  const root = document.getElementById("camera");
  if (!root) return;
  const video = root.querySelector("video");
  const view = root.querySelector(".view");
  const hint = root.querySelector(".hint");
  const part = (name) => root.querySelector("[data-do=" + name + "]");
  const PAUSE = 140;  // milliseconds between frames: about 4 to 7 a second with the answer time
  const LONGEST = 1600;  // pixels of the longer side sent
  const HINTS = [[4000, "closer"], [9000, "light"], [15000, "other"]];
  let stream = null, running = 0, began = 0, facing = "environment";

  function say(key) {
    const words = key ? root.dataset[key] : "";
    if (hint.textContent !== words) hint.textContent = words;
    hint.dataset.key = key || "";
  }

  function buttons(on) {
    part("start").hidden = on;
    part("stop").hidden = !on;
    view.hidden = !on;
    if (!on) for (const name of ["torch", "flip"]) part(name).hidden = true;
    if (!on) part("zoom").parentElement.hidden = true;
  }

  function stop(key) {
    running += 1;
    if (stream) lens.end(stream);
    stream = null;
    video.srcObject = null;
    buttons(false);
    say(key);
  }

  async function start() {
    if (lens.missing()) return say(lens.missing());
    say("starting");
    const mine = ++running;
    try {
      const given = await lens.open(facing, 1920, 1080);
      if (mine !== running) return lens.end(given);
      stream = given;
      video.srcObject = given;
      await video.play();
    } catch (error) {
      return stop(lens.refusal(error));
    }
    buttons(true);
    abilities(stream.getVideoTracks()[0]);
    say("looking");
    began = performance.now();
    loop(mine);
  }

  async function abilities(track) {
    const can = track.getCapabilities ? track.getCapabilities() : {};
    part("torch").hidden = !can.torch;
    const zoom = part("zoom");
    zoom.parentElement.hidden = !can.zoom;
    if (can.zoom) Object.assign(zoom, { min: can.zoom.min, max: can.zoom.max, step: can.zoom.step || 0.1, value: can.zoom.min });
    const devices = await navigator.mediaDevices.enumerateDevices();
    part("flip").hidden = devices.filter((device) => device.kind === "videoinput").length < 2;
  }

  async function loop(mine) {
    while (mine === running) {
      await lens.wait(PAUSE);
      if (mine !== running || !video.videoWidth) continue;
      const done = await look(mine);
      if (done) return;
    }
  }

  async function look(mine) {
    const address = root.dataset.action + "?" + new URLSearchParams({ request: root.dataset.request, question: root.dataset.question });
    let response;
    try {
      response = await window.weid.post(address, await lens.frame(video, LONGEST, 0.85), { "Content-Type": "image/jpeg" });
    } catch (error) {
      stop("lost");
      return true;
    }
    if (mine !== running) return true;
    if (response.status === 429) {
      say("slow");
      await lens.wait(2000);
      return false;
    }
    if (!response.ok) {
      stop("reload");
      return true;
    }
    const answer = await response.json();
    if (mine !== running) return true;
    if (answer.found) {
      stop("found");
      window.weid.show(answer.html);
      return true;
    }
    guide(answer.foreign);
    return false;
  }

  function guide(foreign) {
    const passed = performance.now() - began;
    let key = "looking";
    for (const [after, name] of HINTS) if (passed >= after) key = name;
    say(foreign ? "foreign" : key);
  }

  part("start").addEventListener("click", start);
  part("stop").addEventListener("click", () => stop(""));
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
  part("zoom").addEventListener("input", (event) => {
    if (stream) stream.getVideoTracks()[0].applyConstraints({ advanced: [{ zoom: Number(event.target.value) }] });
  });
  document.addEventListener("visibilitychange", () => {
    if (document.hidden && stream) stop("");
  });
})();
