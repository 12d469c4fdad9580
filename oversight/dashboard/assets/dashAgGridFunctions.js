/* Functions the tables name: sorting and filtering by the numbers in their texts, Chinese words, colours. */
var dagfuncs = (window.dashAgGridFunctions = window.dashAgGridFunctions || {});

dagfuncs.toNumber = function (text) {
  if (typeof text === "number") return text;
  if (!text) return null;
  var month = /^(\d{4})年(\d{1,2})月(?:(\d{1,2})日)?$/.exec(text);
  if (month) return Number(month[1]) * 10000 + Number(month[2]) * 100 + Number(month[3] || 0);
  var plain = String(text).replace(/−/g, "-").replace(/,/g, "").replace(/%$/, "");
  var found = /^[+-]?\d+(\.\d+)?/.exec(plain);
  return found ? Number(found[0]) : null;
};

// A rate as a bar behind its figure: full at 100 %, its colour by how much is missing.
dagfuncs.rateBar = function (text) {
  var rate = dagfuncs.toNumber(text);
  if (rate === null) return null;
  var colour = rate >= 100 ? "full" : rate >= 80 ? "mid" : "low", end = Math.max(0, Math.min(100, rate)) + "%";
  var bar = "linear-gradient(to right, var(--rate-" + colour + ") " + end + ", transparent " + end + ")";
  return { backgroundImage: bar, backgroundRepeat: "no-repeat" };
};

/* Numbers by size, words by the Chinese order; what was not reported comes last, whichever way the sort runs. */
dagfuncs.compareText = function (a, b, nodeA, nodeB, isDescending) {
  var x = dagfuncs.toNumber(a), y = dagfuncs.toNumber(b);
  var codes = /^\d{6,12}$/;
  if (x !== null && y !== null && !(codes.test(a) && codes.test(b))) return x - y;
  var last = isDescending ? -1 : 1;
  if (x !== null) return -last;
  if (y !== null) return last;
  return String(a || "").localeCompare(String(b || ""), "zh-Hans-CN");
};

var ZH = {
  page: "第", more: "更多", to: "至", of: "共", next: "下一页", last: "末页", first: "首页", previous: "上一页",
  pageSizeSelectorLabel: "每页", ariaPageSizeSelectorLabel: "每页行数", pageLastRowUnknown: "？",
  nextPage: "下一页", lastPage: "末页", firstPage: "首页", previousPage: "上一页",
  footerTotal: "合计", loadingOoo: "正在读取…", noRowsToShow: "没有记录", noMatchingRows: "没有符合筛选的记录",
  enabled: "启用", searchOoo: "搜索…", selectAll: "全选", blanks: "空白", filterOoo: "筛选…",
  equals: "等于", notEqual: "不等于", blank: "为空", notBlank: "不为空", empty: "选一个条件",
  lessThan: "小于", greaterThan: "大于", lessThanOrEqual: "小于等于", greaterThanOrEqual: "大于等于",
  inRange: "介于", inRangeStart: "从", inRangeEnd: "到",
  contains: "包含", notContains: "不包含", startsWith: "开头是", endsWith: "结尾是",
  andCondition: "并且", orCondition: "或者",
  applyFilter: "应用", resetFilter: "重置", clearFilter: "清除", cancelFilter: "取消",
  textFilter: "文字筛选", numberFilter: "数值筛选", dateFilter: "日期筛选",
  sortAscending: "升序", sortDescending: "降序", sortUnSort: "取消排序",
  pinColumn: "固定列", pinLeft: "固定在左", pinRight: "固定在右", noPin: "不固定",
  copy: "复制", ctrlC: "Ctrl+C",
  ariaColumn: "列", ariaColumnFiltered: "已筛选的列", ariaFilterInput: "筛选值", ariaFilterValue: "筛选值",
  ariaFilterFromValue: "从", ariaFilterToValue: "到", ariaFilteringOperator: "筛选条件",
  ariaFilterColumnsInput: "筛选列", ariaFilterMenuOpen: "打开筛选", ariaHidden: "隐藏", ariaVisible: "显示",
  ariaInputEditor: "输入框", ariaMenuColumn: "按 Alt+下 打开列菜单", ariaFilterColumn: "按 Ctrl+回车 打开筛选",
  ariaSortableColumn: "按回车排序", ariaSearch: "搜索", ariaPageSize: "每页行数",
  ariaLabelColumnMenu: "列菜单", ariaLabelColumnFilter: "列筛选", ariaLabelDialog: "对话框",
  ariaLabelSelectField: "选择", ariaLabelSubMenu: "子菜单", ariaLabelTooltip: "提示", ariaLabelContextMenu: "菜单",
  ariaLabelCellEditor: "编辑", ariaLabelLoadingOverlay: "正在读取", ariaLabelNoRowsOverlay: "没有记录",
  overlayLoading: "正在读取…", overlayNoRows: "没有记录"
};
dagfuncs.localeText = function (params) {
  return ZH[params.key] || params.defaultValue;
};

var made = null;
dagfuncs.gridTheme = function (quartz) {
  made = made || quartz.withParams({
    fontFamily: "var(--font)", fontSize: 13.5, headerFontSize: 13, headerFontWeight: 600,
    backgroundColor: "var(--surface)", foregroundColor: "var(--text)", textColor: "var(--text)",
    headerBackgroundColor: "var(--surface-2)", headerTextColor: "var(--text)",
    borderColor: "var(--line)", rowHoverColor: "var(--hover)", oddRowBackgroundColor: "var(--surface)",
    accentColor: "var(--accent)", chromeBackgroundColor: "var(--surface-2)", subtleTextColor: "var(--muted)",
    wrapperBorderRadius: 8, rowHeight: 38, spacing: 6, cellHorizontalPadding: 12, browserColorScheme: "inherit",
    menuBackgroundColor: "var(--surface)", menuTextColor: "var(--text)", inputBackgroundColor: "var(--surface)",
    inputTextColor: "var(--text)", inputBorder: "1px solid var(--line-strong)", inputPlaceholderTextColor: "var(--muted)"
  });
  return made;
};
