/* Ours: the page 问题整改. Lists, one finding with its history, steps on one or several. No library. */
(function () {
  "use strict";
  const PART = 1024 * 1024;
  let page = null, setup = null, asked = {}, chosen = new Map(), turn = 0;

  const desk = window.oversightDesk, at = desk.at, el = desk.el, say = desk.say, ask = desk.ask;
  function newKey() { return Array.from(crypto.getRandomValues(new Uint8Array(12)), function (n) { return n.toString(16).padStart(2, "0"); }).join(""); }

  function wrong(place, text) {
    const old = place.querySelector(":scope > .follow-wrong");
    if (old) old.remove();
    if (text) place.prepend(el("div", { class: "notice follow-wrong", role: "alert" }, [el("span", { text: text })]));
  }
  function pick(name, label, options, value, change) {
    const made = el("select", { id: "follow-" + name, "aria-label": label }, options.map(function (o) { return el("option", { value: o[0], selected: o[0] === value, text: o[1] }); }));
    made.addEventListener("change", function () { change(made.value); });
    return el("label", { class: "follow-filter" }, [el("span", { text: label }), made]);
  }

  function remember() {
    const query = new URLSearchParams(location.search);
    ["state", "severity", "rule", "mine", "overdue", "words"].forEach(function (name) {
      if (asked[name] && !(name === "state" && asked[name] === "open")) query.set(name, asked[name]); else query.delete(name);
    });
    query.delete("id");
    const text = query.toString();
    history.replaceState(history.state, "", location.pathname + (text ? "?" + text : ""));
  }
  function choose(name, value) { asked[name] = value; asked.page = 0; chosen.clear(); remember(); showList(); }

  function filters() {
    const words = el("input", { type: "search", id: "follow-words", maxlength: "60", value: asked.words || "", placeholder: "单位或内容", "aria-label": "查找单位或内容" });
    words.addEventListener("change", function () { choose("words", words.value.trim()); });
    function flag(name, label) {
      const box = el("input", { type: "checkbox", id: "follow-" + name, checked: asked[name] === "1" });
      box.addEventListener("change", function () { choose(name, box.checked ? "1" : ""); });
      return el("label", { class: "follow-flag" }, [box, el("span", { text: label })]);
    }
    at("follow-filters").replaceChildren(
      pick("state", "状态", [["open", "未了（全部）"], ["all", "全部"]].concat(setup.states), asked.state || "open", function (v) { choose("state", v); }),
      pick("severity", "程度", [["", "不限"]].concat(setup.severities), asked.severity || "", function (v) { choose("severity", v); }),
      pick("rule", "规则", [["", "不限"]].concat(setup.rules), asked.rule || "", function (v) { choose("rule", v); }),
      words, setup.who ? flag("mine", "我负责的") : "", flag("overdue", "逾期的")
    );
    const query = setup.unit ? "?unit=" + setup.unit : "", said = el("div", { class: "follow-reconciled" });
    at("follow-ledger").replaceChildren(el("div", { class: "button-row button-row-left" }, [
      desk.press("对账", "", async function () {
        const told = await ask("GET", "/follow/reconcile" + query);
        said.replaceChildren(el("p", { role: "status", text: (told.count ? "▲ 有 " + told.count + " 处不符。" : "● 没有不符。") + told.told }));
        if (told.wrong.length) said.append(el("ul", { class: "list" }, told.wrong.map(function (text) { return el("li", { text: text }); })));
      }),
      el("a", { class: "button", download: true, href: "/follow/export" + query, text: "导出办理记录" }),
      el("span", { class: "note", text: "对账：台账里的每次办理与留痕逐条核对" })
    ]), said);
  }

  async function showList() {
    const mine = ++turn, place = at("follow-list"), query = new URLSearchParams({ unit: setup.unit });
    ["state", "severity", "rule", "mine", "overdue", "words", "page"].forEach(function (name) { if (asked[name]) query.set(name, asked[name]); });
    place.setAttribute("aria-busy", "true");
    try {
      const told = await ask("GET", "/follow/list?" + query);
      if (mine !== turn || !place.isConnected) return;
      drawList(place, told);
    } catch (error) { if (mine === turn) wrong(place, error.message); }
    finally { place.removeAttribute("aria-busy"); }
  }
  function drawList(place, told) {
    const counts = el("p", { class: "note follow-counts" }, [el("span", { text: "共 " + told.total + " 项　" })].concat(setup.states.filter(function (s) { return told.counts[s[0]]; }).map(function (s) { return el("span", { class: "follow-state is-" + s[0], text: s[1] + " " + told.counts[s[0]] }); })));
    const all = el("input", { type: "checkbox", "aria-label": "选中本页全部" });
    all.addEventListener("change", function () {
      place.querySelectorAll("tbody input[type=checkbox]").forEach(function (box) { if (box.checked !== all.checked) box.click(); });
    });
    /* All that fit, from every page: what is ticked stays ticked over the pages. */
    const most = Math.min(told.total, setup.most);
    const every = told.pages > 1 ? desk.press("选中符合条件的" + (told.total > most ? "前 " : "全部 ") + most + " 项", "", async function () {
      const mine = turn;
      for (let n = 0; n < told.pages && chosen.size < most; n++) {
        const query = new URLSearchParams({ unit: setup.unit, page: n });
        ["state", "severity", "rule", "mine", "overdue", "words"].forEach(function (name) { if (asked[name]) query.set(name, asked[name]); });
        const found = await ask("GET", "/follow/list?" + query);
        /* The filters were changed meanwhile. */
        if (mine !== turn) return;
        found.rows.forEach(function (row) { if (chosen.size < most) chosen.set(row.id, row); });
      }
      drawList(place, told);
    }) : null;
    const rows = told.rows.map(function (row) {
      const box = el("input", { type: "checkbox", checked: chosen.has(row.id), "aria-label": "选中" + row.unit + row.message.slice(0, 20) });
      box.addEventListener("change", function () { if (box.checked) chosen.set(row.id, row); else chosen.delete(row.id); bulk(); });
      return el("tr", { "data-finding": row.id, "data-state": row.state }, [
        el("td", {}, [box]),
        el("th", { scope: "row" }, [el("button", { type: "button", class: "follow-open", text: row.unit, "aria-label": row.unit + "：" + row.message, onclick: function () { open(row.id); } })]),
        el("td", {}, [el("span", { class: "follow-state is-" + row.state, text: row.state_zh }), row.closed_by ? el("div", { class: "note", text: row.closed_by }) : null]),
        el("td", { class: "follow-severity is-" + row.severity, text: row.severity_zh || "—" }),
        el("td", { class: "follow-message" }, [el("span", { text: row.message }), row.earlier.length ? el("div", { class: "note", text: "此前：" + row.earlier.join("、") }) : null]),
        el("td", { text: row.opened + "起，" + row.months + " 个月" }),
        el("td", { text: row.owner || "—" }),
        el("td", { class: row.overdue ? "follow-late" : "", text: row.due ? row.due + (row.overdue ? " 逾期" : "") : "—" })
      ]);
    });
    const table = desk.table([all, "单位", "状态", "程度", "问题", "持续", "责任人", "期限"], rows, "问题清单", "follow-table");
    const turnPage = el("div", { class: "button-row button-row-left follow-pages" }, [
      el("button", { type: "button", class: "button", text: "上一页", disabled: told.page === 0, onclick: function () { asked.page = told.page - 1; showList(); } }),
      el("span", { class: "note", text: "第 " + (told.page + 1) + " 页，共 " + Math.max(told.pages, 1) + " 页" }),
      el("button", { type: "button", class: "button", text: "下一页", disabled: told.page + 1 >= told.pages, onclick: function () { asked.page = told.page + 1; showList(); } })
    ]);
    const told_nothing = el("p", { class: "note", text: "没有符合条件的问题。可以放宽筛选条件，或换一个地区。" });
    place.replaceChildren(counts, every ? el("div", { class: "button-row button-row-left" }, [every]) : "", told.rows.length ? table : told_nothing, told.pages > 1 ? turnPage : "");
    bulk();
  }
  function bulk() {
    const place = at("follow-bulk"), rows = Array.from(chosen.values());
    if (!rows.length) { place.replaceChildren(); return; }
    const steps = setup.steps.filter(function (step) { return rows.every(function (row) { return step.from.includes(row.state); }); });
    place.replaceChildren(el("div", { class: "button-row button-row-left" }, [el("span", { text: "已选 " + rows.length + " 项：" })].concat(
      steps.length ? steps.map(function (step) { return el("button", { type: "button", class: "button", text: step.title, onclick: function () { form(step, rows); } }); })
        : [el("span", { class: "note", text: "所选的状态不同，没有能一起办理的。" })],
      [el("button", { type: "button", class: "button", text: "清除选择", onclick: function () { chosen.clear(); showList(); } })])));
  }

  function dialog(title) {
    const made = el("dialog", { class: "follow-dialog", "aria-label": title }, [el("h2", { text: title })]);
    made.addEventListener("close", function () { made.remove(); });
    page.append(made);
    return made;
  }
  async function open(id) {
    const box = dialog("问题经过");
    box.append(el("p", { class: "note", text: "正在读取…" }));
    box.showModal();
    try { drawOne(box, await ask("GET", "/follow/one?id=" + encodeURIComponent(id))); }
    catch (error) { wrong(box, error.message); }
  }
  function drawOne(box, item) {
    const notes = item.notes.map(function (note) {
      const more = [note.until ? "至 " + note.until : "", note.owner && note.owner !== note.text ? "责任人 " + note.owner : "", note.approver ? "批准 " + note.approver : ""].filter(Boolean).join("，");
      return el("li", {}, [
        el("div", { class: "note", text: note.on + (note.at ? " " + note.at : "") + "　" + note.by }),
        el("div", {}, [el("strong", { text: note.title + "　" }), el("span", { text: note.text + (more ? "（" + more + "）" : "") })]),
        note.files.length ? el("div", { class: "button-row button-row-left" }, note.files.map(function (file) { return el("a", { class: "button", href: file.href, download: true, text: file.name }); })) : null
      ]);
    });
    box.replaceChildren(
      el("h2", { text: item.unit }),
      el("p", {}, [el("span", { class: "follow-state is-" + item.state, text: item.state_zh }), el("span", { text: "　" + (item.closed_by || (item.due ? "期限 " + item.due + (item.overdue ? "，已逾期" : "") : "")) + (item.owner ? "　责任人 " + item.owner : "") })]),
      el("p", { text: item.message }),
      el("p", { class: "note", text: "编号 " + item.id + "，" + item.opened + "出现" + (item.earlier.length ? "；此前同一问题 " + item.earlier.join("、") : "") }),
      el("h3", { text: "经过" }),
      notes.length ? el("ol", { class: "follow-notes" }, notes) : el("p", { class: "note", text: "还没有办理过。" }),
      el("div", { class: "button-row button-row-left follow-steps" }, item.steps.map(function (step) {
        return el("button", { type: "button", class: "button", text: step.title, "data-step": step.kind, onclick: function () { box.close(); form(step, [item]); } });
      }).concat([el("button", { type: "button", class: "button", text: "关闭", onclick: function () { box.close(); } })]))
    );
  }

  async function upload(files) {
    if (!files.length) return "";
    const made = await ask("POST", "/follow/attach", JSON.stringify({ files: files.map(function (f) { return { name: f.name, size: f.size }; }) }));
    for (let n = 0; n < files.length; n++) {
      for (let from = 0; from < files[n].size;) {
        const told = await ask("POST", "/follow/part/" + made.id + "/" + n + "/" + from, await files[n].slice(from, from + PART).arrayBuffer(), "application/octet-stream");
        if (told.have <= from) throw new Error("“" + files[n].name + "”没有传完。请重新选择。");
        from = told.have;
      }
    }
    return made.id;
  }
  function form(step, rows) {
    const box = dialog(step.title), key = newKey(), fields = {};
    let sent = "", sentFiles = "";
    function field(name, label, input) {
      fields[name] = input;
      return el("label", { class: "follow-field" }, [el("span", { text: label }), input]);
    }
    const wants = step.wants, parts = [];
    if (wants.includes("owner")) {
      parts.push(field("owner", "责任人", el("input", { type: "text", maxlength: "100", list: "follow-people", required: true })));
      parts.push(el("datalist", { id: "follow-people" }));
      ask("GET", "/follow/people").then(function (told) { const list = at("follow-people"); if (list) list.replaceChildren.apply(list, told.names.map(function (name) { return el("option", { value: name }); })); }).catch(function () { /* The name can be typed. */ });
    }
    const words = { reply: "答复内容", returned: "退回的理由", closed: "核销的理由", exemption: "豁免的理由", agreed: "约定的整改措施", done: "整改情况", notice: "通知内容", reopened: "理由", exemption_end: "理由" }[step.kind] || "内容";
    parts.push(field("text", words, el("textarea", { rows: "4", maxlength: String(setup.characters), required: wants.includes("text") })));
    if (wants.includes("on") || step.kind === "notice") parts.push(field("on", step.kind === "exemption" ? "豁免到" : step.kind === "notice" ? "请在何日前答复（可不填）" : "约定完成日期", el("input", { type: "date", required: wants.includes("on") })));
    if (wants.includes("approver") && !setup.who) parts.push(field("approver", step.kind === "closed" ? "核销人" : "批准人", el("input", { type: "text", maxlength: "100", required: true })));
    if (!setup.who) parts.push(field("by", "办理人", el("input", { type: "text", maxlength: "100", required: true, value: sessionStorage.getItem("follow-by") || "" })));
    if (setup.may_attach && ["reply", "done", "remark"].includes(step.kind)) parts.push(field("files", "附件（最多 " + setup.files + " 个）", el("input", { type: "file", multiple: true })));
    const about = "follow:" + step.kind + ":" + rows.map(function (row) { return row.id; }).join(" ") + ":";
    const typed = ["owner", "text", "on", "approver"].filter(function (name) { return fields[name]; });
    typed.forEach(function (name) { desk.kept(about + name, fields[name]); });
    const send = el("button", { type: "submit", class: "button follow-main", text: step.title });
    const made = el("form", { method: "dialog" }, parts.concat([el("div", { class: "button-row" }, [send, el("button", { type: "button", class: "button", text: "取消", onclick: function () { box.close(); } })])]));
    made.addEventListener("submit", async function (event) {
      event.preventDefault();
      if (send.disabled) return;
      send.disabled = true;
      wrong(box, "");
      try {
        const files = fields.files ? Array.from(fields.files.files) : [], names = files.map(function (f) { return f.name + f.size + f.lastModified; }).join("/");
        // What went up before an answer was lost need not go up again.
        if (names !== sentFiles) { sent = await upload(files); sentFiles = names; }
        function value(name) { return fields[name] ? fields[name].value.trim() : ""; }
        if (value("by")) sessionStorage.setItem("follow-by", value("by"));
        const told = await ask("POST", "/follow/act", JSON.stringify({
          key: key, kind: step.kind, findings: rows.map(function (row) { return { id: row.id, version: row.version }; }),
          text: value("text"), on: value("on"), approver: value("approver"), owner: value("owner"), by: value("by"), upload: sent
        }));
        if (told.done.length) typed.forEach(function (name) { fields[name].sent(); });
        chosen.clear();
        showList();
        if (told.refused.length) {
          made.replaceChildren(el("p", { text: told.done.length ? "已办理 " + told.done.length + " 项，其余没有办理：" : "没有办理：" }),
            el("ul", { class: "list" }, told.refused.map(function (item) { return el("li", { text: item.id + "　" + item.why }); })),
            el("div", { class: "button-row" }, [el("button", { type: "button", class: "button", text: "关闭", onclick: function () { box.close(); } })]));
        } else { box.close(); say("已" + step.title + " " + told.done.length + " 项"); }
      } catch (error) { wrong(box, error.message); }
      finally { send.disabled = false; }
    });
    box.append(el("p", { class: "note", text: rows.length > 1 ? rows.length + " 项：" + rows.slice(0, 5).map(function (r) { return r.unit; }).join("、") + (rows.length > 5 ? "等" : "") : rows[0].unit + "：" + rows[0].message }), made);
    box.showModal();
  }

  function start(found, told) {
    page = found;
    setup = told;
    asked = Object.assign({ page: 0 }, setup.asked);
    chosen = new Map();
    filters();
    showList();
    if (asked.id) open(asked.id);
  }
  desk.page("follow-page", start);
})();
