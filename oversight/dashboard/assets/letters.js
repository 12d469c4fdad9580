/* Ours: the page 催报与文书. What is due, drafts, and each step of a letter's life. No library. */
(function () {
  "use strict";
  let page = null, setup = null, due = new Map(), chosen = new Map(), state = "", kind = "";

  const desk = window.oversightDesk, at = desk.at, el = desk.el;
  function ask(method, path, body) { return desk.ask(method, path, body && JSON.stringify(body)); }
  function tell(place, texts) {
    const old = place.querySelector(":scope > .follow-wrong");
    if (old) old.remove();
    if (texts.length) place.prepend(el("div", { class: "notice follow-wrong", role: "alert" }, [el("div", {}, texts.map(function (text) { return el("div", { text: text }); }))]));
  }
  function name() {
    if (setup.who) return "";
    const typed = window.prompt("由谁办理（姓名）？", sessionStorage.getItem("follow-by") || "");
    if (typed) sessionStorage.setItem("follow-by", typed);
    return typed;
  }
  function press(text, kind, act) {
    const button = el("button", { type: "button", class: "button " + (kind || ""), text: text });
    button.addEventListener("click", async function () {
      if (button.disabled) return;
      button.disabled = true;
      const card = button.closest(".card");
      tell(card, []);
      try { const told = await act(); await show(); tell(card, told || []); }
      catch (error) { await show().catch(function () { /* What went wrong first is told. */ }); tell(card, [error.message]); }
      finally { button.disabled = false; }
    });
    return button;
  }
  function table(label, heads, rows) { return desk.table(heads, rows, label, "follow-table"); }
  function all(label) {
    const box = el("input", { type: "checkbox", "aria-label": label });
    box.addEventListener("change", function () { box.closest("table").querySelectorAll("tbody input[type=checkbox]").forEach(function (one) { if (one.checked !== box.checked) one.click(); }); });
    return box;
  }
  function tick(map, key, value, label, changed) {
    const box = el("input", { type: "checkbox", checked: map.has(key), "aria-label": label });
    box.addEventListener("change", function () { if (box.checked) map.set(key, value); else map.delete(key); changed(); });
    return box;
  }

  function drawDue(told) {
    const bar = el("div", { class: "follow-bulk" });
    function changed() {
      bar.replaceChildren();
      if (due.size && setup.may_draft) bar.append(el("div", { class: "button-row button-row-left" }, [press("拟稿 " + due.size + " 件", "follow-main", async function () {
        const by = name();
        if (by === null) return [];
        const answer = await ask("POST", "/letters/draft", { items: Array.from(due.values()), by: by });
        due.clear();
        return answer.told;
      })]));
    }
    const kinds = Array.from(new Map(told.due.map(function (item) { return [item.kind + "|" + item.colour, item.title]; })));
    if (kind && !kinds.some(function (k) { return k[0] === kind; })) kind = "";
    const pick = el("select", { id: "letters-kind", "aria-label": "哪种文书" }, [["", "全部"]].concat(kinds).map(function (k) { return el("option", { value: k[0], selected: k[0] === kind, text: k[1] }); }));
    /* What is out of sight is not chosen. */
    pick.addEventListener("change", function () { kind = pick.value; due.clear(); drawDue(told); });
    const rows = told.due.filter(function (item) { return !kind || item.kind + "|" + item.colour === kind; }).map(function (item) {
      const key = [item.kind, item.unit, item.colour, item.about].join("|");
      return el("tr", { "data-due": key }, [
        el("td", {}, [tick(due, key, { kind: item.kind, unit: item.unit, colour: item.colour, about: item.about }, "选中" + item.name + item.title, changed)]),
        el("th", { scope: "row", text: item.name }), el("td", {}, [el("span", { class: "letter-kind is-" + item.colour, text: item.title })]), el("td", { text: item.what })
      ]);
    });
    at("letters-due").replaceChildren(
      el("div", { class: "follow-filters" }, [kinds.length > 1 ? el("label", { class: "follow-filter" }, [el("span", { text: "文书" }), pick]) : null, el("span", { class: "note", text: "共 " + told.due_count + " 件" + (told.due_count > told.due.length ? "，此处为前 " + told.due.length + " 件" : "") + (kind ? "，其中此种 " + rows.length + " 件" : "") })]), bar,
      rows.length ? table("该发的文书", [all("选中全部该发的"), "单位", "文书", "内容"], rows) : el("p", { class: "note", text: "现在没有该发的文书。" }));
    changed();
  }
  function drawLetters(told) {
    const next = { approve: ["drafted"], issue: ["approved", "issuing"], send: ["issued"], discard: ["drafted", "approved"] };
    const bar = el("div", { class: "follow-bulk" });
    function changed() {
      const rows = Array.from(chosen.values());
      bar.replaceChildren();
      if (!rows.length) return;
      const able = setup.steps.filter(function (step) { return rows.every(function (row) { return next[step.step].includes(row.state); }); });
      bar.append(el("div", { class: "button-row button-row-left" }, [el("span", { text: "已选 " + rows.length + " 件：" })].concat(able.length ? able.map(function (step) {
        return press(step.title, "", async function () {
          const by = name(), note = step.step === "discard" ? window.prompt("作废的理由？") : "";
          if (by === null || note === null) return [];
          const answer = await ask("POST", "/letters/step", { step: step.step, letters: rows.map(function (row) { return row.id; }), by: by, note: note });
          chosen.clear();
          return answer.told;
        });
      }) : [el("span", { class: "note", text: "所选的状态不同，或您的角色不能办理。" })])));
    }
    const pick = el("select", { id: "letters-state", "aria-label": "状态" }, [["", "全部"]].concat(setup.states).map(function (s) { return el("option", { value: s[0], selected: s[0] === state, text: s[1] }); }));
    pick.addEventListener("change", function () { state = pick.value; chosen.clear(); drawLetters(told); });
    const rows = told.letters.filter(function (row) { return !state || row.state === state; }).map(function (row) {
      return el("tr", { "data-letter": row.id, "data-state": row.state }, [
        el("td", {}, [tick(chosen, row.id, row, "选中" + row.name + row.title, changed)]),
        el("th", { scope: "row" }, [el("button", { type: "button", class: "follow-open", text: row.name, "aria-label": "阅读" + row.name + row.title, onclick: function () { read(row); } })]),
        el("td", {}, [el("span", { class: "letter-kind is-" + row.colour, text: row.title })]),
        el("td", {}, [el("span", { class: "letter-state is-" + row.state, text: row.state_zh }), row.why ? el("div", { class: "note", text: row.why }) : null]),
        el("td", { text: row.number || "未编号" }), el("td", { text: row.on }), el("td", { text: row.by })
      ]);
    });
    at("letters-list").replaceChildren(
      el("div", { class: "follow-filters" }, [el("label", { class: "follow-filter" }, [el("span", { text: "状态" }), pick]), el("span", { class: "note", text: "共 " + told.letters_count + " 件" + (told.letters_count > told.letters.length ? "，此处为最近 " + told.letters.length + " 件" : "") })]), bar,
      rows.length ? table("文书", [all("选中全部文书"), "单位", "文书", "状态", "文号", "日期", "办理"], rows) : el("p", { class: "note", text: "没有文书。" }));
    changed();
  }
  function read(row) {
    const address = "/letters/file?id=" + row.id;
    const box = el("dialog", { class: "follow-dialog letter-dialog", "aria-label": row.name + row.title }, [
      el("h2", { text: row.name + row.title + (row.number ? "　" + row.number : "") }),
      el("iframe", { src: address, title: row.name + row.title + "成文" }),
      el("div", { class: "button-row" }, [
        el("a", { class: "button", href: address, target: "_blank", rel: "noopener", text: "在新标签页打开 PDF" }),
        el("a", { class: "button", href: address + "&form=docx", download: true, text: "下载 Word" }),
        el("button", { type: "button", class: "button", text: "关闭", onclick: function () { box.close(); } })
      ])
    ]);
    box.addEventListener("close", function () { box.remove(); });
    page.append(box);
    box.showModal();
  }
  async function show() {
    const told = await ask("GET", "/letters/all?unit=" + setup.unit);
    if (!page.isConnected) return;
    drawDue(told);
    drawLetters(told);
  }
  function start(found, told) {
    page = found;
    setup = told;
    due = new Map();
    chosen = new Map();
    show().catch(function (error) { tell(at("letters-due").closest(".card"), [error.message]); });
  }
  desk.page("letters-page", start);
})();
