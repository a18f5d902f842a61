"use strict";
document.addEventListener("click", (event) => {
  const button = event.target.closest("button");
  if (!button) return;
  if (button.hasAttribute("data-print")) window.print();
  const from = button.getAttribute("data-copy");
  if (!from) return;
  const source = document.getElementById(from);
  const text = "value" in source ? source.value : source.textContent;
  if (navigator.clipboard) {
    navigator.clipboard.writeText(text).then(() => { button.textContent = button.dataset.done || button.textContent; });
  } else {
    const range = document.createRange();
    range.selectNodeContents(source);
    getSelection().removeAllRanges();
    getSelection().addRange(range);
  }
});
