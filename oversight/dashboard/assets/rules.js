/* Ours: the page 核算依据. One page for every file, drawn from its description. No library. */
(function () {
  "use strict";
  const desk = window.oversightDesk, at = desk.at, el = desk.el, press = desk.press, DRAFT = "oversight:rules";
  let page = null, setup = null, files = {}, shown = null, told = null;
  /* The change that is being put together outlives a reload and a sign-in that ran out. */
  let draft = fresh();

  function fresh() { return { key: Array.from(crypto.getRandomValues(new Uint8Array(12)), function (b) { return b.toString(16).padStart(2, "0"); }).join(""), steps: [], why: "", undoes: "" }; }
  function keep() { if (draft.steps.length) sessionStorage.setItem(DRAFT, JSON.stringify(draft)); else sessionStorage.removeItem(DRAFT); }
  function ask(method, path, body) { return desk.ask(method, path, body && JSON.stringify(body)); }
  function label(column, value) { const found = column.choices.find(function (c) { return c[0] === value; }); return found ? found[1] : value; }
  function changed(after, before) { return !before || (after || "") !== (before || ""); }

  async function showFile(name) {
    shown = files[name] || files[setup.files[0].name];
    const query = new URLSearchParams(location.search);
    query.set("file", shown.name);
    history.replaceState(history.state, "", location.pathname + "?" + query);
    const pick = el("select", { id: "rules-file", "aria-label": "哪一种依据" }, setup.files.map(function (file) { return el("option", { value: file.name, text: file.title, selected: file === shown }); }));
    pick.addEventListener("change", function () { showFile(pick.value).catch(failed); });
    at("rules-files").replaceChildren(el("div", { class: "follow-filters" }, [el("label", { class: "follow-filter" }, [el("span", { text: "哪一种" }), pick]), el("span", { class: "note", text: shown.note })]));
    told = await ask("GET", "/rules/file/" + shown.name);
    if (!page.isConnected) return;
    drawFile();
    if (shown.name === "headings" && told.may_ask) await showAsked();
  }
  /* What files leave to be asked: nobody types a layout's name by hand. */
  async function showAsked() {
    const found = (await ask("GET", "/rules/headings")).asked;
    if (!page.isConnected || shown.name !== "headings") return;
    const fields = found.map(function (item) { return el("select", { "aria-label": "“" + item.heading + "”是哪一列" }, item.choices.map(function (title) { return el("option", { value: title, text: title, selected: title === item.proposed }); })); });
    function put(n) {
      const item = found[n], after = { "报送单位": item.sender, "版式": item.layout, "报表": item.dataset_zh, "表头": item.heading, "对应列": fields[n].value };
      const old = draft.steps.find(function (s) { return s.file === "headings" && !s.before && ["报送单位", "版式", "报表", "表头"].every(function (name) { return s.after[name] === after[name]; }); });
      if (old) { old.after = after; add(old); } else add({ file: "headings", place: "", before: null, after: after });
    }
    const rows = found.map(function (item, n) {
      return el("tr", { "data-asked": item.heading }, [desk.cell(item.sender || "不论哪家"), desk.cell(item.dataset_zh), desk.cell(item.heading), desk.cell(item.file.split("/").pop() + " " + (item.sheet ? item.sheet + " " : "") + item.cell), el("td", {}, [fields[n]]), el("td", {}, [press("放入改动", "", async function () { put(n); })])]);
    });
    at("rules-table").prepend(el("section", { id: "rules-asked" }, [
      el("h3", { text: "待确认的表头" }),
      rows.length ? desk.table(["报送单位", "报表", "表头", "文件", "是哪一列", ""], rows, "待确认的表头") : el("p", { class: "note", text: "当前版本用到的文件里没有待确认的表头。" }),
      rows.length > 1 ? el("div", { class: "button-row button-row-left" }, [press("全部按所选的放入改动", "", async function () { found.forEach(function (_, n) { put(n); }); })]) : null
    ]));
  }
  function failed(error) { desk.wrong(at("rules-table"), error); }
  function usedColumns(rows) {
    const used = shown.columns.filter(function (column) { return column.is_wanted || rows.some(function (row) { return row[column.name]; }); });
    return used.slice(0, 9);
  }
  function rowsTable(rows, title, actions) {
    const columns = usedColumns(rows.map(function (row) { return row.cells; }));
    return desk.table(columns.map(function (c) { return c.title; }).concat([""]), rows.map(function (row) {
      return el("tr", { "data-rule": row.cells[shown.columns[0].name] }, columns.map(function (column) {
        return el("td", { class: "rules-cell", text: label(column, row.cells[column.name] || "") || "—", title: row.cells[column.name] || "" });
      }).concat([el("td", {}, [el("div", { class: "button-row" }, actions(row))])]));
    }), title);
  }
  function drawFile() {
    const own = told.rows, place = at("rules-table"), replaced = new Set(own.map(function (row) { return row.cells[shown.replaces]; }));
    const rest = told.defaults.filter(function (cells) { return !replaced.has(cells[shown.replaces]); }).map(function (cells) { return { cells: cells }; });
    place.replaceChildren(
      el("div", { class: "button-row button-row-left rules-bar" }, [
        el("span", { class: "note", text: "本单位自己写的 " + told.count + " 行" + (told.count > own.length ? "，此处为最后 " + own.length + " 行" : "") }),
        told.may_ask ? press("增加一行", "follow-main", async function () { edit(null, {}); }) : el("span", { class: "note", text: "您可以查看；改动由有权的分析员提出。" })
      ]),
      own.length ? rowsTable(own, shown.title, function (row) {
        return told.may_ask ? [
          press("修改", "", async function () { edit(row, row.cells); }),
          press("删除", "", async function () { add({ file: shown.name, place: row.place, before: row.cells, after: null }); })
        ] : [];
      }) : el("p", { class: "note", text: "本单位没有自己写的。" + (rest.length ? "现在用的是程序自带的。" : "") }),
      rest.length ? el("details", { class: "rules-defaults" }, [el("summary", { text: "程序自带的 " + rest.length + " 行" }), rowsTable(rest, "程序自带", function (row) {
        return told.may_ask ? [press("以此为底改", "", async function () {
          /* The rows of one id take their place together. */
          const group = told.defaults.filter(function (cells) { return cells !== row.cells && cells[shown.replaces] === row.cells[shown.replaces]; });
          edit(null, row.cells, group);
        })] : [];
      })]) : ""
    );
  }

  function edit(row, cells, group) {
    const fields = {}, file = shown;
    const columns = file.columns.filter(function (c) { return !c.is_given; });
    const parts = columns.map(function (column) {
      const value = cells[column.name] || "";
      let field;
      if (column.choices.length) {
        field = el("select", {}, [["", "（空白）"]].concat(column.choices.some(function (c) { return c[0] === value; }) || !value ? [] : [[value, value]], column.choices).map(function (c) { return el("option", { value: c[0], text: c[1], selected: c[0] === value }); }));
      } else if (column.form === "long") field = el("textarea", { rows: "2", maxlength: "2000" });
      else field = el("input", { type: column.form === "date" ? "date" : "text", maxlength: "2000", inputmode: column.form === "whole" ? "numeric" : column.form === "figure" ? "decimal" : null, autocomplete: "off" });
      if (!column.choices.length) field.value = value;
      field.required = column.is_wanted;
      field.name = column.name;
      fields[column.name] = field;
      return el("label", { class: "follow-field" + (column.form === "long" ? " is-wide" : "") }, [el("span", { text: column.title + (column.is_wanted ? " *" : "") }), field, column.hint ? el("span", { class: "note", text: column.hint }) : null]);
    });
    const box = el("dialog", { class: "follow-dialog rules-dialog", "aria-label": file.title });
    async function figure() {
      const wanted = { dataset: fields["数据集"].value, month: fields["统计月份"].value.trim(), code: fields["区划代码"].value.trim(), column: fields["数据列"].value };
      if (Object.values(wanted).some(function (value) { return !value; })) return;
      const found = await ask("GET", "/rules/figure?" + new URLSearchParams(wanted));
      const first = found.figures[0];
      fields["原值"].value = first ? first.value : "";
      desk.say(first ? "现在的数是 " + (first.value || "空白") : "现在没有这一行");
    }
    box.append(
      el("h2", { text: (row ? "修改：" : "增加：") + file.title }), el("div", { class: "rules-form" }, parts),
      el("div", { class: "button-row" }, [
        fields["原值"] ? press("取现在的数", "", figure) : null,
        press("放入改动", "follow-main", async function () {
          const wrong = Object.values(fields).find(function (field) { return !field.checkValidity(); });
          if (wrong) { wrong.reportValidity(); return; }
          const after = Object.assign({}, cells);
          Object.keys(fields).forEach(function (name) { after[name] = fields[name].value.trim(); });
          if (row && file.columns.every(function (c) { return !changed(after[c.name], row.cells[c.name]); })) { box.close(); return; }
          box.close();
          (group || []).forEach(function (other) { draft.steps.push({ file: file.name, place: "", before: null, after: other }); });
          add({ file: file.name, place: row ? row.place : "", before: row ? row.cells : null, after: after });
        }),
        el("button", { type: "button", class: "button", text: "取消", onclick: function () { box.close(); } })
      ])
    );
    box.addEventListener("close", function () { box.remove(); });
    page.append(box);
    box.showModal();
  }
  function add(step) {
    const old = draft.steps.findIndex(function (s) { return s === step || s.file === step.file && s.before && step.before && JSON.stringify(s.before) === JSON.stringify(step.before); });
    if (old >= 0) draft.steps[old] = step; else draft.steps.push(step);
    keep();
    drawDraft();
    at("rules-draft").scrollIntoView({ block: "nearest" });
  }
  function stepText(step) {
    const file = files[step.file];
    if (!step.after) return el("td", {}, [el("span", { class: "rules-gone", text: summary(file, step.before) })]);
    const parts = file.columns.filter(function (c) { return step.before ? changed(step.after[c.name], step.before[c.name]) : step.after[c.name]; });
    return el("td", {}, [step.before ? el("div", { class: "note", text: summary(file, step.before) }) : null].concat(parts.map(function (column) {
      return el("div", {}, [el("span", { class: "note", text: column.title + "　" }), step.before ? el("span", { class: "rules-gone", text: label(column, step.before[column.name] || "") || "空白" }) : null, step.before ? " → " : null, el("span", { text: label(column, step.after[column.name] || "") || "空白" })]);
    })));
  }
  function summary(file, cells) { return file.columns.filter(function (c) { return cells[c.name]; }).slice(0, 6).map(function (c) { return label(c, cells[c.name]); }).join("，"); }
  function kind(step) { return !step.before ? "增加" : step.after ? "修改" : "删除"; }

  function drawDraft() {
    const place = at("rules-draft");
    if (!draft.steps.length) { place.replaceChildren(el("p", { class: "note", text: "没有正在准备的改动。从上面增加、修改或删除一行。" })); return; }
    const result = el("div", { id: "rules-result", "aria-live": "polite" });
    const why = el("textarea", { id: "rules-why", rows: "2", maxlength: "500", placeholder: "为什么改：依据的文件、来函、核实的情况" });
    why.value = draft.why;
    why.addEventListener("input", function () { draft.why = why.value; keep(); });
    place.replaceChildren(
      desk.table(["", "依据", "内容", ""], draft.steps.map(function (step, n) {
        return el("tr", { "data-step": n }, [el("td", { class: "nowrap", text: kind(step) }), el("td", { text: files[step.file].title }), stepText(step),
          el("td", {}, [press("去掉", "", async function () { draft.steps.splice(n, 1); keep(); drawDraft(); })])]);
      }), "正在准备的改动"),
      el("label", { class: "follow-field" }, [el("span", { text: "理由 *" }), why]),
      el("div", { class: "button-row button-row-left" }, [
        press("检查并预览", "", check),
        press(files[draft.steps[0].file].needs_second ? "提交，由另一人批准" : "提交", "follow-main", async function () {
          const made = await ask("POST", "/rules/ask", { steps: draft.steps, why: draft.why, key: draft.key, undoes: draft.undoes });
          draft = fresh();
          keep();
          drawDraft();
          desk.say(made.state_zh);
          await Promise.all([showChanges(), showFile(shown.name)]);
        }),
        press("放弃", "", async function () { draft = fresh(); keep(); drawDraft(); })
      ]),
      result
    );
    async function check() {
      const found = await ask("POST", "/rules/check", { steps: draft.steps });
      const old = place.closest(".card").querySelector(".hand-in-wrong");
      if (old) old.remove();
      if (found.wrong.length) {
        result.replaceChildren(el("div", { class: "notice hand-in-wrong", role: "alert" }, [el("div", {}, found.wrong.map(function (text) { return el("div", { text: text }); }))]));
        return;
      }
      result.replaceChildren(
        el("div", { class: "rules-good" }, [el("strong", { text: "检查通过。" })].concat(found.touched.map(function (text) { return el("div", { text: text }); }))),
        el("div", { class: "button-row button-row-left" }, [press("试算：看各项数字怎么变", "", tryOut), el("span", { class: "note", text: found.seconds ? "约需 " + time(found.seconds) + "，在副本上算，不影响现在的版本" : "在副本上算，不影响现在的版本" })])
      );
    }
    async function tryOut(button) {
      const began = Date.now(), steps = draft.steps;
      let job = await ask("POST", "/rules/trial", { steps: steps });
      const id = job.job;
      while (!job.is_done) {
        button.textContent = "试算中，已 " + Math.round((Date.now() - began) / 1000) + " 秒";
        await new Promise(function (done) { setTimeout(done, 1000); });
        if (!result.isConnected) return;
        job = await ask("GET", "/rules/job/" + id);
      }
      button.textContent = "试算：看各项数字怎么变";
      result.append(trialResult(job));
    }
  }
  function time(seconds) { return seconds < 90 ? seconds + " 秒" : Math.round(seconds / 60) + " 分钟"; }
  function trialResult(job) {
    const old = at("rules-trial");
    if (old) old.remove();
    const lines = [el("strong", { text: job.figures || job.judged.answers ? job.month + "：" + job.units + " 个单位的 " + job.figures + " 个金额有变；各月共 " + job.judged.subjects + " 个单位的 " + job.judged.answers + " 项判定有变。" : "没有任何金额或判定因此改变。" })];
    if (job.totals.length) lines.push(desk.table(["合计（元）", "现在", "改后", "其中"], job.totals.map(function (t) { return el("tr", {}, [desk.cell(t.name), desk.cell(t.before, "number"), desk.cell(t.after, "number"), desk.cell(t.parts.join("，"))]); }), "合计的变动"));
    if (job.changes.length) lines.push(desk.table(["单位", "金额", "现在", "改后"], job.changes.map(function (t) { return el("tr", {}, [desk.cell(t.unit), desk.cell(t.name), desk.cell(t.before, "number"), desk.cell(t.after, "number")]); }), "变动最大的单位"));
    lines.push(el("div", { text: "未了的问题：" + job.open[0] + " 个 → " + job.open[1] + " 个" }));
    job.findings.forEach(function (f) { lines.push(el("div", {}, [el("span", { text: f.title + "的问题 " + f.count + " 个（" + f.why.join("，") + "）" }), el("ul", { class: "note" }, f.first.map(function (text) { return el("li", { text: text }); }))])); });
    return el("div", { id: "rules-trial", class: "rules-good" }, lines);
  }

  async function showChanges() {
    const found = await ask("GET", "/rules/changes");
    if (!page.isConnected) return;
    const rows = found.changes.map(function (item) {
      const actions = item.may.map(function (name) {
        if (name === "undo") return press("恢复", "", async function () {
          const steps = await ask("GET", "/rules/undo?id=" + item.id);
          draft = Object.assign(fresh(), { steps: steps.steps, undoes: item.id, why: "恢复 " + item.events[0].at + " 的改动：" });
          keep();
          drawDraft();
          at("rules-draft").scrollIntoView({ block: "start" });
        });
        const title = { agree: "批准", "return": "退回", withdraw: "撤回" }[name];
        return press(title, name === "agree" ? "follow-main" : "", async function () {
          const note = name === "return" ? window.prompt("退回的原因？") : "";
          if (note === null) return;
          await ask("POST", "/rules/decide", { id: item.id, verdict: name, note: note });
          await Promise.all([showChanges(), showFile(shown.name)]);
        });
      });
      const check = item.state === "waiting" ? press("看影响", "", async function () {
        const told = await ask("POST", "/rules/check", { steps: item.steps });
        const place = document.querySelector("tr[data-change='" + item.id + "'] .rules-effect");
        place.replaceChildren.apply(place, (told.wrong.length ? told.wrong : told.touched).map(function (text) { return el("div", { class: told.wrong.length ? "follow-late" : "", text: text }); }));
      }) : null;
      return el("tr", { "data-change": item.id, "data-state": item.state }, [
        el("td", {}, [el("span", { class: "letter-state rules-state is-" + item.state, text: item.state_zh }), item.undoes ? el("div", { class: "note", text: "恢复以前的改动" }) : null]),
        el("td", { class: "rules-wrap" }, [el("strong", { text: item.files.join("、") + "，" + item.steps.length + " 行" }), el("div", { text: item.why }),
          el("details", {}, [el("summary", { text: "各行" }), desk.table(["", "依据", "内容"], item.steps.map(function (step) { return el("tr", {}, [el("td", { text: kind(step) }), el("td", { text: files[step.file].title }), stepText(step)]); }), "各行")]), el("div", { class: "rules-effect" })]),
        el("td", {}, item.events.map(function (event) { return el("div", { class: "nowrap", text: event.at + "　" + event.by + "　" + event.step + (event.note && event.step !== "提出" ? "：" + event.note : "") }); })),
        el("td", {}, [el("div", { class: "button-row" }, [check].concat(actions))])
      ]);
    });
    at("rules-changes").replaceChildren(rows.length ? desk.table(["状态", "改动", "办理", ""], rows, "待批准与历史") : el("p", { class: "note", text: "还没有改动。" }));
  }
  function start(found, told) {
    page = found;
    setup = told;
    files = {};
    setup.files.forEach(function (file) { files[file.name] = file; });
    try { draft = JSON.parse(sessionStorage.getItem(DRAFT)) || fresh(); } catch (error) { draft = fresh(); }
    draft.steps = draft.steps.filter(function (step) { return files[step.file]; });
    drawDraft();
    showFile(new URLSearchParams(location.search).get("file")).catch(failed);
    showChanges().catch(function (error) { desk.wrong(at("rules-changes"), error); });
  }
  desk.page("rules-page", start);
})();
