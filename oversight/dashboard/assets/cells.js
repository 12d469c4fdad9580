/* Cells of a table taken by dragging, or by Shift and the arrows, are copied as a grid with the names of its columns. */
(function () {
  "use strict";
  let start = null, end = null;

  function cellOf(node) {
    const element = node && (node.nodeType === 1 ? node : node.parentElement);
    return element && element.closest ? element.closest(".grid-frame .ag-row .ag-cell[col-id]") : null;
  }
  function frameOf(cell) { return cell.closest(".grid-frame"); }

  function columnsOf(frame) {
    return Array.from(frame.querySelectorAll(".ag-header-cell[col-id]"))
      .sort(function (a, b) { return Number(a.ariaColIndex) - Number(b.ariaColIndex); });
  }
  /* Rows in the order they are seen; the row of sums, which stands in a container of its own, comes last. */
  function rowsOf(frame) {
    const found = new Map();
    frame.querySelectorAll(".ag-row[row-index]").forEach(function (row) {
      const key = row.getAttribute("row-index");
      if (!found.has(key)) found.set(key, row.getBoundingClientRect().top);
    });
    return Array.from(found.entries()).sort(function (a, b) { return a[1] - b[1]; }).map(function (item) { return item[0]; });
  }
  function rowOf(cell) { return cell.closest(".ag-row").getAttribute("row-index"); }

  /* The rows and columns between the two ends, or null where that is a single cell. */
  function block() {
    let from = start, to = end;
    if (!from || !to || !from.isConnected || !to.isConnected) {
      const selection = window.getSelection();
      if (!selection || selection.isCollapsed) return null;
      from = cellOf(selection.anchorNode);
      to = cellOf(selection.focusNode);
    }
    if (!from || !to || from === to || frameOf(from) !== frameOf(to)) return null;
    const frame = frameOf(from), columns = columnsOf(frame), rows = rowsOf(frame);
    const ids = columns.map(function (column) { return column.getAttribute("col-id"); });
    function between(items, a, b) {
      const x = items.indexOf(a), y = items.indexOf(b);
      return items.slice(Math.min(x, y), Math.max(x, y) + 1);
    }
    const chosen = between(ids, from.getAttribute("col-id"), to.getAttribute("col-id"));
    return {
      frame: frame,
      columns: columns.filter(function (column) { return chosen.indexOf(column.getAttribute("col-id")) >= 0; }),
      rows: between(rows, rowOf(from), rowOf(to))
    };
  }

  function at(frame, row, column) {
    return frame.querySelector('.ag-row[row-index="' + row + '"] .ag-cell[col-id="' + column.getAttribute("col-id") + '"]');
  }

  /* As a spreadsheet reads it: numbers with an ordinary minus, and no text that it would take for a formula. */
  function plain(cell) {
    if (!cell) return "";
    const clone = cell.cloneNode(true);
    clone.querySelectorAll("[aria-hidden=true]").forEach(function (mark) { mark.remove(); });
    const text = clone.textContent.trim(), number = text.replace(/−/g, "-");
    if (/^[+-]?[\d,]+(\.\d+)?%?$/.test(number) && cell.classList.contains("numeric")) return number;
    const safe = /^[=+\-@\t\r]/.test(text) ? "'" + text : text;
    return /[\t\n\r"]/.test(safe) ? '"' + safe.replace(/"/g, '""') + '"' : safe;
  }
  function heading(column) { return column.querySelector(".ag-header-cell-text").textContent.trim(); }

  function paint() {
    document.querySelectorAll(".ag-cell.is-picked").forEach(function (cell) { cell.classList.remove("is-picked"); });
    const found = block();
    if (!found) return;
    found.rows.forEach(function (row) {
      found.columns.forEach(function (column) {
        const cell = at(found.frame, row, column);
        if (cell) cell.classList.add("is-picked");
      });
    });
  }
  function forget() { start = end = null; paint(); }

  let isDown = false;
  document.addEventListener("mousedown", function (event) {
    if (event.button !== 0) return;
    const cell = cellOf(event.target);
    isDown = Boolean(cell);
    if (event.shiftKey && start && cell && frameOf(start) === frameOf(cell)) {
      event.preventDefault();
      end = cell;
    } else { start = cell; end = cell; }
    paint();
  });
  document.addEventListener("mousemove", function (event) {
    if (!isDown || !start) return;
    const cell = cellOf(event.target);
    if (!cell || cell === end || frameOf(cell) !== frameOf(start)) return;
    end = cell;
    if (end !== start) window.getSelection().removeAllRanges();
    paint();
  });
  document.addEventListener("mouseup", function () { isDown = false; });

  document.addEventListener("keydown", function (event) {
    if (event.key === "Escape") forget();
    const steps = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] };
    const step = steps[event.key];
    if (!step) return;
    const cell = cellOf(event.target);
    if (!cell) return;
    if (!event.shiftKey) { forget(); return; }
    event.preventDefault();
    event.stopPropagation();
    const frame = frameOf(cell), rows = rowsOf(frame), columns = columnsOf(frame);
    if (!start || !start.isConnected || frameOf(start) !== frame) { start = cell; end = cell; }
    const ids = columns.map(function (column) { return column.getAttribute("col-id"); });
    const y = rows.indexOf(rowOf(end)) + step[0], x = ids.indexOf(end.getAttribute("col-id")) + step[1];
    if (rows[y] === undefined || !columns[x]) return;
    end = at(frame, rows[y], columns[x]) || end;
    paint();
  }, true);

  document.addEventListener("copy", function (event) {
    const found = block();
    if (!found || /^(INPUT|TEXTAREA)$/.test(document.activeElement && document.activeElement.tagName)) return;
    const lines = [found.columns.map(heading)].concat(found.rows.map(function (row) {
      return found.columns.map(function (column) { return plain(at(found.frame, row, column)); });
    }));
    event.clipboardData.setData("text/plain", lines.map(function (line) { return line.join("\t"); }).join("\r\n"));
    event.preventDefault();
    const live = document.getElementById("live");
    if (live) live.textContent = "已复制 " + found.rows.length + " 行 " + found.columns.length + " 列，含列名";
  });
})();
