/* Ours: what the pages that do something have in common. No library. */
window.oversightDesk = (function () {
  "use strict";
  function at(id) { return document.getElementById(id); }
  function el(tag, options, children) {
    const made = document.createElement(tag);
    Object.entries(options || {}).forEach(function (pair) {
      const name = pair[0], value = pair[1];
      if (value === undefined || value === null || value === false) return;
      if (name === "text") made.textContent = value;
      else if (name === "class") made.className = value;
      else if (name.startsWith("on")) made.addEventListener(name.slice(2), value);
      else made.setAttribute(name, value === true ? "" : value);
    });
    (children || []).forEach(function (child) { if (child) made.append(child); });
    return made;
  }
  function say(text) { const live = at("live"); if (live) live.textContent = text; }

  /* Where the sign-in ran out, accounts.js leads away from the page and back; `kept` holds what was being typed. */
  async function ask(method, path, body, kind) {
    const token = document.cookie.match(/(?:^|; )_csrf_token=([^;]*)/);
    const headers = method === "POST" ? { "X-CSRFToken": token ? token[1] : "" } : {};
    if (body !== undefined) headers["Content-Type"] = kind || "application/json";
    let answer;
    try { answer = await fetch(path, { method: method, headers: headers, body: body }); }
    catch (error) { throw new Error("连不上服务。请检查网络后重试；填写的和已上传的都还在。"); }
    if (!answer.ok) {
      const text = await answer.text();
      let told = text;
      try { told = JSON.parse(text).error || text; } catch (error) { /* It is a sentence already. */ }
      throw new Error(told.length < 3000 && !told.startsWith("<") ? told : "服务没有答复。请稍后再试。");
    }
    return answer.json();
  }
  function wrong(place, error) {
    const old = place.querySelector(":scope > .hand-in-wrong");
    if (old) old.remove();
    place.prepend(el("div", { class: "notice hand-in-wrong", role: "alert" }, [el("span", { text: error.message })]));
  }
  /* One press, one deed: a button is off until its answer is there. */
  function press(text, kind, act) {
    const button = el("button", { type: "button", class: "button " + (kind || ""), text: text });
    button.addEventListener("click", async function () {
      if (button.disabled) return;
      const home = button.closest(".hand-in-tray, dialog, .card");
      button.disabled = true;
      try { await act(button); }
      catch (error) { if (home && home.isConnected) wrong(home, error); }
      finally { button.disabled = false; }
    });
    return button;
  }
  function table(heads, rows, label, kind) {
    /* On a telephone each row is a small list, and each of its cells says what it is; a head may be an element. */
    rows.forEach(function (row) { Array.from(row.children).forEach(function (child, n) { child.dataset.label = typeof heads[n] === "string" ? heads[n] : ""; }); });
    return el("div", { class: "plain-frame", tabindex: "0", role: "region", "aria-label": label }, [
      el("table", { class: kind ? "plain-table desk-table " + kind : "plain-table desk-table" }, [
        el("thead", {}, [el("tr", {}, heads.map(function (head) { return el("th", { scope: "col" }, [head]); }))]),
        el("tbody", {}, rows)
      ])
    ]);
  }
  function cell(text, kind) { return el("td", { class: kind, text: text === null || text === undefined || text === "" ? "—" : String(text) }); }
  /* What is being typed outlives a sign-in that ran out: kept by this tab until it was sent. */
  function kept(key, field) {
    const name = "oversight:" + key, before = sessionStorage.getItem(name);
    if (before !== null) field.value = before;
    field.addEventListener("input", function () { sessionStorage.setItem(name, field.value); });
    field.sent = function () { sessionStorage.removeItem(name); field.value = ""; };
    return field;
  }
  /* The id of a page's frame → what fills it; called once for each time the page is drawn. */
  const starters = {}, started = {};
  function page(id, start) { starters[id] = start; look(); }
  function look() {
    Object.keys(starters).forEach(function (id) {
      const found = at(id);
      if (found && found !== started[id]) { started[id] = found; starters[id](found, JSON.parse(found.dataset.setup)); }
    });
  }
  new MutationObserver(look).observe(document.documentElement, { childList: true, subtree: true });
  return { at: at, el: el, say: say, ask: ask, wrong: wrong, press: press, table: table, cell: cell, kept: kept, page: page };
})();
