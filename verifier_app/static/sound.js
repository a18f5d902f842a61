"use strict";
// What an answer sounds and feels like: three patterns that differ in number, pitch and length, so that no eye is needed.
(function () {
  const TONES = {
    good: [[880, 0, 0.12], [1320, 0.13, 0.2]],
    bad: [[220, 0, 0.28], [185, 0.34, 0.45]],
    ask: [[520, 0, 0.12], [520, 0.2, 0.12], [520, 0.4, 0.12]],
  };
  const FELT = { good: [90], bad: [350, 120, 350], ask: [120, 80, 120, 80, 120] };
  let context = null, on = true;

  function ready() {  // a browser lets a page sound only after a person has pressed something
    const Context = window.AudioContext || window.webkitAudioContext;
    if (!context && Context) context = new Context();
    if (context && context.state === "suspended") context.resume();
  }

  function play(tone) {
    if (navigator.vibrate) navigator.vibrate(FELT[tone]);
    document.documentElement.dataset.tone = on ? tone : "";
    if (!on || !context) return;
    for (const [pitch, after, length] of TONES[tone]) {
      const voice = context.createOscillator(), level = context.createGain(), from = context.currentTime + after;
      voice.type = tone === "bad" ? "square" : "sine";
      voice.frequency.value = pitch;
      level.gain.setValueAtTime(0.0001, from);
      level.gain.exponentialRampToValueAtTime(0.35, from + 0.015);
      level.gain.exponentialRampToValueAtTime(0.0001, from + length);
      voice.connect(level).connect(context.destination);
      voice.start(from);
      voice.stop(from + length + 0.02);
    }
  }

  window.sound = { ready: ready, play: play, set: (value) => { on = value; } };
})();
