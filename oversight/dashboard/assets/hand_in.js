/* Ours: the page 报送. Uploads in parts, the judgement at the cell, handing in, receipts. No library. */
(function () {
  "use strict";
  const PART = 1024 * 1024, POLL = 700;
  let page = null, setup = null, month = "", watching = {};

  const desk = window.oversightDesk, at = desk.at, el = desk.el, say = desk.say, ask = desk.ask, wrong = desk.wrong, press = desk.press, table = desk.table, cell = desk.cell;

  async function showDue() {
    const place = at("hand-in-due"), asked = month;
    place.setAttribute("aria-busy", "true");
    try {
      const told = await ask("GET", "/hand-in/due?unit=" + setup.unit + "&month=" + month);
      if (asked !== month || !place.isConnected) return;
      const templates = el("div", { class: "button-row hand-in-templates" }, [el("span", { class: "note", text: "下载填报模板：" })].concat(setup.datasets.map(function (item) {
        return el("a", { class: "button", download: true, text: item[1], "aria-label": "下载" + item[1] + "填报模板", href: "/hand-in/template?dataset=" + item[0] + "&unit=" + setup.unit + "&month=" + month });
      })));
      const rows = told.rows.map(function (row) {
        return el("tr", {}, [el("th", { scope: "row", text: row.name }), cell(row.code)].concat(told.datasets.map(function (dataset) {
          const state = row.cells[dataset.name];
          return el("td", {}, [
            el("span", { class: "hand-in-state is-" + state.status, text: state.text + (state.on ? " " + state.on : "") }),
            state.may_nil ? nilButton(row, dataset) : null
          ]);
        })));
      });
      const heads = ["乡镇（街道）", "区划代码"].concat(told.datasets.map(function (d) { return d.title + "（" + (d.due === "没有规定" ? "无截止日" : d.due + " 截止") + (d.is_past ? "，已过" : "") + "）"; }));
      place.replaceChildren(templates, told.rows.length ? table(heads, rows, told.county + told.month + "应报的报表") : el("p", { class: "note", text: told.month + "没有由您报送的单位。" }));
    } catch (error) { wrong(place, error); }
    finally { place.removeAttribute("aria-busy"); }
  }
  function nilButton(row, dataset) {
    const button = press("零报告", "hand-in-nil", async function () {
      const what = row.name + month + dataset.title;
      if (!window.confirm("报送" + what + "零报告：本月没有发生，各项本月数按 0 计。确定吗？")) return;
      let tray = await ask("POST", "/hand-in/nil", JSON.stringify({ unit: row.code, dataset: dataset.name, month: month }));
      while (tray.state === "waiting") {
        await new Promise(function (done) { setTimeout(done, POLL); });
        tray = await ask("GET", "/hand-in/tray/" + tray.id);
      }
      if (tray.state !== "judged" || !tray.files[0].may_hand_in) {
        await showMine();
        throw new Error(tray.failure || (tray.files[0].reason || tray.files[0].message_zh));
      }
      await ask("POST", "/hand-in/send/" + tray.id);
      say(what + "零报告已交");
      await Promise.all([showDue(), showMine()]);
    });
    button.setAttribute("aria-label", row.name + dataset.title + "零报告");
    return button;
  }

  async function upload(files) {
    files = Array.from(files);
    if (!files.length) return;
    const card = at("hand-in-drop").closest(".card"), old = card.querySelector(":scope > .hand-in-wrong");
    if (old) old.remove();
    const bar = el("progress", { max: "100", value: "0", "aria-label": "上传进度" });
    const line = el("div", { class: "hand-in-tray" }, [el("span", { text: "正在上传 " + files.map(function (f) { return f.name; }).join("、") }), bar]);
    at("hand-in-trays").prepend(line);
    const total = files.reduce(function (sum, f) { return sum + f.size; }, 0) || 1;
    try {
      const tray = await ask("POST", "/hand-in/new", JSON.stringify({ unit: setup.unit, files: files.map(function (f) { return { name: f.name, size: f.size }; }) }));
      let sent = 0;
      for (let n = 0; n < files.length; n++) {
        let from = 0, idle = 0;
        while (from < files[n].size) {
          let told;
          try {
            told = await ask("POST", "/hand-in/part/" + tray.id + "/" + n + "/" + from, await files[n].slice(from, from + PART).arrayBuffer(), "application/octet-stream");
          } catch (error) {
            // A part that broke off is sent again, from where the server has come.
            if (++idle > 3 || !/连不上/.test(error.message)) throw error;
            await new Promise(function (done) { setTimeout(done, 1500 * idle); });
            continue;
          }
          if (told.have <= from && ++idle > 3) throw new Error("“" + files[n].name + "”没有传完。请重新上传。");
          sent += told.have - from;
          from = told.have;
          bar.value = Math.round(100 * sent / total);
        }
      }
      await ask("POST", "/hand-in/check/" + tray.id);
      await showMine();
    } catch (error) { wrong(card, error); }
    finally { line.remove(); }
  }

  async function watch(id) {
    if (watching[id]) return;
    watching[id] = true;
    try {
      for (;;) {
        await new Promise(function (done) { setTimeout(done, POLL); });
        if (!page.isConnected) return;
        const tray = await ask("GET", "/hand-in/tray/" + id);
        const old = at("hand-in-trays").querySelector('[data-tray="' + id + '"]');
        if (!old) return;
        if (tray.state !== "waiting") { old.replaceWith(trayBox(tray)); say("核对完成"); return; }
      }
    } catch (error) { wrong(at("hand-in-drop").closest(".card"), error); }
    finally { delete watching[id]; }
  }

  function trayBox(tray) {
    const box = el("section", { class: "hand-in-tray", "data-tray": tray.id, "data-state": tray.state, "aria-label": tray.names.join("、") });
    const drop = press("删除", "", async function () { await ask("POST", "/hand-in/discard/" + tray.id); box.remove(); });
    if (tray.state === "filling") {
      box.append(el("p", { text: "没有传完：" + tray.names.join("、") + "（" + tray.made + "）。请删除后重新上传。" }), drop);
      return box;
    }
    if (tray.state === "waiting") {
      box.append(el("p", { role: "status", text: "正在核对 " + tray.names.join("、") + "，约 " + tray.seconds + " 秒…" }));
      watch(tray.id);
      return box;
    }
    if (tray.state === "failed") {
      box.append(el("p", { role: "alert", text: tray.failure }), drop);
      return box;
    }
    tray.files.forEach(function (file, number) { box.append(fileBox(tray, file, number)); });
    const able = tray.files.filter(function (f) { return f.may_hand_in; });
    const flawed = able.some(function (f) { return f.status !== "accepted"; }), unasked = able.some(function (f) { return f.asked && f.asked.length; });
    const row = el("div", { class: "button-row" }, [
      able.length ? press("报送" + (tray.files.length > 1 ? " " + able.length + " 个文件" : ""), "hand-in-main", async function () {
        if (flawed && !window.confirm("还有退回或待确认的行，这些行不会采用。仍要报送吗？")) return;
        if (unasked && !window.confirm("还有表头没有确认，这些列不会采用。仍要报送吗？")) return;
        await ask("POST", "/hand-in/send/" + tray.id);
        say("已报送");
        await Promise.all([showDue(), showMine()]);
      }) : null,
      drop
    ]);
    box.append(row);
    return box;
  }
  function fileBox(tray, file, number) {
    const counts = file.counts, asked = (file.asked || []).length, good = file.may_hand_in && file.status === "accepted" && !asked;
    const tone = good ? "good" : file.may_hand_in ? "warn" : "bad";
    const parts = [
      el("h3", { text: file.name }),
      el("p", { class: "hand-in-verdict is-" + tone, text: (good ? "● 可以报送。" : file.may_hand_in ? (file.status === "accepted" ? "◆ 可以报送，但有列的表头没有确认，不会采用。" : "◆ 可以报送，但有行不会采用。") : "▲ 不能报送。") + (file.reason || file.message_zh || "").replace("，不能报送", "") }),
      counts.rows_read ? el("p", { class: "note", text: (file.dataset_zh || "未识别") + "　" + file.months.join("、") + "　读到 " + counts.rows_read + " 行：可采用 " + counts.accepted + "，待确认 " + counts.held + "，退回 " + counts.rejected + "，忽略 " + counts.ignored + "（表头、合计、说明）" }) : null
    ];
    if (file.remarks.length) {
      parts.push(table(["工作表", "行", "单元格", "列", "填的是", "问题", "怎样改"], file.remarks.map(function (r) {
        return el("tr", { class: "is-" + r.kind }, [cell(r.sheet), cell(r.row, "numeric"), cell(r.count > 1 && r.cell ? r.cell + "（" + r.count + " 处）" : r.cell), cell(r.column), cell(r.value, "hand-in-value"), el("td", {}, [el("strong", { text: r.kind_zh + "：" }), r.what]), cell(r.to_do)]);
      }), file.name + "的问题"));
      if (file.instructions_count > file.remarks.length) parts.push(el("p", { class: "note", text: "共 " + file.instructions_count + " 条，此处为前 " + file.remarks.length + " 条；标注好的工作簿里有全部。" }));
    }
    // Of what was judged before cells could be changed in a page nothing is said.
    const mended = file.mended || [];
    if (mended.length) parts.push(el("p", { class: "note", text: "已在页面里改：" + mended.join("；") }));
    if (file.refused) parts.push(el("p", { class: "notice hand-in-wrong", role: "alert", text: "没有改成：" + file.refused }));
    if (asked) parts.push(questions(tray, file, number));
    if (file.said) parts.push(el("p", { class: "note", role: "status", text: file.said }));
    file.notes.forEach(function (note) { parts.push(el("p", { class: "note", text: note })); });
    const form = el("div", { class: "hand-in-cells" });
    parts.push(el("div", { class: "button-row" }, [
      file.marked ? el("a", { class: "button", download: true, href: "/hand-in/marked/" + tray.id + "/" + number, text: "下载标注好的工作簿" }) : null,
      file.may_mend ? press("在页面里改", "hand-in-mend", function (button) { return showCells(tray, file, number, form, button); }) : null
    ]), form);
    const box = el("div", { class: "hand-in-file" }, parts);
    // What was being typed when the sign-in ran out, or the page was left, is there again.
    if (file.may_mend && (tray.is_again && !mended.length || sessionStorage.getItem(typedName(tray, number, file.sha256)))) box.querySelector(".hand-in-mend").click();
    return box;
  }

  /* What a heading means is asked once: what it is most likely stands there, and is confirmed or changed. */
  function questions(tray, file, number) {
    const fields = file.asked.map(function (item) {
      return el("select", { "aria-label": "“" + item.heading + "”是哪一列" }, item.choices.map(function (title) { return el("option", { value: title, text: title, selected: title === item.proposed }); }));
    });
    const rows = file.asked.map(function (item, n) {
      return el("tr", {}, [cell((item.sheet ? item.sheet + " " : "") + item.cell), cell(item.heading), cell(item.dataset_zh), el("td", {}, [fields[n], item.likeness ? el("div", { class: "note", text: item.likeness }) : null])]);
    });
    return el("div", { class: "hand-in-asked" }, [
      el("p", { class: "note", text: "这些表头的意思不能确定，确认以前这些列不用。请核对后确认。" }),
      table(["单元格", "表头", "报表", "是哪一列"], rows, file.name + "要确认的表头"),
      el("div", { class: "button-row button-row-left" }, [press("确认表头，重新核对", "hand-in-main", async function () {
        const next = await ask("POST", "/hand-in/headings/" + tray.id + "/" + number, JSON.stringify({ sha256: file.sha256, answers: fields.map(function (field, n) { return { number: n, column: field.value }; }) }));
        const old = at("hand-in-trays").querySelector('[data-tray="' + tray.id + '"]');
        if (old) old.replaceWith(trayBox(next));
      })])
    ]);
  }

  /* The form for small corrections: the file as it stands, each cell that something is said of marked. What is typed is
     kept by this tab until it was sent. */
  function typedName(tray, number, sha256) { return "oversight:cells " + tray.id + " " + number + " " + sha256; }
  async function showCells(tray, file, number, form, button) {
    if (form.childElementCount) { form.replaceChildren(); return; }
    const told = await ask("GET", "/hand-in/cells/" + tray.id + "/" + number);
    const name = typedName(tray, number, told.sha256);
    let typed = {};
    try { typed = JSON.parse(sessionStorage.getItem(name)) || {}; } catch (error) { /* Not ours. */ }
    const fields = [], frames = [];
    const send = press("改好，重新核对", "hand-in-main", async function () {
      const cells = fields.filter(function (f) { return f.input.value !== f.before; }).map(function (f) {
        return { sheet: f.sheet, row: f.row, column: f.column, before: f.before, value: f.input.value };
      });
      if (!cells.length) throw new Error("还没有改动。请先改表里的格。");
      if (cells.length > 200) throw new Error("一次最多改 200 格。改得多时，请在 Excel 里改好后重新上传。");
      const next = await ask("POST", "/hand-in/change/" + tray.id + "/" + number, JSON.stringify({ sha256: told.sha256, cells: cells }));
      sessionStorage.removeItem(name);
      const old = at("hand-in-trays").querySelector('[data-tray="' + tray.id + '"]');
      if (old) old.replaceWith(trayBox(next));
    });
    const count = el("span", { class: "note", role: "status" });
    function counted() {
      const some = {};
      let n = 0;
      fields.forEach(function (f) {
        const is = f.input.value !== f.before;
        f.input.classList.toggle("is-changed", is);
        if (is) { some[f.key] = f.input.value; n++; }
      });
      if (n) sessionStorage.setItem(name, JSON.stringify(some)); else sessionStorage.removeItem(name);
      count.textContent = n ? "改了 " + n + " 格" : "还没有改动";
    }
    told.sheets.forEach(function (sheet) {
      const said = {};
      told.marks.forEach(function (mark) { if (mark.sheet === sheet.name) (said[mark.cell] = said[mark.cell] || []).push(mark); });
      const rows = sheet.rows.map(function (row) {
        return el("tr", {}, [el("th", { scope: "row", text: String(row.row) })].concat(row.cells.map(function (text, column) {
          const place = sheet.columns[column] + row.row, marks = said[place] || [];
          if (text === null) return el("td", { class: "hand-in-joined" });
          const key = sheet.name + "!" + place;
          const input = el("input", { type: "text", value: key in typed ? typed[key] : text, maxlength: 2000, size: Math.min(28, Math.max(6, [...text].reduce(function (n, c) { return n + (c > "\u2e7f" ? 2 : 1); }, 1))), class: marks.length ? "is-" + marks[0].kind : "", "aria-label": (sheet.name ? "工作表 " + sheet.name + " " : "") + "单元格 " + place, "aria-invalid": marks.length ? "true" : null });
          input.value = key in typed ? typed[key] : text;
          input.addEventListener("input", counted);
          fields.push({ sheet: sheet.name, row: row.row, column: column + 1, before: text, input: input, key: key });
          const notes = marks.map(function (m, n) { return el("div", { class: "hand-in-said", id: "said-" + tray.id + "-" + number + "-" + key.replace(/\s/g, "_") + "-" + n, text: m.kind_zh + "：" + m.what + (m.to_do ? " " + m.to_do : "") }); });
          if (notes.length) input.setAttribute("aria-describedby", notes.map(function (n) { return n.id; }).join(" "));
          return el("td", { class: row.formulas.includes(column) ? "is-formula" : "" }, [input].concat(row.formulas.includes(column) ? [el("div", { class: "note", text: "公式" })] : [], notes));
        })));
      });
      if (!rows.length) return;
      const title = (sheet.name ? "工作表“" + sheet.name + "”" : file.name) + (sheet.is_hidden ? "（隐藏）" : "");
      frames.push(el("h4", { text: title }));
      if (!sheet.is_whole) frames.push(el("p", { class: "note", text: "表较长，只列开头几行和有问题的行。" }));
      const made = table([""].concat(sheet.columns), rows, title + "的单元格");
      made.classList.add("hand-in-grid");
      frames.push(made);
    });
    form.replaceChildren.apply(form, [el("p", { class: "note", text: "改错的格，再按“改好，重新核对”。只改这些格，其余与上传的文件相同；带公式的格不会重新计算，要改就填算好的数。回执里写明改了哪几格。" })].concat(frames, [el("div", { class: "button-row" }, [send, press("不改了", "", async function () { sessionStorage.removeItem(name); form.replaceChildren(); button.focus(); }), count])]));
    counted();
    const first = form.querySelector("input[aria-invalid]") || form.querySelector("input");
    if (first) first.focus({ preventScroll: true });
  }

  async function showMine() {
    try {
      const told = await ask("GET", "/hand-in/mine");
      at("hand-in-trays").replaceChildren.apply(at("hand-in-trays"), told.trays.map(trayBox));
      const place = at("hand-in-receipts");
      place.replaceChildren(told.receipts.length ? table(["文件", "报表", "月份", "报送", "核对与结果", "状态", "回执"], told.receipts.map(receiptRow), "已报送的文件") : el("p", { class: "note", text: "还没有报送过文件。" }));
    } catch (error) { wrong(at("hand-in-drop").closest(".card"), error); }
  }
  function receiptRow(item) {
    const found = item.result || item.counts, words = item.result ? "采用 " : "可采用 ";
    return el("tr", { "data-receipt": item.id, "data-state": item.state }, [
      el("td", {}, [el("span", { text: item.file_name }), el("div", { class: "note hand-in-digest", title: "校验值 SHA-256", text: item.sha256.slice(0, 16) + "…" })]),
      cell(item.dataset_zh + (item.is_nil ? "（零报告）" : "")), cell(item.months.join("、")), cell(item.handed_in + (item.by ? "　" + item.by : "")),
      cell(words + found.accepted + "，待确认 " + found.held + "，退回 " + found.rejected),
      el("td", {}, [el("span", { class: "hand-in-state is-" + item.state, text: item.state_zh })].concat((item.review_reasons || []).slice(0, 20).map(function (told) {
        return el("div", { class: "note", text: (told.row ? (told.sheet || "") + "第 " + told.row + " 行 " + told.name + "：" : "") + told.reason });
      }), item.reviewed_by ? [el("div", { class: "note", text: "审核：" + item.reviewed_by })] : [])),
      el("td", {}, [el("div", { class: "button-row" }, [
        el("a", { class: "button", href: "/hand-in/receipt/" + item.id, target: "_self", text: "回执" }),
        item.returned ? el("a", { class: "button", href: item.returned, download: true, text: "退回件" }) : null,
        item.may_correct ? press("改数", "", async function () {
          const tray = await ask("POST", "/hand-in/again/" + item.id);
          await showMine();
          const box = at("hand-in-trays").querySelector('[data-tray="' + tray.id + '"]');
          if (box) box.scrollIntoView({ block: "center" });
        }) : null,
        item.may_withdraw ? press("撤回", "", async function () {
          if (!window.confirm("撤回“" + item.file_name + "”？撤回后可以重新上传。")) return;
          await ask("POST", "/hand-in/withdraw/" + item.id);
          await Promise.all([showDue(), showMine()]);
        }) : null
      ])])
    ]);
  }

  function start(found, told) {
    page = found;
    setup = told;
    month = setup.month;
    const choose = el("select", { id: "hand-in-for", "aria-label": "月份" }, setup.months.map(function (m) { return el("option", { value: m[0], selected: m[0] === month, text: m[1] }); }));
    choose.addEventListener("change", function () {
      month = choose.value;
      const query = new URLSearchParams(location.search);
      query.set("for", month);
      history.replaceState(history.state, "", location.pathname + "?" + query);
      showDue();
    });
    at("hand-in-month").replaceChildren(el("label", { class: "hand-in-month" }, [el("span", { text: "月份" }), choose]));
    const drop = at("hand-in-drop");
    const input = el("input", { type: "file", multiple: true, id: "hand-in-files", class: "visually-hidden", tabindex: "-1", "aria-label": "选择要上传的报表" });
    input.addEventListener("change", function () { const files = Array.from(input.files); input.value = ""; upload(files); });
    drop.append(input);
    page.querySelector('[data-hand-in="choose"]').addEventListener("click", function () { input.click(); });
    ["dragenter", "dragover"].forEach(function (name) { drop.addEventListener(name, function (event) { event.preventDefault(); drop.classList.add("is-over"); }); });
    ["dragleave", "drop"].forEach(function (name) { drop.addEventListener(name, function (event) { event.preventDefault(); drop.classList.remove("is-over"); }); });
    drop.addEventListener("drop", function (event) { upload(event.dataTransfer.files); });
    showDue();
    showMine();
  }
  desk.page("hand-in-page", start);
})();
