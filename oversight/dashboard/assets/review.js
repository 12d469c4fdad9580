/* Ours: the page 审核. Files that wait, their rows, and what waits in the current edition. No library. */
(function () {
  "use strict";
  const desk = window.oversightDesk, at = desk.at, el = desk.el, ask = desk.ask, press = desk.press, table = desk.table, cell = desk.cell;
  let setup = null;

  function address(id) {
    const query = new URLSearchParams(location.search);
    if (id) query.set("review", id); else query.delete("review");
    const text = query.toString();
    return location.pathname + (text ? "?" + text : "");
  }
  async function showFiles() {
    const told = await ask("GET", "/review/files");
    const rows = told.waiting.map(function (item) {
      return el("tr", { "data-review": item.id }, [
        el("td", {}, [el("span", { text: item.file_name }), item.is_own ? el("div", { class: "note", text: "由您报送，须由另一人审核" }) : null]),
        cell(item.dataset_zh + (item.is_nil ? "（零报告）" : "")), cell(item.county), cell(item.months.join("、")),
        cell(item.handed_in + "　" + item.by), cell(item.decided + " / " + item.rows),
        cell(item.questions ? item.questions + " 处" : "无", item.questions ? "review-asked" : ""),
        el("td", {}, [press("查看", "", async function () { history.replaceState(history.state, "", address(item.id)); await showFile(item.id, true); })])
      ]);
    });
    at("review-files").replaceChildren(rows.length ? table(["文件", "报表", "县（市、区）", "月份", "报送", "已定 / 行数", "要留意", ""], rows, "待审核的报送") : el("p", { class: "note", text: "没有待审核的报送。" }));
    const done = told.done.map(function (item) {
      return el("tr", { "data-review": item.id }, [
        cell(item.file_name), cell(item.dataset_zh), cell(item.months.join("、")), cell(item.handed_in + "　" + item.by),
        el("td", {}, [el("span", { class: "hand-in-state is-" + state(item.state), text: item.state_zh })]), cell(item.decided_at + "　" + item.reviewers.join("、")),
        el("td", {}, [press("查看", "", async function () { history.replaceState(history.state, "", address(item.id)); await showFile(item.id, true); })])
      ]);
    });
    at("review-done").replaceChildren(done.length ? table(["文件", "报表", "月份", "报送", "结果", "审核", ""], done, "已审核") : el("p", { class: "note", text: "近三个月没有审核过的报送。" }));
  }
  function state(name) { return { accepted: "accepted", partly: "partial", returned: "refused" }[name] || name; }

  async function showFile(id, moving) {
    const place = at("review-file");
    if (!id) { place.replaceChildren(); return; }
    const item = await ask("GET", "/review/file/" + id);
    place.replaceChildren(fileCard(item));
    if (moving) place.scrollIntoView({ block: "start" });
  }
  function fileCard(item) {
    const reason = desk.kept("review:" + item.id, el("textarea", { rows: "2", maxlength: "500", id: "review-reason", placeholder: "退回，以及采用有存疑、待确认的行时，写明原因" }));
    const isOpen = item.state === "waiting" && !item.is_own;
    async function decide(rows, verdict) {
      const made = await ask("POST", "/review/decide/" + item.id, JSON.stringify({ rows: rows, verdict: verdict, reason: reason.value }));
      reason.sent();
      at("review-file").replaceChildren(fileCard(made));
      desk.say(made.state === "waiting" ? "还有 " + made.left + " 行待定" : made.state_zh);
      await showFiles();
    }
    function remark(told) {
      return el("div", { class: "review-remark is-" + told.kind }, [el("strong", { text: told.kind_zh + "：" }), (told.column && told.what.indexOf(told.column) < 0 ? told.column + "　" : "") + told.what]);
    }
    const rows = item.lines.map(function (row) {
      const figures = Object.entries(row.figures).map(function (pair) { return pair[0] + " " + pair[1]; }).join("；");
      const told = row.decision;
      return el("tr", { "data-row": row.n }, [
        el("th", { scope: "row", text: row.name || row.code }), cell(row.month, "nowrap"), cell((row.sheet ? row.sheet + " " : "") + "第 " + row.row + " 行"),
        cell(row.dataset_zh), cell(figures, "review-figures"),
        el("td", { class: "review-remarks" }, (row.is_nil ? [el("div", { class: "review-remark", text: "零报告：本月各项按 0 计" })] : []).concat(row.remarks.map(remark))),
        el("td", { class: "review-verdict" }, told
          ? [el("span", { class: "hand-in-state is-" + (told.verdict === "accept" ? "accepted" : "refused"), text: told.verdict === "accept" ? "● 采用" : "▲ 退回" }), el("div", { class: "note", text: told.by + "　" + told.at.slice(0, 16).replace("T", " ") + (told.reason ? "：" + told.reason : "") })]
          : isOpen ? [press("采用", "", function () { return decide([row.n], "accept"); }), press("退回", "", function () { return decide([row.n], "return"); })] : [el("span", { class: "note", text: item.state === "withdrawn" ? "已撤回" : "待定" })])
      ]);
    });
    return el("section", { class: "card card-wide", "aria-label": "审核 " + item.file_name }, [
      el("div", { class: "review-head" }, [
        el("h2", { text: item.file_name }),
        el("div", { class: "button-row" }, [
          el("a", { class: "button", href: "/review/original/" + item.id, download: true, text: "下载原件" }),
          press("收起", "", async function () { history.replaceState(history.state, "", address("")); at("review-file").replaceChildren(); })
        ])
      ]),
      el("p", { class: "note", text: item.county + "　" + item.months.join("、") + "　" + item.by + " 于 " + item.handed_in + " 报送　" + item.state_zh + "　共 " + item.rows + " 行，待定 " + item.left + " 行" + (item.unusable ? "，另有 " + item.unusable + " 处不能用，采用后会退回" : "") }),
      el("p", { class: "note hand-in-digest", text: "SHA-256 " + item.sha256 }),
      item.mended.length ? el("p", { class: "note", text: "报送人上传后在页面里改过：" + item.mended.join("；") }) : null
    ].concat(item.remarks.map(remark), [
      isOpen ? el("div", { class: "review-act" }, [
        el("label", { for: "review-reason", text: "原因" }), reason,
        el("div", { class: "button-row" }, [
          press(item.rows ? "采用其余 " + item.left + " 行" : "采用", "hand-in-main", async function () {
            if (!window.confirm("采用“" + item.file_name + "”其余的全部 " + item.left + " 行？采用后进入下一次运行。")) return;
            await decide(null, "accept");
          }),
          press(item.rows ? "退回其余 " + item.left + " 行" : "退回", "", async function () {
            if (!window.confirm("退回“" + item.file_name + "”其余的全部 " + item.left + " 行？")) return;
            await decide(null, "return");
          })
        ])
      ]) : null,
      item.is_own && item.state === "waiting" ? el("p", { class: "notice", text: "这份文件由您报送，须由另一人审核。" }) : null,
      table(["单位", "月份", "位置", "报表", "填报的数", "要留意", "决定"], rows, item.file_name + "的各行"),
      item.rows > item.lines.length ? el("p", { class: "note", text: "共 " + item.rows + " 行，此处为前 " + item.lines.length + " 行，有疑问的在前；其余可以一并决定，逐行的内容见原件。" }) : null,
      item.refused.length ? table(["位置", "列", "填的是", "不能用的原因"], item.refused.map(function (r) { return el("tr", {}, [cell((r.sheet ? r.sheet + " " : "") + "第 " + r.row + " 行"), cell(r.column), cell(r.value, "hand-in-value"), cell(r.what)]); }), "不能用的行") : null
    ]));
  }

  async function showQuestions() {
    const told = await ask("GET", "/review/questions?unit=" + (/^(\d{6}|\d{9})$/.test(setup.unit) ? setup.unit : ""));
    const rows = told.questions.map(questionRow);
    at("review-questions").replaceChildren(
      rows.length ? table(["类别", "单位", "月份", "报表", "数", "说明", "文件", "处理"], rows, "待确认的数和存疑") : el("p", { class: "note", text: "当前版本里没有待确认的数和存疑。" }),
      el("p", { class: "note", text: told.count > told.questions.length ? "共 " + told.count + " 处，此处为前 " + told.questions.length + " 处，未处理的在前。" : "" })
    );
  }
  function questionRow(item) {
    let act;
    if (item.answer) {
      act = [el("span", { class: "hand-in-state is-accepted", text: item.answer.kind + "，待运行" }), el("div", { class: "note", text: item.answer.by + "　" + item.answer.on + "：" + item.answer.reason })];
    } else {
      const reason = desk.kept("question:" + item.id, el("input", { type: "text", maxlength: "500", placeholder: "原因", "aria-label": item.name + item.month + "的原因" }));
      const say = async function (verdict) {
        const made = await ask("POST", "/review/answer/" + item.id, JSON.stringify({ verdict: verdict, reason: reason.value }));
        reason.sent();
        const old = at("review-questions").querySelector('[data-question="' + item.id + '"]');
        if (old) old.replaceWith(questionRow(made));
      };
      act = [reason, el("div", { class: "button-row" }, [press(item.kind === "held" ? "确认无误" : "核实无误", "", function () { return say("accept"); }), press("退回", "", function () { return say("return"); })])];
    }
    return el("tr", { "data-question": item.id }, [
      cell(item.kind_zh), el("td", {}, [el("span", { text: item.name }), el("div", { class: "note", text: item.code })]), cell(item.month, "nowrap"), cell(item.dataset_zh),
      cell(item.column ? item.column + " " + item.value : ""), cell(item.what), cell(item.file_name.split("/").pop() + (item.sheet ? " " + item.sheet : "") + " 第 " + item.row + " 行"),
      el("td", { class: "review-verdict" }, act)
    ]);
  }

  desk.page("review-page", function (page, told) {
    setup = told;
    const run = function (id, make) { make().catch(function (error) { desk.wrong(at(id).closest(".card") || at(id), error); }); };
    run("review-files", showFiles);
    run("review-questions", showQuestions);
    if (setup.file) run("review-file", function () { return showFile(setup.file); });
  });
})();
