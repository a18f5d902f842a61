"use strict";
// How many codes ended how since the count began: numbers alone, in this tab alone; nothing of any code.
(function () {
  const place = document.getElementById("counters");
  if (!place) return;
  const KEY = "gate-counters";
  const fresh = () => ({ since: new Date().toISOString(), total: 0, groups: { good: 0, bad: 0, ask: 0 }, verdicts: {} });
  let held = fresh();
  try {
    held = Object.assign(fresh(), JSON.parse(window.sessionStorage.getItem(KEY) || "{}"));
  } catch (error) {
    held = fresh();
  }

  function draw() {
    document.getElementById("total").textContent = String(held.total);
    const since = document.getElementById("since");
    since.dateTime = held.since;
    since.textContent = new Date(held.since).toLocaleString(document.documentElement.lang);
    for (const group of ["good", "bad", "ask"]) place.querySelector("[data-count=" + group + "]").textContent = String(held.groups[group]);
    const list = document.getElementById("verdicts");
    list.textContent = "";
    for (const name of Object.keys(held.verdicts)) {
      const item = document.createElement("li");
      item.dataset.verdict = name;
      item.textContent = held.verdicts[name].word + ": " + held.verdicts[name].count;
      list.append(item);
    }
  }

  function keep() {
    try {
      window.sessionStorage.setItem(KEY, JSON.stringify(held));
    } catch (error) {
      return;  // a browser that keeps nothing still counts
    }
  }

  function add(answer) {
    held.total += 1;
    held.groups[answer.tone] += 1;
    const line = held.verdicts[answer.verdict] || { count: 0 };
    held.verdicts[answer.verdict] = { word: answer.word, count: line.count + 1 };
    keep();
    draw();
  }

  function save() {
    const counts = {};
    for (const name of Object.keys(held.verdicts)) counts[name] = held.verdicts[name].count;
    const told = { since: held.since, until: new Date().toISOString(), total: held.total, verdicts: counts };
    const link = document.createElement("a");
    link.href = URL.createObjectURL(new Blob([JSON.stringify(told, null, 1) + "\n"], { type: "application/json" }));
    link.download = "gate-counts.json";
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 1000);
  }

  place.querySelector("[data-do=export]").addEventListener("click", save);
  place.querySelector("[data-do=zero]").addEventListener("click", () => {
    held = fresh();
    keep();
    draw();
  });
  window.counters = { add: add };
  draw();
})();
