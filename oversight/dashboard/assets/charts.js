/* A chart without a mouse: Tab leads to it, the arrows from point to point, Enter to where a click on the point leads. */
(function () {
  "use strict";
  const places = new WeakMap();

  /* The points that say something, line by line: of a heat map its rows, of everything else its series. */
  function linesOf(plot) {
    const lines = [];
    plot.data.forEach(function (trace, curve) {
      if (trace.hoverinfo === "skip") return;
      if (trace.type === "heatmap") {
        trace.y.forEach(function (name, row) {
          lines.push(trace.x.map(function (_, column) {
            return { curve: curve, at: [row, column], text: trace.text[row][column], href: (trace.customdata[row] || [])[column] };
          }));
        });
        return;
      }
      const texts = trace.hovertext || [], links = trace.customdata || [];
      const line = (trace.x || []).map(function (x, place) {
        return { curve: curve, at: place, text: texts[place], href: links[place], isThere: x !== null && (trace.y || [])[place] !== null };
      }).filter(function (point) { return point.isThere; });
      if (line.length) lines.push(line);
    });
    return lines;
  }

  function show(plot, point) {
    const layout = plot._fullLayout, trace = plot._fullData[point.curve];
    const subplot = (trace.xaxis || "x") + (trace.yaxis || "y");
    try { window.Plotly.Fx.hover(plot, [{ curveNumber: point.curve, pointNumber: point.at }], subplot); }
    catch (error) { /* A point outside the axes has no box; its text is said all the same. */ }
    const live = document.getElementById("live");
    if (live) live.textContent = String(point.text || "").replace(/<br>/g, "，") + (point.href ? "。按回车前往" : "");
    return layout;
  }

  document.addEventListener("keydown", function (event) {
    const box = event.target.closest && event.target.closest(".chart[tabindex]");
    if (!box || event.target !== box || event.ctrlKey || event.metaKey || event.altKey) return;
    const plot = box.querySelector(".js-plotly-plot");
    if (!plot || !plot.data || !window.Plotly) return;
    const lines = linesOf(plot);
    if (!lines.length) return;
    const known = places.get(plot);
    let line = known ? known.line : 0, place = known ? known.place : -1;
    if (event.key === "Enter") {
      const point = known && lines[line] && lines[line][place];
      if (point && typeof point.href === "string" && point.href.charAt(0) === "/") { event.preventDefault(); window.oversightGo(point.href); }
      return;
    }
    // Along a line the arrows left and right; up and down from line to line. Where points lie one below the other, both go along.
    const isUpright = lines[0].length > 1 && plot.data[lines[0][0].curve].type !== "heatmap" && plot._fullLayout.yaxis.type === "category";
    const along = isUpright ? { ArrowDown: 1, ArrowUp: -1 } : { ArrowRight: 1, ArrowLeft: -1 };
    const across = isUpright ? { ArrowRight: 1, ArrowLeft: -1 } : { ArrowDown: 1, ArrowUp: -1 };
    if (event.key in along) place += along[event.key];
    else if (event.key in across) line += across[event.key];
    else if (event.key === "Home") place = 0;
    else if (event.key === "End") place = Infinity;
    else return;
    event.preventDefault();
    line = Math.max(0, Math.min(lines.length - 1, line));
    place = Math.max(0, Math.min(lines[line].length - 1, place));
    places.set(plot, { line: line, place: place });
    show(plot, lines[line][place]);
  });

  document.addEventListener("focusout", function (event) {
    const box = event.target.closest && event.target.closest(".chart[tabindex]");
    const plot = box && box.querySelector(".js-plotly-plot");
    if (plot && window.Plotly && plot._fullLayout) window.Plotly.Fx.unhover(plot);
  });
})();
