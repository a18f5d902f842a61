"use strict";
// Collects the frames of an animated code; our own server puts them together and takes what they give as any bundle.
(function () {
  const root = document.getElementById("receive");
  if (!root) return;
  const video = root.querySelector("video"), hint = root.querySelector(".hint"), bar = root.querySelector("progress");
  const told = root.querySelector(".told"), outcome = document.getElementById("outcome");
  const canvas = document.createElement("canvas");
  const part = (name) => root.querySelector("[data-do=" + name + "]");
  let stream = null, running = 0, native = null;

  function say(key, words) {
    hint.textContent = words || (key ? root.dataset[key] : "");
    hint.dataset.key = key || "";
  }

  function stop(key) {
    running += 1;
    if (stream) stream.getTracks().forEach((track) => track.stop());
    stream = null;
    video.srcObject = null;
    part("start").hidden = false;
    part("stop").hidden = true;
    root.querySelector(".view").hidden = true;
    say(key);
  }

  function end(words, good) {
    stop("");
    outcome.hidden = false;
    outcome.textContent = words;
    outcome.className = good ? "notice good" : "notice problem";
  }

  function wait(milliseconds) {
    return new Promise((done) => setTimeout(done, milliseconds));
  }

  function newFrame() {
    if (!video.requestVideoFrameCallback) return wait(60);
    return Promise.race([new Promise((done) => video.requestVideoFrameCallback(done)), wait(250)]);
  }

  async function body() {
    if (native) {
      const codes = await native.detect(video).catch(() => []);
      return codes.length ? [codes.map((code) => code.rawValue).join("\n"), "text/plain"] : null;
    }
    canvas.width = video.videoWidth;
    canvas.height = video.videoHeight;
    canvas.getContext("2d").drawImage(video, 0, 0);
    return [await new Promise((done) => canvas.toBlob(done, "image/jpeg", 0.8)), "image/jpeg"];
  }

  async function send(mine) {
    const seen = await body();
    if (!seen) return;
    const response = await window.weid.post(root.dataset.frames, seen[0], { "Content-Type": seen[1] });
    if (response.status === 429) {
      say("slow");
      return wait(2000);
    }
    if (!response.ok) return stop("reload");
    const said = await response.json();
    if (mine !== running) return;
    if (said.needed) {
      bar.parentElement.hidden = false;
      bar.max = said.needed;
      bar.value = said.have;
      told.textContent = root.dataset.told.replace("{have}", said.have).replace("{needed}", said.needed);
    }
    if (said.done) end(said.imported || said.problem, Boolean(said.imported));
    else if (said.problem) say("", said.problem);
    else say(said.foreign ? "foreign" : "looking");
  }

  async function loop(mine) {
    while (mine === running) {
      await newFrame();
      if (mine !== running || !video.videoWidth) continue;
      try {
        await send(mine);
      } catch (error) {
        say("lost");
        await wait(1000);
      }
    }
  }

  function refusal(error) {
    if (error.name === "NotAllowedError" || error.name === "SecurityError") return "refused";
    if (error.name === "NotReadableError" || error.name === "AbortError") return "busy";
    return "absent";
  }

  async function start() {
    outcome.hidden = true;
    if (!window.isSecureContext) return say("insecure");
    if (!navigator.mediaDevices || !navigator.mediaDevices.getUserMedia) return say("absent");
    say("starting");
    const mine = ++running;
    try {
      const wanted = { facingMode: { ideal: "environment" }, width: { ideal: 1280 }, height: { ideal: 720 } };
      stream = await navigator.mediaDevices.getUserMedia({ video: wanted, audio: false });
      video.srcObject = stream;
      await video.play();
    } catch (error) {
      return stop(refusal(error));
    }
    if ("BarcodeDetector" in window) native = new window.BarcodeDetector({ formats: ["qr_code"] });
    part("start").hidden = true;
    part("stop").hidden = false;
    root.querySelector(".view").hidden = false;
    say("looking");
    loop(mine);
  }

  part("start").addEventListener("click", start);
  part("stop").addEventListener("click", () => stop(""));
  part("restart").addEventListener("click", async () => {
    await window.weid.post(root.dataset.restart, "", {});
    bar.parentElement.hidden = true;
    outcome.hidden = true;
  });
  document.addEventListener("visibilitychange", () => {
    if (document.hidden && stream) stop("");
  });
})();
