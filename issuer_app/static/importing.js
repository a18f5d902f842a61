"use strict";
(() => {
  const work = document.getElementById("work");
  if (!work) return;
  const part = (name) => document.getElementById(`work-${name}`);
  const ask = async () => {
    try {
      const answer = await fetch(work.dataset.progress, { credentials: "same-origin", redirect: "error" });
      const told = await answer.json();
      if (told.over) { location.reload(); return; }
      part("bar").value = told.percent;
      part("state").textContent = told.state;
      part("words").textContent = told.words;
      part("left").textContent = told.left;
    } catch (error) { /* the next attempt may succeed: the work itself goes on */ }
    setTimeout(ask, 1000);
  };
  setTimeout(ask, 500);
})();
