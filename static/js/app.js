// Small enhancements. Every page works without this file; nothing here decides anything.
(() => {
  "use strict";
  const root = document.documentElement;
  root.classList.add("js");

  // Copy buttons: the value is in the page anyway, the button only saves the selecting.
  // What is said stands on the announcer itself, in the page's language.
  const say = (name) => {
    const region = document.getElementById("announcer");
    if (region) region.textContent = region.dataset[name];
  };
  document.addEventListener("click", async (event) => {
    const button = event.target.closest("[data-copy]");
    if (!button) return;
    try {
      await navigator.clipboard.writeText(button.dataset.copy);
    } catch {
      say("notCopied");
      return;
    }
    const use = button.querySelector("use");
    const before = use.getAttribute("href");
    use.setAttribute("href", before.replace(/#.*/, "#check"));
    say("copied");
    setTimeout(() => use.setAttribute("href", before), 1500);
  });

  // Tables that become stacked rows lose their meaning for screen readers when `display` changes; say it again.
  const roles = { TABLE: "table", THEAD: "rowgroup", TBODY: "rowgroup", TR: "row", TH: "columnheader", TD: "cell" };
  const nameTables = (part) =>
    part.querySelectorAll("table.stack, table.stack *").forEach((element) => {
      const role = element.scope === "row" ? "rowheader" : roles[element.tagName];
      if (role) element.setAttribute("role", role);
    });
  // A table that scrolls sideways must be scrollable by keyboard too.
  const openTables = () =>
    document.querySelectorAll(".table-wrap").forEach((wrap) => {
      if (wrap.scrollWidth > wrap.clientWidth) wrap.tabIndex = 0;
      else wrap.removeAttribute("tabindex");
    });
  nameTables(document);
  openTables();
  addEventListener("resize", openTables);

  // "3 minutes ago" keeps counting while the page stays open.
  const units = [["day", 86400], ["hour", 3600], ["minute", 60]];
  const words = new Intl.RelativeTimeFormat(root.lang, { numeric: "always" });
  const countOn = () =>
    document.querySelectorAll("time[data-relative]").forEach((element) => {
      const seconds = (new Date(element.dateTime) - Date.now()) / 1000;
      const [unit, size] = units.find(([, size]) => Math.abs(seconds) >= size) || [];
      if (unit) element.textContent = words.format(Math.trunc(seconds / size), unit);
    });
  setInterval(countOn, 30000);

  // A date says on hover exactly when it was; in long lists that is not written a hundred times.
  document.addEventListener("mouseover", (event) => {
    const time = event.target.closest("time:not([title])");
    if (time) time.title = new Date(time.dateTime).toISOString().replace("T", " ").replace(/\.\d+Z/, " UTC");
  });

  // Polled parts: ask with the tag of what is shown, so that "nothing new" answers 304 and swaps nothing.
  document.addEventListener("htmx:configRequest", (event) => {
    const tag = event.detail.elt.dataset.etag;
    if (tag) event.detail.headers["If-None-Match"] = tag;
  });
  // A session that ended while a part was polled leads to the sign-in, not to a sign-in inside the part.
  document.addEventListener("htmx:beforeSwap", (event) => {
    if (!new URL(event.detail.xhr.responseURL).pathname.startsWith("/me/")) return;
    event.detail.shouldSwap = false;
    location.reload();
  });
  document.addEventListener("htmx:load", (event) => {
    nameTables(event.detail.elt);
    openTables();
  });
})();
