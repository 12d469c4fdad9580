/* Ours: the SQL page. Editor with highlighting and completion, schema browser, result, chart, history. No library. */
(function () {
  "use strict";
  const DRAFT = "oversight_sql_draft", HISTORY = "oversight_sql_history", KEPT = 50, POLL = 350;
  const KEYWORDS = ("select from where group by order having limit offset join left right full inner outer cross on using as and or not in is null like ilike between " +
    "case when then else end with recursive union all except intersect distinct asc desc nulls first last exists filter over partition rows range preceding following current row " +
    "window qualify values cast true false interval date timestamp lateral unnest pivot describe summarize show").split(" ");
  const FUNCTIONS = {
    "count(*)": "计数", "sum()": "合计", "avg()": "平均", "min()": "最小", "max()": "最大", "median()": "中位数", "round(, 2)": "四舍五入到两位",
    "coalesce(, )": "空值时取后一个", "nullif(, 0)": "为零时作空值（除法用）", "starts_with(区划代码, $unit)": "所选地区以内", "date_trunc('month', )": "当月第一天",
    "lag() over (partition by 区划代码 order by 统计月份)": "上一个月的值", "row_number() over (order by )": "排名", "string_agg(, '、')": "把文字连起来", "any_value()": "任取一个"
  };
  const SHORTEST_BREAK = /[\s,()=<>+\-*/%;.'"]/;
  let page = null, setup = null, dictionary = [], units = [], words = [], area = null, shade = null, list = null, shown = [], chosen = 0;
  let running = null, answer = null, view = "table", sorted = null, composing = false, tab = "tables", saved = [];

  function el(tag, attributes, children) {
    const made = document.createElement(tag);
    Object.entries(attributes || {}).forEach(function (pair) {
      if (pair[0] === "text") made.textContent = pair[1];
      else if (pair[0].slice(0, 2) === "on") made.addEventListener(pair[0].slice(2), pair[1]);
      else if (pair[1] !== null && pair[1] !== false) made.setAttribute(pair[0], pair[1] === true ? "" : pair[1]);
    });
    (children || []).forEach(function (child) { made.append(child); });
    return made;
  }
  const at = function (id) { return document.getElementById(id); };
  const button = function (name) { return page.querySelector('[data-sql="' + name + '"]'); };
  function escaped(text) { return text.replace(/&/g, "&amp;").replace(/</g, "&lt;").replace(/>/g, "&gt;"); }

  /* Highlighting: a coloured copy lies under a text area whose own text is transparent. */
  const TOKEN = /(--[^\n]*|\/\*[\s\S]*?(?:\*\/|$))|('(?:[^']|'')*'?)|("(?:[^"]|"")*"?)|(\$\w+)|(\b\d+(?:\.\d+)?\b)|([\w\u4e00-\u9fff]+)|([\s\S])/g;
  function painted(text, wrong) {
    const known = new Set(words.filter(function (w) { return w.kind !== "word"; }).map(function (w) { return w.text; }));
    let out = "";
    text.replace(TOKEN, function (all, comment, string, name, parameter, number, word, other, offset) {
      let kind = comment ? "comment" : string ? "string" : name ? "name" : parameter ? "parameter" : number ? "number" : "";
      if (word) kind = KEYWORDS.indexOf(word.toLowerCase()) >= 0 ? "keyword" : known.has(word) ? "name" : "";
      const is_wrong = wrong !== null && wrong >= offset && wrong < offset + all.length && all.trim();
      const inside = escaped(all);
      out += kind || is_wrong ? '<span class="sql-' + (kind || "plain") + (is_wrong ? " sql-wrong" : "") + '">' + inside + "</span>" : inside;
      return all;
    });
    return out + "\n";
  }
  function paint(wrong) {
    shade.innerHTML = painted(area.value, wrong === undefined ? null : wrong);
    area.style.height = "auto";
    area.style.height = Math.min(Math.max(area.scrollHeight, 150), 460) + "px";
    shade.style.height = area.style.height;
    shade.scrollTop = area.scrollTop;
    try { sessionStorage.setItem(DRAFT, area.value); } catch (error) { /* a full store loses the draft only */ }
  }
  function put(text) {
    area.focus();
    area.setSelectionRange(0, area.value.length);
    insert(text);
  }
  /* Through the browser's own editing, so that undo works. */
  function insert(text) {
    if (!document.execCommand("insertText", false, text)) area.setRangeText(text, area.selectionStart, area.selectionEnd, "end");
    paint();
  }

  /* Completion */
  function wordBefore() {
    const before = area.value.slice(0, area.selectionStart);
    let start = before.length;
    while (start > 0 && !SHORTEST_BREAK.test(before[start - 1])) start -= 1;
    return { start: start, text: before.slice(start) };
  }
  function complete(force) {
    const word = wordBefore();
    if (composing || (!word.text && !force)) return hideList();
    const part = word.text.toLowerCase(), used = area.value.toLowerCase();
    const score = function (w) {
      const text = w.text.toLowerCase(), place = text.indexOf(part);
      if (place < 0 && !(w.title && w.title.indexOf(part) >= 0)) return -1;
      const near = w.tables && w.tables.some(function (t) { return used.indexOf(t.toLowerCase()) >= 0; });
      return (place === 0 ? 4 : place > 0 ? 2 : 1) + (near ? 5 : 0) + (w.kind === "table" ? 1 : 0);
    };
    shown = words.map(function (w) { return [score(w), w]; }).filter(function (p) { return p[0] >= 0 && p[1].text !== word.text; })
      .sort(function (a, b) { return b[0] - a[0] || a[1].text.length - b[1].text.length; }).slice(0, 12).map(function (p) { return p[1]; });
    if (!shown.length) return hideList();
    chosen = 0;
    list.replaceChildren.apply(list, shown.map(function (w, number) {
      return el("li", { role: "option", id: "sql-option-" + number, "aria-selected": String(number === 0), onmousedown: function (event) { event.preventDefault(); chosen = number; take(); } },
        [el("span", { class: "sql-option-word", text: w.text }), el("span", { class: "sql-option-hint", text: w.hint || "" })]);
    }));
    const place = caret();
    list.hidden = false;
    list.style.left = Math.max(Math.min(place.left, area.clientWidth - list.offsetWidth), 0) + "px";
    list.style.top = place.top + "px";
    area.setAttribute("aria-expanded", "true");
    area.setAttribute("aria-activedescendant", "sql-option-0");
  }
  function caret() {
    const mark = el("span", { text: "\u200b" }), copy = el("div", { class: "sql-shade sql-measure" });
    copy.append(area.value.slice(0, area.selectionStart), mark);
    at("sql-editor").append(copy);
    const place = { left: mark.offsetLeft, top: mark.offsetTop + 24 - area.scrollTop };
    copy.remove();
    return place;
  }
  function hideList() {
    if (list) { list.hidden = true; area.setAttribute("aria-expanded", "false"); area.removeAttribute("aria-activedescendant"); }
  }
  function move(step) {
    chosen = (chosen + step + shown.length) % shown.length;
    Array.from(list.children).forEach(function (item, number) { item.setAttribute("aria-selected", String(number === chosen)); });
    list.children[chosen].scrollIntoView({ block: "nearest" });
    area.setAttribute("aria-activedescendant", "sql-option-" + chosen);
  }
  function take() {
    const word = wordBefore();
    area.setSelectionRange(word.start, area.selectionStart);
    insert(shown[chosen].text);
    hideList();
  }
  function key(event) {
    if ((event.ctrlKey || event.metaKey) && event.key === "Enter") { event.preventDefault(); hideList(); return run(); }
    if (event.ctrlKey && event.key === " ") { event.preventDefault(); return complete(true); }
    if (list.hidden) return undefined;
    if (event.key === "ArrowDown") { event.preventDefault(); move(1); }
    else if (event.key === "ArrowUp") { event.preventDefault(); move(-1); }
    else if (event.key === "Enter" || event.key === "Tab") { event.preventDefault(); take(); }
    else if (event.key === "Escape") { event.preventDefault(); hideList(); }
    return undefined;
  }

  /* Running */
  function question(extra) {
    return Object.assign({ edition: setup.edition, sql: area.value, month: at("sql-month").value, unit: unit() }, extra || {});
  }
  /* The code of the unit written by code or name; what is not found goes to the server as it is, which says so. */
  function unit() {
    const text = at("sql-unit").value.trim(), code = text.split(" ")[0];
    if (/^\d*$/.test(code)) return code;
    const like = units.filter(function (u) { return u[1].indexOf(text) >= 0; }), same = like.filter(function (u) { return u[1].split(" ").pop() === text; });
    const found = same.length ? same : like;
    if (found.length !== 1) return text;
    at("sql-unit").value = found[0].join(" ");
    return found[0][0];
  }
  function post(path, body) {
    return fetch(path, { method: "POST", headers: Object.assign({ "Content-Type": "application/json" }, token()), body: JSON.stringify(body), credentials: "same-origin" });
  }
  /* What changes something shows that it comes from a page of this server. */
  function token() {
    const found = document.cookie.match(/(?:^|; )_csrf_token=([^;]*)/);
    return { "X-CSRFToken": found ? found[1] : "" };
  }
  function status(text) { at("sql-status").textContent = text; }
  function busy(is) {
    button("run").disabled = is;
    button("cancel").disabled = !is;
    page.classList.toggle("is-running", is);
  }
  /* Starts a question or a file and asks until it is done; null when the server cannot be reached. */
  async function asked(path, body, verb) {
    if (running) return undefined;
    running = { started: Date.now(), id: null };
    const mine = running;
    busy(true);
    showError(null);
    status(verb + "…");
    try {
      let told = await (await post(path, body)).json();
      while (told.is_running) {
        mine.id = told.id;
        if (mine.is_cancelled) await post("/sql/cancel/" + told.id, {});
        status(verb + "…已用 " + ((Date.now() - mine.started) / 1000).toFixed(1) + " 秒");
        await new Promise(function (done) { setTimeout(done, POLL); });
        told = await (await fetch("/sql/result/" + told.id, { credentials: "same-origin" })).json();
      }
      if (told.error) { status(told.code === "cancelled" ? "已取消" : "没有结果"); showError(told); }
      return told;
    } catch (error) {
      status("没有结果");
      showError({ error: "没有连上服务器，请检查网络后重试。", place: null, line_text: "" });
      return null;
    } finally {
      running = null;
      busy(false);
    }
  }
  async function run() {
    const told = await asked("/sql/run", question(), "正在查询");
    if (!told) return;
    if (!told.error) { answer = told; sorted = null; showAnswer(); }
    remember(told);
  }
  function cancel() {
    if (!running) return;
    running.is_cancelled = true;
    if (running.id) post("/sql/cancel/" + running.id, {});
  }
  function showError(told) {
    const box = at("sql-error");
    box.hidden = !told;
    if (!told) return paint();
    const parts = [el("p", { text: (told.place ? "第 " + told.place.line + " 行第 " + told.place.column + " 个字：" : "") + told.error })];
    if (told.place && told.line_text) {
      const column = told.place.column - 1;
      parts.push(el("pre", {}, [told.line_text.slice(0, column), el("mark", { text: told.line_text.slice(column).match(/^[\w\u4e00-\u9fff]+|^[\s\S]|$/)[0] || "⌶" }),
        told.line_text.slice(column).replace(/^[\w\u4e00-\u9fff]+|^[\s\S]/, "")]));
      paint(told.place.offset);
    }
    if (told.original) parts.push(el("details", {}, [el("summary", { text: "数据库的原话" }), el("code", { text: told.original })]));
    box.replaceChildren.apply(box, parts);
    at("sql-result").replaceChildren();
    at("sql-result-actions").hidden = true;
    return undefined;
  }
  function showAnswer() {
    const rows = answer.rows.length, seconds = answer.seconds;
    const total = answer.is_complete ? "共 " + answer.total.toLocaleString() + " 行" : "超过 " + answer.total.toLocaleString() + " 行";
    status(total + (rows < answer.total ? "，此处显示前 " + rows.toLocaleString() + " 行，下载的文件含全部" : "") +
      "；用时 " + (seconds < 1 ? Math.round(seconds * 1000) + " 毫秒" : seconds.toFixed(1) + " 秒"));
    at("sql-result-actions").hidden = false;
    button("view-table").setAttribute("aria-pressed", String(view === "table"));
    button("view-chart").setAttribute("aria-pressed", String(view === "chart"));
    at("sql-result").replaceChildren(view === "table" ? table() : chart());
  }
  const meanings = function (name) {
    const found = words.find(function (w) { return w.kind === "column" && w.text === name; });
    return found ? found.hint : "";
  };
  function table() {
    const order = answer.rows.slice();
    if (sorted) {
      const column = sorted.column, number = answer.columns[column].is_number;
      order.sort(function (a, b) {
        if (a[column] === null || b[column] === null) return (a[column] === null) - (b[column] === null);
        const way = number ? Number(a[column]) - Number(b[column]) : a[column].localeCompare(b[column], "zh");
        return sorted.down ? -way : way;
      });
    }
    const head = answer.columns.map(function (column, number) {
      const way = sorted && sorted.column === number ? (sorted.down ? "descending" : "ascending") : "none";
      return el("th", { scope: "col", class: column.is_number ? "numeric" : "", "aria-sort": way, title: meanings(column.name) }, [el("button", { type: "button", text: column.name,
        onclick: function () { sorted = { column: number, down: sorted && sorted.column === number ? !sorted.down : false }; showAnswer(); } })]);
    });
    const body = order.map(function (row) {
      return el("tr", {}, row.map(function (value, number) {
        return value === null ? el("td", { class: answer.columns[number].is_number ? "sql-null numeric" : "sql-null", text: "—", title: "空：没有值" }) : el("td", { class: answer.columns[number].is_number ? "numeric" : "", text: value });
      }));
    });
    return el("table", { class: "sql-table" }, [el("thead", {}, [el("tr", {}, head)]), el("tbody", {}, body)]);
  }
  function chart() {
    const measures = answer.columns.map(function (c, n) { return c.is_number ? n : -1; }).filter(function (n) { return n >= 0; });
    const labels = answer.columns.findIndex(function (c) { return !c.is_number; });
    if (!measures.length || !answer.rows.length) return el("p", { class: "muted", text: "结果里没有数字列，画不了图。" });
    const measure = measures.indexOf(chart.measure) >= 0 ? chart.measure : measures[measures.length - 1];
    const pick = el("select", { "aria-label": "画哪一列", onchange: function (event) { chart.measure = Number(event.target.value); showAnswer(); } }, measures.map(function (n) {
      return el("option", { value: n, selected: n === measure, text: answer.columns[n].name });
    }));
    const rows = answer.rows.slice(0, 60), values = rows.map(function (r) { return r[measure] === null ? null : Number(r[measure]); });
    const is_time = labels >= 0 && rows.every(function (r) { return /^\d{4}-\d{2}/.test(r[labels] || ""); });
    const W = 960, H = 360, L = 90, B = 90, known = values.filter(function (v) { return v !== null; });
    const top = Math.max.apply(null, known.concat([0])), low = Math.min.apply(null, known.concat([0])), span = (top - low) || 1;
    const y = function (v) { return 14 + (H - B - 14) * (top - v) / span; }, step = (W - L - 10) / rows.length;
    let inside = "";
    /* Whole numbers are counted in whole steps. */
    const steps = span <= 4 && known.every(Number.isInteger) ? span : 4;
    for (let n = 0; n <= steps; n += 1) {
      const v = low + span * n / steps;
      inside += '<line x1="' + L + '" x2="' + W + '" y1="' + y(v) + '" y2="' + y(v) + '" class="sql-line"/><text x="' + (L - 8) + '" y="' + (y(v) + 4) + '" text-anchor="end">' + v.toLocaleString("zh-CN", { maximumFractionDigits: 2 }) + "</text>";
    }
    let path = "";
    rows.forEach(function (row, n) {
      const x = L + step * (n + .5), name = labels >= 0 ? row[labels] || "—" : String(n + 1), tip = "<title>" + escaped(name + "：" + (row[measure] === null ? "空" : row[measure])) + "</title>";
      if (values[n] !== null) {
        if (is_time) { path += (path ? "L" : "M") + x + " " + y(values[n]); inside += '<circle cx="' + x + '" cy="' + y(values[n]) + '" r="4" class="sql-dot">' + tip + "</circle>"; }
        else inside += '<rect x="' + (x - step * .36) + '" width="' + step * .72 + '" y="' + Math.min(y(values[n]), y(0)) + '" height="' + Math.max(Math.abs(y(values[n]) - y(0)), 1) + '" class="sql-bar">' + tip + "</rect>";
      }
      if (rows.length <= 30 || n % Math.ceil(rows.length / 30) === 0)
        inside += '<text transform="translate(' + (x + 4) + "," + (H - B + 14) + ') rotate(-40)" text-anchor="end">' + escaped(name.slice(0, 10)) + "</text>";
    });
    const box = el("div", { class: "sql-chart", role: "img", "aria-label": answer.columns[measure].name + "的" + (is_time ? "走势" : "比较") + "，共 " + rows.length + " 项" });
    box.innerHTML = '<svg viewBox="0 0 ' + W + " " + H + '">' + (path ? '<path d="' + path + '" class="sql-path"/>' : "") + inside + "</svg>";
    return el("div", {}, [el("label", { class: "sql-parameter" }, ["画哪一列 ", pick]), box,
      answer.rows.length > 60 ? el("p", { class: "muted", text: "图中只画前 60 行。" }) : ""]);
  }
  async function download(format) {
    const told = await asked("/sql/download", question({ format: format }), "正在准备文件");
    if (!told || told.error) return;
    const link = el("a", { href: "/sql/file/" + told.id, download: "" });
    document.body.append(link);
    link.click();
    link.remove();
    status("文件已准备好，浏览器正在保存。");
  }

  /* The side: tables, examples, saved, history */
  function history() {
    try { return JSON.parse(localStorage.getItem(HISTORY) || "[]"); } catch (error) { return []; }
  }
  function remember(told) {
    const item = { sql: area.value, at: new Date().toLocaleString("zh-CN"), result: told.error ? "未成功" : told.total + " 行" };
    const kept = [item].concat(history().filter(function (h) { return h.sql !== item.sql; })).slice(0, KEPT);
    try { localStorage.setItem(HISTORY, JSON.stringify(kept)); } catch (error) { /* no history then */ }
    if (tab === "history") side();
  }
  function entry(title, note, sql, extra) {
    return el("div", { class: "sql-entry" }, [el("button", { type: "button", class: "sql-entry-title", title: sql, text: title, onclick: function () { put(sql); } }),
      el("span", { class: "muted", text: note })].concat(extra || []));
  }
  function side() {
    const body = at("sql-side");
    ["tables", "examples", "saved", "history"].forEach(function (name) { button("tab-" + name).setAttribute("aria-pressed", String(name === tab)); });
    if (tab === "tables") {
      const search = el("input", { type: "search", placeholder: "找表、列或含义", "aria-label": "找表、列或含义", class: "sql-search", oninput: function () { tree(search.value.trim()); } });
      const place = el("div", { id: "sql-tree" });
      body.replaceChildren(search, place);
      tree("");
    } else if (tab === "examples") {
      let group = "";
      const parts = [];
      setup.examples.forEach(function (e) {
        if (e.group !== group) { group = e.group; parts.push(el("h3", { text: group })); }
        parts.push(entry(e.title, "", e.sql));
      });
      body.replaceChildren.apply(body, parts);
    } else if (tab === "saved") {
      body.replaceChildren.apply(body, saved.length ? saved.map(function (s) {
        return entry(s.title, s.saved_at, s.sql, [el("a", { href: "/sql?q=" + s.id, text: "链接" }), el("button", { type: "button", class: "sql-remove", text: "删除", "aria-label": "删除“" + s.title + "”", onclick: async function () {
          const told = await fetch("/sql/saved/" + s.id, { method: "DELETE", headers: token() });
          if (!told.ok) showError(await told.json());
          await loadSaved();
        } })]);
      }) : [el("p", { class: "muted", text: "还没有保存的查询。写好语句后点“保存并取得链接”。" })]);
    } else {
      const kept = history();
      body.replaceChildren.apply(body, kept.length ? kept.map(function (h) { return entry(h.sql.replace(/\s+/g, " ").slice(0, 60), h.at + " · " + h.result, h.sql); })
        : [el("p", { class: "muted", text: "这台电脑上还没有查询过。" })]);
    }
  }
  function tree(part) {
    const match = function (text) { return !part || (text || "").toLowerCase().indexOf(part.toLowerCase()) >= 0; };
    const made = dictionary.map(function (t) {
      const whole = match(t.relation) || match(t.table) || match(t.hint);
      const own = t.columns.filter(function (c) { return whole || match(c.name) || match(c.hint); });
      if (!own.length) return null;
      return el("details", { class: "sql-relation", open: Boolean(part) && !whole }, [
        el("summary", { title: t.hint }, [el("span", { class: "sql-name", text: t.relation }), el("span", { class: "muted", text: " " + t.table })]),
        el("p", { class: "muted sql-hint", text: t.hint }),
        el("button", { type: "button", class: "button sql-look", text: "看前 20 行", onclick: function () { put('select *\nfrom ' + t.relation + "\nlimit 20\n"); run(); } }),
        el("ul", {}, own.map(function (c) {
          return el("li", {}, [el("button", { type: "button", title: c.hint, onclick: function () { area.focus(); insert(c.name); } }, [el("span", { class: "sql-name", text: c.name })]),
            el("span", { class: "muted", text: c.hint.replace(/^[^：]*：/, "") })]);
        }))]);
    }).filter(Boolean);
    const place = at("sql-tree");
    place.replaceChildren.apply(place, made.length ? made : [el("p", { class: "muted", text: "没有找到。" })]);
  }
  async function loadSaved() {
    saved = await (await fetch("/sql/saved")).json();
    if (tab === "saved") side();
  }
  async function save() {
    const title = window.prompt("给这个查询起个名字：");
    if (!title || !title.trim()) return;
    const told = await (await post("/sql/save", { title: title, sql: area.value })).json();
    if (told.error) return showError(told);
    tab = "saved";
    await loadSaved();
    side();
    window.history.replaceState({}, "", "/sql?q=" + told.id);
    status("已保存“" + told.title + "”，链接：" + location.origin + "/sql?q=" + told.id);
  }

  function vocabulary() {
    const columns = {};
    words = [];
    dictionary.forEach(function (t) {
      words.push({ kind: "table", text: t.relation, title: t.title, hint: "表：" + t.hint });
      words.push({ kind: "table", text: t.table, title: t.title, hint: "表：" + t.title });
      t.columns.forEach(function (c) {
        const key = c.name;
        if (!columns[key]) { columns[key] = { kind: "column", text: c.name, hint: c.hint, tables: [] }; words.push(columns[key]); }
        columns[key].tables.push(t.relation);
      });
      t.english.forEach(function (c) {
        const key = c.name;
        if (!columns[key]) { columns[key] = { kind: "column", text: c.name, title: c.title, hint: c.title + (c.unit ? "（" + c.unit + "）" : ""), tables: [] }; words.push(columns[key]); }
        columns[key].tables.push(t.table);
      });
    });
    Object.keys(FUNCTIONS).forEach(function (name) { words.push({ kind: "word", text: name, title: FUNCTIONS[name], hint: FUNCTIONS[name] }); });
    [["$month", "所选月份"], ["$unit", "所选地区"]].forEach(function (p) { words.push({ kind: "word", text: p[0], hint: p[1] }); });
    KEYWORDS.forEach(function (word) { words.push({ kind: "word", text: word, hint: "" }); });
  }

  async function start(found) {
    page = found;
    setup = JSON.parse(page.dataset.setup);
    answer = null;
    view = "table";
    tab = "tables";
    shade = el("pre", { class: "sql-shade", "aria-hidden": "true" });
    area = el("textarea", { id: "sql-text", class: "sql-text", spellcheck: "false", autocapitalize: "off", autocomplete: "off", role: "combobox", "aria-autocomplete": "list",
      "aria-expanded": "false", "aria-controls": "sql-list", "aria-label": "SQL 语句", placeholder: "在这里写一条 SELECT；按 Ctrl+空格 补全，Ctrl+Enter 运行",
      onkeydown: key, oninput: function () { paint(); complete(false); }, onscroll: function () { shade.scrollTop = area.scrollTop; shade.scrollLeft = area.scrollLeft; hideList(); },
      onblur: function () { setTimeout(hideList, 120); }, oncompositionstart: function () { composing = true; }, oncompositionend: function () { composing = false; paint(); complete(false); } });
    list = el("ul", { id: "sql-list", class: "sql-list", role: "listbox", "aria-label": "补全", hidden: true });
    at("sql-editor").replaceChildren(shade, area, list);
    at("sql-month-place").replaceChildren(el("select", { id: "sql-month" }, setup.months.map(function (m) { return el("option", { value: m[0], selected: m[0] === setup.month, text: m[1] }); })));
    at("sql-unit-place").replaceChildren(el("input", { id: "sql-unit", value: setup.unit, placeholder: "名称或代码，空为全部", size: "24", list: "sql-units", title: "写名称或代码的一部分，从列表里选；不写为全部" }), el("datalist", { id: "sql-units" }));
    const acts = { run: run, cancel: cancel, save: save, xlsx: function () { download("xlsx"); }, csv: function () { download("csv"); }, parquet: function () { download("parquet"); },
      "view-table": function () { view = "table"; showAnswer(); }, "view-chart": function () { view = "chart"; showAnswer(); } };
    ["tables", "examples", "saved", "history"].forEach(function (name) { acts["tab-" + name] = function () { tab = name; side(); }; });
    page.addEventListener("click", function (event) {
      const pressed = event.target.closest("[data-sql]");
      if (pressed && acts[pressed.dataset.sql]) acts[pressed.dataset.sql]();
    });
    side();
    const kept = sessionStorage.getItem(DRAFT);
    area.value = kept || setup.examples[0].sql;
    paint();
    status("准备中…");
    const told = await (await fetch("/sql/dictionary?edition=" + encodeURIComponent(setup.edition))).json();
    dictionary = told.tables || [];
    units = told.units || [];
    at("sql-units").replaceChildren.apply(at("sql-units"), units.map(function (u) { return el("option", { value: u.join(" ") }); }));
    vocabulary();
    await loadSaved();
    const linked = saved.find(function (s) { return s.id === setup.saved; });
    if (linked) area.value = linked.sql;
    paint();
    side();
    status(setup.saved && !linked ? "链接里的查询已被删除。" : "可以查询。");
    page.dataset.ready = "true";
  }
  new MutationObserver(function () {
    const found = at("sql-page");
    if (found && found !== page) start(found);
  }).observe(document.documentElement, { childList: true, subtree: true });
})();
