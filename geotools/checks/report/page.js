"use strict";
(() => {
  const box = (id) => document.getElementById(id);
  const cards = [...document.querySelectorAll(".card")].map((card) => ({ card, text: card.textContent.toLowerCase() }));
  const apply = () => {
    const words = box("search").value.toLowerCase().split(/\s+/).filter(Boolean);
    const wanted = ["severity", "organisation", "state"].map((name) => [name, box(name) ? box(name).value : ""]);
    for (const { card, text } of cards) {
      const fits = words.every((w) => text.includes(w)) && wanted.every(([name, value]) => !value || card.dataset[name] === value);
      card.hidden = !fits;
      card.style.display = fits ? "" : "none";
    }
    const narrowed = words.length > 0 || wanted.some(([, value]) => value);
    for (const group of document.querySelectorAll("details")) {
      const left = group.querySelectorAll(".card:not([hidden])").length;
      group.style.display = left || !narrowed ? "" : "none";
      if (narrowed && left) group.open = true;
    }
  };
  for (const name of ["search", "severity", "organisation", "state"]) if (box(name)) box(name).addEventListener("input", apply);
  const reveal = () => {
    const group = location.hash && document.getElementById(decodeURIComponent(location.hash.slice(1)));
    if (group && group.tagName === "DETAILS") { group.open = true; group.scrollIntoView(); }
  };
  window.addEventListener("hashchange", reveal);
  reveal();
})();
