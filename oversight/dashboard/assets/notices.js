/* Ours: the bell. What is due, came back, is late, waits or failed, asked for now and then. No library. */
(function () {
  "use strict";
  const desk = window.oversightDesk, at = desk.at, el = desk.el, EVERY = 60000;
  let found = null, timer = null;

  async function look() {
    clearTimeout(timer);
    timer = setTimeout(look, EVERY);
    const bell = at("bell");
    if (!bell || document.hidden) return;
    try { found = (await desk.ask("GET", "/notices")).notices; } catch (error) { return; }
    draw();
  }
  function draw() {
    const bell = at("bell"), fresh = found.filter(function (item) { return item.is_new; }).length;
    if (!bell) return;
    bell.querySelector(".bell-count").textContent = fresh ? String(fresh) : "";
    bell.dataset.tone = (found.find(function (item) { return item.is_new; }) || {}).tone || "";
    bell.setAttribute("aria-label", "提醒：" + (found.length ? found.length + " 项" + (fresh ? "，" + fresh + " 项是新的" : "") : "没有"));
  }
  async function open() {
    // Pressed before the first answer was there: nothing known is not nothing to do.
    if (!found) await look();
    if (at("notices")) return;
    const bell = at("bell"), box = el("div", { id: "notices", class: "notices no-print", role: "dialog", "aria-label": "提醒", tabindex: "-1" });
    box.append(el("h2", { text: "提醒" }), found && found.length ? el("ul", {}, found.map(function (item) {
      return el("li", { class: "is-" + item.tone + (item.is_new ? " is-new" : ""), "data-notice": item.kind }, [el("a", { href: item.href, text: item.text, onclick: function (event) { event.preventDefault(); close(); window.oversightGo(item.href); } })]);
    })) : el("p", { class: "note", text: found ? "没有等您办的事。" : "没能取得提醒，请稍后再试。" }));
    document.body.append(box);
    bell.setAttribute("aria-expanded", "true");
    box.focus();
    if (found && found.some(function (item) { return item.is_new; })) {
      desk.ask("POST", "/notices/seen").then(function () { found.forEach(function (item) { item.is_new = false; }); draw(); }).catch(function () { /* They stay new. */ });
    }
  }
  function close() {
    const box = at("notices"), bell = at("bell");
    if (box) box.remove();
    if (bell) bell.setAttribute("aria-expanded", "false");
  }
  document.addEventListener("click", function (event) {
    const bell = event.target.closest("#bell");
    if (bell) { if (at("notices")) close(); else open(); } else if (!event.target.closest("#notices")) close();
  });
  document.addEventListener("keydown", function (event) { if (event.key === "Escape" && at("notices")) { close(); at("bell").focus(); } });
  document.addEventListener("visibilitychange", function () { if (!document.hidden) look(); });
  /* Asked for once the first page stands and the browser has nothing else to do; from then on now and then. */
  document.addEventListener("oversight:arrived", function () {
    if (window.requestIdleCallback) window.requestIdleCallback(look, { timeout: 3000 });
    else setTimeout(look, 500);
  }, { once: true });
})();
