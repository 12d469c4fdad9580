/* Ours: 办理 on the page 月报. Drafts, their way to an issued paper, and the bureau's own wording. No library. */
(function () {
  "use strict";
  const desk = window.oversightDesk, at = desk.at, el = desk.el, ask = desk.ask, press = desk.press, table = desk.table, cell = desk.cell;
  const POLL = 900, STEP_ZH = { drafted: "起草", submitted: "送审", reviewed: "审核", returned: "退回", issued: "印发", withdrawn: "撤回" };
  let page = null, setup = null, texts = null;

  async function wait(job, place, text) {
    const began = Date.now();
    for (;;) {
      const told = await ask("GET", "/papers/job/" + job);
      if (told.is_done) { place.replaceChildren(); return told; }
      place.replaceChildren(el("p", { role: "status", class: "note", text: text + "，已 " + Math.round((Date.now() - began) / 1000) + " 秒…" }));
      await new Promise(function (done) { setTimeout(done, POLL); });
      if (!page.isConnected) throw new Error("页面已离开，事情仍在进行。");
    }
  }
  async function step(told, place, text) {
    const made = await ask("POST", "/papers/step", JSON.stringify(told));
    const done = made.job ? await wait(made.job, place, text) : made;
    await showList();
    if (done.told && done.told.length) at("paper-list").prepend(el("div", { class: "notice", role: "status" }, [el("span", { text: done.told.join("；") })]));
    desk.say(text + "，已完成");
  }
  function choose(id, label, options, chosen) {
    return el("label", { class: "hand-in-month" }, [el("span", { text: label }), el("select", { id: id }, options.map(function (o) { return el("option", { value: o[0], text: o[1], selected: o[0] === chosen }); }))]);
  }
  function showMake() {
    if (setup.may.indexOf("make_report") < 0 || !setup.scopes.length) return;
    const place = el("div", { class: "paper-wait" }), late = el("input", { type: "checkbox", id: "paper-late" });
    at("paper-make").replaceChildren(el("div", { class: "paper-make" }, [
      choose("paper-scope", "地区", setup.scopes, setup.unit), choose("paper-month", "月份", setup.months, setup.month),
      el("label", { class: "hand-in-month" }, [late, el("span", { text: "数据未齐也起草（只供看样子，不能审核）" })]),
      press("起草", "hand-in-main", function () {
        return step({ step: "draft", scope: at("paper-scope").value, month: at("paper-month").value, provisional: late.checked }, place, "正在起草");
      }),
      press("文字与设置", "", showTexts)
    ]), place);
  }
  function acts(item) {
    const of = { scope: item.scope, month: item.month, read: item.stamp, version: item.version }, key = item.month + item.scope + item.version;
    const place = el("div", { class: "paper-wait" });
    const has = function (name) { return item.steps.indexOf(name) >= 0; };
    const note = has("review") || has("return") || has("withdraw") ? desk.kept("paper:" + key, el("input", { type: "text", maxlength: "500", placeholder: has("withdraw") ? "撤回的原因" : "意见；退回须写原因", "aria-label": item.title + "的意见" })) : null;
    const number = has("issue") ? el("input", { type: "number", min: "1", class: "paper-number", placeholder: "号（不写取下一个）", "aria-label": item.title + "文号里的号" }) : null;
    const signed = has("issue") ? el("label", { class: "paper-signed" }, [el("span", { class: "note", text: "签发日期" }), el("input", { type: "date", title: "领导签发的日期，即成文日期；不写署今天", "aria-label": item.title + "的签发日期" })]) : null;
    const one = function (name, text, kind, doing, sure) {
      return has(name) ? press(text, kind, async function () {
        if (sure && !window.confirm(sure)) return;
        const more = { step: name, note: note ? note.value : "" };
        if (name === "issue" && number.value) more.number = Number(number.value);
        if (name === "issue") more.signed_on = signed.querySelector("input").value;
        await step(Object.assign({}, of, more), place, doing);
        if (note) note.sent();
      }) : null;
    };
    return [note, number, signed, el("div", { class: "button-row" }, [
      one("submit", "送审", "hand-in-main", "正在送审"), one("review", "审核通过", "hand-in-main", "正在审核"), one("return", "退回", "", "正在退回"),
      one("issue", "印发", "hand-in-main", "正在印发", "印发" + item.title + "通报？署签发日期（不写即今天），编号后不能再改，有变化只能更正。"),
      one("deliver", "发送", "", "正在发送", "按设置发送" + item.title + "通报？每个接收方每件只发一次。"),
      one("withdraw", "撤回", "", "正在撤回", "撤回" + item.title + "通报？文件保留并标明已撤回。"),
      has("draft") ? press("重新起草", "", function () { return step(Object.assign({}, of, { step: "draft" }), place, "正在起草"); }) : null
    ]), place];
  }
  async function showList() {
    const told = await ask("GET", "/papers/list");
    const rows = told.papers.filter(function (item) { return item.steps.length || item.version === 0; }).map(function (item) {
      return el("tr", { "data-paper": item.month + "/" + item.scope + "/" + item.version, "data-state": item.state }, [
        el("td", {}, [el("span", { text: item.title }), item.document_no ? el("div", { class: "note", text: item.document_no }) : null, item.problems.length ? el("div", { class: "note", text: "数据不齐：" + item.problems.join("；") }) : null]),
        el("td", {}, [el("span", { class: "hand-in-state is-" + ({ issued: "accepted", reviewed: "accepted", returned: "refused" }[item.state] || "waiting"), text: item.state_zh })].concat(item.events.slice(-4).map(function (e) {
          return el("div", { class: "note", text: e.at + "　" + (STEP_ZH[e.step] || e.step) + "　" + e.by + (e.note ? "：" + e.note : "") });
        }), item.sent_to.length ? [el("div", { class: "note", text: "已发给：" + item.sent_to.join("、") })] : [])),
        el("td", {}, [item.read ? press("阅读", "", async function () { read(item.read, item.title + "　" + item.state_zh); }) : null]),
        el("td", { class: "review-verdict" }, acts(item))
      ]);
    });
    at("paper-list").replaceChildren(rows.length ? table(["通报", "状态", "内容", "办理"], rows, "办理中的通报") : el("p", { class: "note", text: "没有办理中的通报。" }), el("div", { id: "paper-read" }));
  }
  function read(address, title) {
    const place = at("paper-read");
    place.replaceChildren(el("div", { class: "review-head" }, [el("h3", { text: title }), press("收起", "", async function () { place.replaceChildren(); })]),
      el("iframe", { src: address, title: title, class: "reading", sandbox: "allow-scripts" }));
    place.scrollIntoView({ block: "start" });
  }
  async function showTexts() {
    texts = (await ask("GET", "/papers/texts")).texts;
    const place = at("paper-texts");
    const name = el("select", { id: "paper-text-name" }, texts.map(function (t) { return el("option", { value: t.name, text: (t.name === "report.toml" ? "设置 report.toml" : "文字 " + t.name) + (t.is_own ? "（已改）" : "") }); }));
    const field = el("textarea", { rows: "16", id: "paper-text", spellcheck: "false", class: "paper-text" });
    const given = el("pre", { class: "run-said", tabindex: "0" }), line = el("div", { class: "paper-wait" }), shown = el("div", { id: "paper-preview" });
    const now = function () { return texts.find(function (t) { return t.name === name.value; }); };
    const draft = function () { return "oversight:paper-text:" + name.value; };
    const fill = function () {
      const kept = sessionStorage.getItem(draft());
      field.value = kept === null ? now().text : kept;
      given.textContent = now().default;
      shown.replaceChildren();
    };
    name.addEventListener("change", fill);
    field.addEventListener("input", function () { sessionStorage.setItem(draft(), field.value); });
    place.replaceChildren(
      el("div", { class: "review-head" }, [el("h3", { text: "文字与设置" }), press("收起", "", async function () { place.replaceChildren(); })]),
      el("p", { class: "note", text: "设置只写要改的项，其余照默认；文字清空后保存就回到默认。双大括号里取自数据。改动对以后起草的通报生效，已送审的要重新起草。" }),
      el("label", { class: "hand-in-month" }, [el("span", { text: "改哪一份" }), name]),
      el("label", { for: "paper-text", class: "visually-hidden", text: "内容" }), field,
      el("details", {}, [el("summary", { text: "看默认的内容" }), given]),
      el("div", { class: "button-row" }, [
        press("预览", "hand-in-main", async function () {
          const made = await ask("POST", "/papers/preview", JSON.stringify({ name: name.value, text: field.value, scope: at("paper-scope").value, month: at("paper-month").value }));
          const done = await wait(made.job, line, "正在生成预览");
          shown.replaceChildren(el("iframe", { src: done.page, title: "预览", class: "reading", sandbox: "allow-scripts" }));
        }),
        press("保存", "", async function () {
          const told = await ask("POST", "/papers/save", JSON.stringify({ name: name.value, text: field.value, read: now().text }));
          sessionStorage.removeItem(draft());
          texts = told.texts;
          field.value = now().text;
          line.replaceChildren(el("p", { role: "status", class: "note", text: "已保存。" }));
        }),
        press("还原", "", async function () { sessionStorage.removeItem(draft()); fill(); })
      ]), line, shown
    );
    fill();
    place.scrollIntoView({ block: "start" });
  }
  desk.page("paper-page", function (found, told) {
    page = found;
    setup = told;
    showMake();
    showList().catch(function (error) { desk.wrong(at("paper-list").closest(".card"), error); });
  });
})();
