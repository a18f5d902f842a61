"use strict";
// What every page with a camera needs: a picture from it, a frame as JPEG, and in one word why there is none.
(function () {
  const canvas = document.createElement("canvas");

  // "insecure" or "absent" where this browser lets no page at a camera, else "".
  function missing() {
    if (!window.isSecureContext) return "insecure";
    return navigator.mediaDevices && navigator.mediaDevices.getUserMedia ? "" : "absent";
  }

  function open(facing, width, height) {
    const wanted = { facingMode: { ideal: facing }, width: { ideal: width }, height: { ideal: height } };
    return navigator.mediaDevices.getUserMedia({ video: wanted, audio: false });
  }

  function refusal(error) {
    if (error.name === "NotAllowedError" || error.name === "SecurityError") return "refused";
    if (error.name === "NotReadableError" || error.name === "AbortError") return "busy";
    return "absent";
  }

  // `longest`: pixels of the longer side at most.
  function frame(video, longest, quality) {
    const factor = Math.min(1, longest / Math.max(video.videoWidth, video.videoHeight));
    canvas.width = Math.round(video.videoWidth * factor);
    canvas.height = Math.round(video.videoHeight * factor);
    canvas.getContext("2d").drawImage(video, 0, 0, canvas.width, canvas.height);
    return new Promise((done) => canvas.toBlob(done, "image/jpeg", quality));
  }

  function wait(milliseconds) {
    return new Promise((done) => setTimeout(done, milliseconds));
  }

  function end(stream) {
    stream.getTracks().forEach((track) => track.stop());
  }

  window.lens = { missing: missing, open: open, refusal: refusal, frame: frame, wait: wait, end: end };
})();
