/* Ours: addresses, downloads, theme, printing, the notice of a newer edition. No library. */
(function () {
  "use strict";
  const THEME_COOKIE = "oversight_theme";
  const CHECK_EVERY = 20000;

  function go(href) {
    if (href === location.pathname + location.search) return;
    note();
    isOnTheWay = true;
    history.pushState({}, "", href);
    window.dispatchEvent(new CustomEvent("_dashprivate_pushstate"));
  }
  window.oversightGo = go;

  /* Back leads to where one was: each entry of the history knows how far its page was scrolled. */
  let isOnTheWay = false, returning = null, noting = null;
  history.scrollRestoration = "manual";
  function note() { history.replaceState(Object.assign({}, history.state, { scroll: Math.round(window.scrollY) }), ""); }
  window.addEventListener("scroll", function () {
    clearTimeout(noting);
    noting = setTimeout(function () { if (!isOnTheWay) note(); }, 200);
  }, { passive: true });
  window.addEventListener("popstate", function (event) {
    if (shown && shown.path === location.pathname && shown.search === location.search) return;
    isOnTheWay = true;
    returning = (event.state && event.state.scroll) || 0;
  });
  ["wheel", "keydown", "touchstart", "mousedown"].forEach(function (name) {
    window.addEventListener(name, function () { returning = null; }, { passive: true });
  });
  /* Charts and tables grow while they are drawn: the place is there only then. */
  function scrollBack(tries) {
    if (returning !== null) {
      window.scrollTo(0, returning);
      if (tries) { setTimeout(function () { scrollBack(tries - 1); }, 60); return; }
    }
    returning = null;
    isOnTheWay = false;
    note();
  }

  function say(text) {
    const live = document.getElementById("live");
    if (live) live.textContent = text;
  }

  /* What is said for a moment where it can be seen; the live region says it to those who cannot. */
  function show(text) {
    say(text);
    const old = document.querySelector(".toast");
    if (old) old.remove();
    const box = document.createElement("div");
    box.className = "toast no-print";
    box.textContent = text;
    document.body.append(box);
    setTimeout(function () { box.remove(); }, 3500);
  }

  function setParameter(name, value) {
    const query = new URLSearchParams(location.search);
    if (name === "money") inOtherUnit(query, value === "yuan" ? 10000 : 0.0001);
    if (value === null || value === undefined || value === "" || (name === "money" && value === "wan")) query.delete(name);
    else query.set(name, value);
    const text = query.toString();
    let path = location.pathname;
    // A township has a page of its own; every other unit deepens the page shown.
    if (name === "unit" && value && value.length > 6) path = "/township";
    go(path + (text ? "?" + text : ""));
  }

  let focused = null, shown = null, place = null, opened = null;

  /* Where the page stands once it is drawn: where it was, at what was opened, or at the top of another page or unit. */
  function settle(meta) {
    const now = meta.path + "?" + (new URLSearchParams(meta.search).get("unit") || "");
    const part = document.querySelector("[data-opened]"), what = part ? part.dataset.opened : null;
    if (returning !== null) scrollBack(20);
    else {
      if (what && (what !== opened || now !== place)) {
        part.scrollIntoView({ block: "start" });
        part.focus({ preventScroll: true });
      } else if (place !== null && now !== place) window.scrollTo(0, 0);
      isOnTheWay = false;
    }
    place = now;
    opened = what;
  }
  const apis = new Map();

  const clientside = {
    filter: function () {
      const context = window.dash_clientside.callback_context;
      (context.triggered || []).forEach(function (item) {
        const id = JSON.parse(item.prop_id.slice(0, item.prop_id.lastIndexOf(".")));
        const value = item.value === null || item.value === undefined ? "" : String(item.value);
        // A filter that has just been drawn reports the value it was drawn with.
        if (value !== id.initial) setParameter(id.name, value);
      });
      return window.dash_clientside.no_update;
    },
    click: function () {
      (window.dash_clientside.callback_context.triggered || []).forEach(function (item) {
        const point = item.value && item.value.points && item.value.points[0];
        if (point && typeof point.customdata === "string" && point.customdata.charAt(0) === "/") go(point.customdata);
      });
      return window.dash_clientside.no_update;
    },
    arrived: function (meta) {
      if (meta && meta.title) {
        document.title = meta.title;
        say(meta.title + "，已显示");
      }
      shown = meta;
      // The page itself stands where its first sight was.
      const sight = document.getElementById("first-sight");
      if (sight) sight.remove();
      document.dispatchEvent(new CustomEvent("oversight:arrived"));
      // What the page took for granted (the month) goes into the address: a colleague opens the same.
      // Not where the reader has gone on meanwhile.
      if (meta && meta.address && meta.path === location.pathname && meta.search === location.search) {
        history.replaceState(history.state, "", meta.address);
      }
      setTimeout(watchTables, 0);
      document.body.classList.remove("nav-open");
      const toggle = document.getElementById("nav-toggle");
      if (toggle) toggle.setAttribute("aria-expanded", "false");
      if (meta) settle(meta);
      if (focused) {
        const name = focused;
        focused = null;
        setTimeout(function () {
          const found = Array.from(document.querySelectorAll("[id]")).find(function (element) {
            return element.id.indexOf('"name":"' + name + '"') >= 0 && element.id.endsWith("}");
          });
          if (found && document.activeElement === document.body) {
            (found.querySelector("input:checked") || found).focus({ preventScroll: true });
          }
        }, 60);
      }
      return window.dash_clientside.no_update;
    },
    theme: function (theme) {
      document.documentElement.setAttribute("data-theme", theme);
      document.cookie = THEME_COOKIE + "=" + theme + "; path=/; max-age=31536000; samesite=lax";
      return window.dash_clientside.no_update;
    },
    scheme: function (theme) { return theme; }
  };
  window.dash_clientside = Object.assign({}, window.dash_clientside, { oversight: clientside });

  document.addEventListener("focusin", function (event) {
    const holder = event.target.closest && event.target.closest('[id*=\'"type":"filter"\']');
    if (holder) focused = JSON.parse(holder.id).name;
  });

  /* Tables */
  async function gridApi(name) {
    return window.dash_ag_grid && window.dash_ag_grid.getApiAsync
      ? window.dash_ag_grid.getApiAsync({ name: name, type: "grid" })
      : null;
  }

  function sorting(api) {
    return api.getColumnState().filter(function (c) { return c.sort; })
      .sort(function (a, b) { return a.sortIndex - b.sortIndex; })
      .map(function (c) { return { colId: c.colId, sort: c.sort }; });
  }

  /* How a table is sorted and filtered and which columns it shows stands in the address, under g.<table>. */
  function asked(name) {
    try { return JSON.parse(new URLSearchParams(location.search).get("g." + name)); }
    catch (error) { return "?"; }
  }
  function isObject(value) { return Boolean(value) && typeof value === "object" && !Array.isArray(value); }
  function kept(name) {
    const state = asked(name), found = {};
    function isPair(item) { return Array.isArray(item) && typeof item[0] === "string"; }
    if (!isObject(state)) return found;
    if (Array.isArray(state.c)) found.c = state.c.filter(isPair);
    if (Array.isArray(state.s)) found.s = state.s.filter(isPair);
    if (isObject(state.f)) found.f = state.f;
    return found;
  }

  function keep(name, api) {
    const filters = api.getFilterModel(), sorted = sorting(api), state = {};
    // Columns that only the narrow screen hid are nobody's choice.
    const narrow = narrowed(name);
    const columns = api.getColumns().filter(function (c) {
      return c.isVisible() === Boolean(c.getColDef().initialHide) && narrow.indexOf(c.getColId()) < 0;
    });
    if (Object.keys(filters).length) state.f = filters;
    if (sorted.length) state.s = sorted.map(function (c) { return [c.colId, c.sort]; });
    if (columns.length) state.c = columns.map(function (c) { return [c.getColId(), c.isVisible()]; });
    const query = new URLSearchParams(location.search);
    if (Object.keys(state).length) query.set("g." + name, JSON.stringify(state));
    else query.delete("g." + name);
    const text = query.toString();
    history.replaceState(history.state, "", location.pathname + (text ? "?" + text : ""));
  }

  function restore(name, api) {
    const whole = asked(name), state = kept(name);
    function isThere(item) { return Boolean(api.getColumn(item[0])); }
    const columns = (state.c || []).filter(isThere);
    const sorted = (state.s || []).filter(function (item) { return isThere(item) && ["asc", "desc"].includes(item[1]); });
    const filters = Object.fromEntries(Object.entries(state.f || {}).filter(function (item) {
      return isThere(item) && isFilter(item[1]);
    }));
    columns.forEach(function (item) { api.setColumnsVisible([item[0]], Boolean(item[1])); });
    if (sorted.length) {
      api.applyColumnState({
        state: sorted.map(function (item, place) { return { colId: item[0], sort: item[1], sortIndex: place }; }),
        defaultState: { sort: null }
      });
    }
    if (Object.keys(filters).length) api.setFilterModel(filters);
    // Whoever sent the address saw other rows, or another order, than are shown now.
    const taken = { c: columns.length, s: sorted.length, f: Object.keys(filters).length };
    const isAll = whole === null || (isObject(whole) && Object.keys(whole).every(function (part) {
      return whole[part] !== null && typeof whole[part] === "object" && Object.keys(whole[part]).length === taken[part];
    }));
    if (!isAll) unread(name);
  }
  function isFilter(filter) {
    return isObject(filter) && (Array.isArray(filter.conditions) ? filter.conditions : [filter]).every(function (condition) {
      return isObject(condition) && (filter.filterType !== "number"
        || ["filter", "filterTo"].every(function (side) { return typeof (condition[side] || 0) === "number"; }));
    });
  }
  function unread(name) {
    const frame = document.querySelector('[data-grid="' + name + '"]');
    const foot = frame && frame.parentElement.querySelector(".grid-foot");
    if (!foot || foot.querySelector(".grid-unread")) return;
    const said = document.createElement("span");
    said.className = "grid-unread tone-bad";
    said.setAttribute("role", "alert");
    said.textContent = "网址里这张表的筛选、排序或选列有认不出的，认不出的没有照办";
    foot.prepend(said);
  }

  /* Where there is no room for all, the columns that say most are shown, and how to see the others is said below. */
  const PHONE = 520, FEWEST = 3;
  function fit(frame, name, api) {
    const width = frame.clientWidth - 2, isPhone = width < PHONE, fewest = isPhone ? 2 : FEWEST;
    if (isPhone) tighten(api);
    if (kept(name).c) return;
    const columns = api.getAllDisplayedColumns(), left = columns.slice();
    let needed = left.reduce(function (sum, c) { return sum + (c.getMinWidth() || 100); }, 0);
    const out = [];
    function isDecisive(c) { return Boolean((c.getColDef().context || {}).decisive); }
    const order = left.filter(function (c) { return !isDecisive(c); }).reverse()
      .concat(left.filter(function (c) { return isDecisive(c); }).reverse());
    while (needed > width && left.length - out.length > fewest) {
      const column = order.shift();
      needed -= column.getMinWidth() || 100;
      out.push(column.getColId());
    }
    if (!out.length) return;
    frame.dataset.narrow = out.join(" ");
    api.setColumnsVisible(out, false);
    const foot = frame.parentElement.querySelector(".grid-foot");
    if (foot && !foot.querySelector(".grid-narrow")) {
      const said = document.createElement("span");
      said.className = "grid-narrow no-print";
      said.textContent = "屏幕放不下，另有 " + out.length + " 列未显示，可用“选列”调出；下载和打印含全部列";
      foot.append(said);
    }
  }
  /* On a telephone a column takes no more than it gets by on, and its words go on in the next line. */
  function tighten(api) {
    api.setGridOption("columnDefs", api.getColumnDefs().map(function (def) {
      const least = (def.context || {}).least || 96;
      const isFixed = def.flex === null || def.flex === undefined;
      return Object.assign({}, def, { minWidth: least }, isFixed ? { width: least } : {},
        def.type === "rightAligned" ? {} : { wrapText: true, autoHeight: true, cellClass: "long" });
    }));
  }
  function narrowed(name) {
    const frame = document.querySelector('[data-grid="' + name + '"]');
    return frame && frame.dataset.narrow && !kept(name).c ? frame.dataset.narrow.split(" ") : [];
  }

  /* Filters of amounts keep their meaning when 元 and 万元 change places. */
  function inOtherUnit(query, times) {
    document.querySelectorAll("[data-grid]").forEach(function (frame) {
      const key = "g." + frame.dataset.grid, amounts = (frame.dataset.amounts || "").split(" ");
      let state;
      try { state = JSON.parse(query.get(key)); } catch (error) { state = null; }
      if (!state || !state.f) return;
      Object.keys(state.f).forEach(function (column) {
        if (amounts.indexOf(column) < 0) return;
        (state.f[column].conditions || [state.f[column]]).forEach(function (condition) {
          ["filter", "filterTo"].forEach(function (side) {
            if (typeof condition[side] === "number") condition[side] = Number((condition[side] * times).toPrecision(12));
          });
        });
      });
      query.set(key, JSON.stringify(state));
    });
  }

  function watchTables() {
    document.querySelectorAll("[data-grid]:not([data-watched])").forEach(async function (frame) {
      frame.dataset.watched = "1";
      const name = frame.dataset.grid;
      const api = await gridApi(name);
      if (!api) return;
      apis.set(frame, api);
      if (frame.dataset.asks) watchLongTable(frame, name, api);
      restore(name, api);
      fit(frame, name, api);
      frame.dataset.fitted = "1";
      // Sums are of all rows; of those that a filter leaves they would be something else.
      const sums = api.getGridOption("pinnedBottomRowData") || [];
      function sumUp() { if (sums.length) api.setGridOption("pinnedBottomRowData", api.isAnyFilterPresent() ? [] : sums); }
      sumUp();
      api.addEventListener("filterChanged", sumUp);
      ["filterChanged", "sortChanged", "columnVisible"].forEach(function (event) {
        api.addEventListener(event, function () { if (frame.isConnected) keep(name, api); });
      });
    });
  }

  /* A long table has only its first rows here: what its filters and sorting choose is asked of all of them. */
  function watchLongTable(frame, name, api) {
      let wanted = 0, waiting = null;
      async function ask() {
        const mine = ++wanted;
        const form = new FormData();
        form.append("table", name);
        form.append("path", location.pathname);
        form.append("search", location.search);
        form.append("edition", document.getElementById("edition-mark").dataset.edition);
        form.append("filter", JSON.stringify(api.getFilterModel()));
        form.append("sort", JSON.stringify(sorting(api)));
        const foot = frame.parentElement.querySelector(".grid-count");
        frame.setAttribute("aria-busy", "true");
        try {
          const answer = await fetch("/rows", { method: "POST", body: form });
          if (!answer.ok) throw new Error(await answer.text());
          const found = await answer.json();
          // A later question, or another page, has come meanwhile.
          if (mine !== wanted || !frame.isConnected) return;
          window.dash_clientside.set_props({ type: "grid", name: name }, { rowData: found.rows });
          if (foot) foot.textContent = found.count;
          say(found.count);
        } catch (error) {
          if (mine === wanted && foot) foot.textContent = "没能筛选全部记录：" + (error.message || "服务没有应答") + "。请再试一次。";
        } finally { if (mine === wanted) frame.removeAttribute("aria-busy"); }
      }
      function soon() { clearTimeout(waiting); waiting = setTimeout(ask, 200); }
      api.addEventListener("filterChanged", soon);
      api.addEventListener("sortChanged", soon);
  }

  /* The address of this very view: the edition stands in it even while it is the newest. */
  async function share() {
    const query = new URLSearchParams(location.search);
    if (shown && shown.edition) query.set("edition", shown.edition);
    const address = location.origin + location.pathname + "?" + query.toString();
    try {
      // A page that did not come by https has no clipboard of its own.
      if (navigator.clipboard && window.isSecureContext) await navigator.clipboard.writeText(address);
      else {
        const field = document.createElement("textarea");
        field.value = address;
        document.body.append(field);
        field.select();
        const done = document.execCommand("copy");
        field.remove();
        if (!done) throw new Error("copy");
      }
      show("本页链接已复制，打开的人看到的版本、月份和筛选与此相同");
    } catch (error) { window.prompt("请复制本页链接：", address); }
  }

  /* The columns of a table as a wide screen shows them. */
  function wholeColumns(name, api) {
    const narrow = narrowed(name);
    return api.getAllGridColumns().filter(function (c) { return c.isVisible() || narrow.indexOf(c.getColId()) >= 0; });
  }

  async function download(button) {
    const name = button.dataset.download;
    const form = new FormData();
    form.append("table", name);
    form.append("format", button.dataset.format);
    form.append("path", location.pathname);
    form.append("search", location.search);
    form.append("edition", document.getElementById("edition-mark").dataset.edition);
    try {
      const api = await gridApi(name);
      if (api) {
        form.append("columns", JSON.stringify(wholeColumns(name, api).map(function (c) { return c.getColId(); })));
        const sorted = api.getColumnState().some(function (c) { return c.sort; });
        form.append("filter", JSON.stringify(api.getFilterModel()));
        form.append("sort", JSON.stringify(sorting(api)));
        if (!document.querySelector('[data-asks="' + name + '"]') && (api.isAnyFilterPresent() || sorted)) {
          const rows = [];
          api.forEachNodeAfterFilterAndSort(function (node) { rows.push(node.id); });
          form.append("rows", JSON.stringify(rows));
        }
      }
    } catch (error) { /* Without the grid's own filters the whole table is taken. */ }
    button.disabled = true;
    say("正在准备下载");
    try {
      const answer = await fetch("/download", { method: "POST", body: form });
      if (!answer.ok) throw new Error(await answer.text());
      const header = answer.headers.get("Content-Disposition") || "";
      const file = decodeURIComponent((header.match(/filename\*=UTF-8''(.+)$/) || ["", "table"])[1]);
      const link = document.createElement("a");
      link.href = URL.createObjectURL(await answer.blob());
      link.download = file;
      link.click();
      setTimeout(function () { URL.revokeObjectURL(link.href); }, 20000);
      say("已下载 " + file);
    } catch (error) {
      window.alert("没能下载：" + (error.message || "服务没有应答") + "\n请稍后重试。");
    } finally { button.disabled = false; }
  }

  async function chooseColumns(button) {
    const old = document.querySelector(".column-menu");
    if (old) { const same = old.dataset.of === button.dataset.columns; closeColumns(); if (same) return; }
    const api = await gridApi(button.dataset.columns);
    if (!api) return;
    const box = document.createElement("div");
    box.className = "column-menu";
    box.dataset.of = button.dataset.columns;
    box.setAttribute("role", "dialog");
    box.setAttribute("aria-label", "选择要显示的列");
    api.getColumns().forEach(function (column) {
      const label = document.createElement("label");
      const check = document.createElement("input");
      check.type = "checkbox";
      check.checked = column.isVisible();
      check.addEventListener("change", function () { api.setColumnsVisible([column.getColId()], check.checked); });
      label.append(check, column.getColDef().headerName);
      box.append(label);
    });
    button.parentElement.append(box);
    button.setAttribute("aria-expanded", "true");
    const first = box.querySelector("input");
    if (first) first.focus();
  }

  function closeColumns() {
    const box = document.querySelector(".column-menu");
    if (!box) return;
    const button = box.parentElement.querySelector("[data-columns]");
    box.remove();
    if (button) { button.setAttribute("aria-expanded", "false"); button.focus(); }
  }

  /* One search from anywhere: Enter leads to the page of what was found; "/" leads to the box. */
  document.addEventListener("submit", function (event) {
    if (!event.target.matches(".search")) return;
    event.preventDefault();
    const query = new URLSearchParams();
    ["edition", "month", "money"].forEach(function (name) {
      const value = new URLSearchParams(location.search).get(name);
      if (value) query.set(name, value);
    });
    query.set("q", document.getElementById("search").value.trim());
    go("/search?" + query.toString());
  });

  document.addEventListener("keydown", function (event) {
    const box = document.getElementById("search");
    if (event.key === "/" && box && !/^(INPUT|TEXTAREA|SELECT)$/.test(event.target.tagName) && !event.target.isContentEditable) {
      event.preventDefault();
      box.focus();
    }
    if (event.key === "Escape") {
      closeColumns();
      document.body.classList.remove("nav-open");
    }
  });

  document.addEventListener("click", function (event) {
    const target = event.target;
    if (!target.closest) return;
    if (!target.closest(".column-menu") && !target.closest("[data-columns]")) {
      const box = document.querySelector(".column-menu");
      if (box) box.remove();
    }
    const link = target.closest("a[href]");
    if (link) {
      const href = link.getAttribute("href");
      if (href.startsWith("#") && link.closest(".contents")) {
        const part = document.querySelector('[data-name="' + href.slice(1) + '"]');
        event.preventDefault();
        if (part) {
          part.setAttribute("tabindex", "-1");
          part.scrollIntoView({ block: "start" });
          part.focus({ preventScroll: true });
        }
        return;
      }
      if (href.startsWith("/") && !href.startsWith("/returned/") && !href.startsWith("/report/") && !href.startsWith("/source/") && !link.target && !link.hasAttribute("download") &&
          !event.ctrlKey && !event.metaKey && !event.shiftKey && event.button === 0) {
        event.preventDefault();
        go(href);
      }
      return;
    }
    const button = target.closest("button");
    if (!button) return;
    if (button.dataset.download) download(button);
    if (button.dataset.columns) chooseColumns(button);
    if (button.id === "nav-toggle") {
      const open = document.body.classList.toggle("nav-open");
      button.setAttribute("aria-expanded", String(open));
    }
    if (button.dataset.action === "print") window.print();
    if (button.dataset.action === "share") share();
    if (button.dataset.action === "reload") location.reload();
    if (button.dataset.action === "theme") {
      const now = document.documentElement.getAttribute("data-theme") === "dark" ? "light" : "dark";
      window.dash_clientside.set_props("theme", { data: now });
    }
  });

  /* Printing: charts take the width of the paper before it is drawn. */
  function eachChart(change) {
    document.querySelectorAll(".js-plotly-plot").forEach(function (plot) {
      if (window.Plotly) change(plot);
    });
  }
  /* On paper a table has all its rows, and its headings on every sheet: a plain one stands in for the grid. */
  function tablesOnPaper() {
    apis.forEach(function (api, frame) {
      if (!frame.isConnected) { apis.delete(frame); return; }
      const table = document.createElement("table"), columns = wholeColumns(frame.dataset.grid, api);
      table.className = "paper";
      const head = table.createTHead().insertRow();
      columns.forEach(function (column) {
        const cell = document.createElement("th");
        cell.textContent = column.getColDef().headerName;
        head.append(cell);
      });
      const body = table.createTBody();
      function print(data, isSum) {
        const row = body.insertRow();
        if (isSum) row.className = "sum";
        columns.forEach(function (column) {
          const cell = row.insertCell();
          cell.textContent = data[column.getColId()];
          if (column.getColDef().type === "rightAligned") cell.className = "num";
        });
      }
      api.forEachNodeAfterFilterAndSort(function (node) { print(node.data, false); });
      (api.getGridOption("pinnedBottomRowData") || []).forEach(function (data) { print(data, true); });
      frame.after(table);
    });
  }

  window.addEventListener("beforeprint", function () {
    document.body.classList.add("printing");
    tablesOnPaper();
    eachChart(function (plot) {
      const box = plot.closest(".chart");
      window.Plotly.relayout(plot, { autosize: false, width: box.clientWidth, height: plot.clientHeight });
    });
  });
  window.addEventListener("afterprint", function () {
    document.body.classList.remove("printing");
    document.querySelectorAll("table.paper").forEach(function (table) { table.remove(); });
    eachChart(function (plot) {
      window.Plotly.relayout(plot, { autosize: true, width: null, height: null });
      window.Plotly.Plots.resize(plot);
    });
  });

  /* A newer edition */
  async function check() {
    const mark = document.getElementById("edition-mark");
    const notice = document.getElementById("newer");
    if (!mark || !notice || document.hidden) return;
    try {
      const answer = await fetch("/edition", { cache: "no-store" });
      const now = (await answer.json()).edition_id;
      notice.hidden = !now || now === mark.dataset.edition;
    } catch (error) { /* The server is away for a moment; ask again later. */ }
  }
  setInterval(check, CHECK_EVERY);
  window.addEventListener("focus", check);
  window.oversightCheckEdition = check;
})();
