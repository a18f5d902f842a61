"use strict";
// A page opened from a scanned code: the digits stand after #. They go to our own origin and nowhere else (R16).
(function () {
  const notice = document.getElementById("opened");
  if (!notice) return;

  function read() {
    const digits = window.location.hash.slice(1);
    if (!/^[1-9][0-9]{0,2399}$/.test(digits)) return;
    history.replaceState(null, "", window.location.pathname + window.location.search);
    notice.hidden = false;
    window.weid.post(notice.dataset.action, JSON.stringify({ digits: digits }), { "Content-Type": "application/json" })
      .then((response) => response.json())
      .then((answer) => window.weid.show(answer.html))
      .finally(() => { notice.hidden = true; });
  }

  window.addEventListener("hashchange", read);
  read();
})();
