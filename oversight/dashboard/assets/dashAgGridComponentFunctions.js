/* How a cell with a link or a status is drawn. */
var dagcomponents = (window.dashAgGridComponentFunctions = window.dashAgGridComponentFunctions || {});

dagcomponents.LinkCell = function (props) {
  return props.data && props.data._href
    ? React.createElement("a", { href: props.data._href }, props.value)
    : React.createElement("span", null, props.value);
};

var MARKS = { met: "●", short: "▲", over: "◆", not_reported: "○", no_standard: "–", not_applicable: "–", unconfirmed: "？",
  cleared: "✓", high: "▲", medium: "◆", low: "●", accepted: "●", partial: "◆", refused: "▲", duplicate: "–",
  on_time: "●", late: "◆", undated: "●", corrected: "●", missing: "○", not_due: "–", rejected: "▲", held: "◆", blocking: "▲", doubt: "◆", on_pace: "●", behind: "◆", far_behind: "▲" };

dagcomponents.StatusCell = function (props) {
  var code = props.data ? props.data["_" + props.colDef.field] : "";
  if (!code) return React.createElement("span", null, props.value);
  return React.createElement("span", { className: "status status-" + code },
    MARKS[code] ? React.createElement("span", { "aria-hidden": "true" }, MARKS[code] + " ") : null, props.value);
};
