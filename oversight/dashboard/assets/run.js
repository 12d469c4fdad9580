/* Ours: the page 运行. What waits, a run and how far it is, what it said, back to an edition of before. No library. */
(function () {
  "use strict";
  const desk = window.oversightDesk, at = desk.at, el = desk.el, ask = desk.ask, press = desk.press, table = desk.table, cell = desk.cell;
  const POLL = 1500;
  let page = null, wasOn = false;

  function span(seconds) {
    if (seconds < 90) return Math.max(1, Math.round(seconds)) + " 秒";
    return Math.round(seconds / 60) + " 分钟";
  }
  function showNow(told) {
    const place = at("run-now"), going = told.runs.find(function (run) { return run.state === "running"; });
    if (!told.now && !going) {
      const last = told.runs[0];
      place.replaceChildren(
        el("p", { text: last ? "最近一次：" + last.started + "　" + last.by + "　" + last.result : "还没有由页面启动过运行。" }),
        el("div", { class: "button-row run-buttons" }, [press("现在运行", "hand-in-main", async function () {
          await ask("POST", "/run/start");
          desk.say("已开始运行");
          await look();
        })])
      );
      return;
    }
    const now = told.now || {};
    const steps = (now.steps || []).map(function (step, n) {
      const is = step.seconds !== null ? "done" : n + 1 === now.number ? "now" : "later";
      let text = step.title;
      if (is === "done") text += "　" + span(step.seconds);
      if (is === "now") text += (now.total ? "　" + now.done + " / " + now.total : "") + "　已用 " + span(now.seconds) + (now.left !== null && now.seconds >= 5 ? "，约还需 " + span(now.left) : "");
      return el("li", { class: "run-step is-" + is, text: (is === "done" ? "● " : is === "now" ? "◆ " : "○ ") + text, "aria-current": is === "now" ? "step" : null });
    });
    place.replaceChildren(
      el("p", { role: "status", text: (going ? going.by + " 于 " + going.started + " 启动" : "由命令行或定时启动") + (now.left_in_all ? "，全部约还需 " + span(now.left_in_all) : "") + "。读者看到的仍是上一版，运行期间可以照常使用。" }),
      steps.length ? el("ol", { class: "run-steps" }, steps) : el("p", { class: "note", text: "正在启动…" }),
      now.total ? el("progress", { max: String(now.total), value: String(now.done), "aria-label": now.step }) : ""
    );
  }
  /* Whether it runs by itself, and every run: whoever may run sees also those that nobody pressed for. */
  async function showScheduled() {
    const told = await ask("GET", "/run/scheduled");
    at("run-scheduled").replaceChildren(
      el("p", { text: told.is_on ? "● 定时运行开着：有新文件时自动运行；" + told.next + " 另出上个月的通报草稿。" : "○ 定时运行没有开（调度服务没有启动）：新文件要在这里或用命令行运行。需要时请管理员启动。" }),
      told.runs.length ? table(["结果", "内容", "开始", "用时", "怎样启动"], told.runs.map(function (run) {
        return el("tr", {}, [el("td", {}, [el("span", { class: "hand-in-state is-" + (run.is_good ? "accepted" : "waiting"), text: run.result })]), cell(run.what), cell(run.started), cell(run.seconds === null ? "" : span(run.seconds)), cell(run.by)]);
      }), "各次运行") : el("p", { class: "note", text: "还没有运行过。" })
    );
  }
  function showRuns(told) {
    const rows = told.runs.map(function (run) {
      return el("tr", { "data-run": run.id, "data-state": run.state }, [
        el("td", {}, [el("span", { class: "hand-in-state is-" + ({ done: "accepted", failed: "refused", broken: "refused", running: "waiting" }[run.state]), text: run.state_zh })]),
        cell(run.started), cell(run.ended), cell(run.by), cell(run.result),
        el("td", {}, [press("记录", "", function () { return showLog(run.id); })])
      ]);
    });
    at("run-list").replaceChildren(rows.length ? table(["结果", "开始", "结束", "启动人", "说明", ""], rows, "由页面启动的运行") : el("p", { class: "note", text: "还没有由页面启动过运行。" }), el("div", { id: "run-log" }));
  }
  async function showLog(id) {
    const told = await ask("GET", "/run/log/" + id);
    at("run-log").replaceChildren(el("h3", { text: told.started + " 的记录" }), el("pre", { class: "run-said", tabindex: "0", text: told.said || "（没有记录）" }));
  }
  async function showWaiting() {
    const told = await ask("GET", "/run/waiting");
    const rows = told.files.map(function (file) { return el("tr", {}, [cell(file.name), cell(file.at), cell(Math.max(1, Math.round(file.bytes / 1024)) + " KB")]); });
    at("run-waiting").replaceChildren(
      el("p", { text: told.count ? "有 " + told.count + " 个文件等待运行。" : "没有等待运行的文件。" }),
      rows.length ? table(["文件", "放入时间", "大小"], rows, "等待运行的文件") : "",
      told.count > rows.length ? el("p", { class: "note", text: "此处为最近的 " + rows.length + " 个。" }) : ""
    );
  }
  async function showEditions() {
    const told = await ask("GET", "/run/editions");
    const reason = desk.kept("run-back", el("input", { type: "text", maxlength: "500", id: "run-reason", placeholder: "为什么要回到以前的版本", class: "run-reason" }));
    const rows = told.editions.map(function (item) {
      return el("tr", { "data-edition": item.id }, [
        el("td", {}, [el("span", { text: item.id }), item.restores ? el("div", { class: "note", text: "与 " + item.restores.edition_id + " 相同：" + item.restores.why + "（" + item.restores.by + "）" }) : null]),
        cell(item.built_at), cell(item.months), cell(item.files), cell(item.is_signed ? "已签名" : "未签名"),
        el("td", {}, [el("div", { class: "button-row button-row-left" }, [item.is_current ? el("strong", { text: "当前版本" }) : el("a", { class: "button", href: "/editions?older=" + encodeURIComponent(item.id), text: "看差别" }), item.is_current ? null : press("回到这一版", "", async function () {
          if (!reason.value.trim()) { reason.focus(); throw new Error("请先写明为什么要回到以前的版本。"); }
          if (!window.confirm("发布一个与 " + item.id + " 相同的新版本，所有人随即看到它。确定吗？")) return;
          const made = await ask("POST", "/run/back", JSON.stringify({ edition: item.id, reason: reason.value }));
          reason.sent();
          desk.say("已发布 " + made.edition);
          await showEditions();
        })])])
      ]);
    });
    at("run-editions").replaceChildren(
      el("div", { class: "review-act" }, [el("label", { for: "run-reason", text: "原因" }), reason]),
      rows.length ? table(["版本", "生成", "月份", "文件数", "签名", ""], rows, "以前的版本") : el("p", { class: "note", text: "还没有已发布的版本。" })
    );
  }
  async function look() {
    const told = await ask("GET", "/run/state"), isOn = !!told.now || told.is_on;
    const pressed = document.activeElement && at("run-now").contains(document.activeElement);
    showNow(told);
    if (pressed) at("run-now").querySelector("button") && at("run-now").querySelector("button").focus();
    if (isOn !== wasOn || !at("run-list").children.length) {
      wasOn = isOn;
      showRuns(told);
      await Promise.all([showWaiting(), showEditions(), showScheduled()]);
    }
  }
  function run(id, act) { return act().catch(function (error) { if (page.isConnected) desk.wrong(at(id).closest(".card"), error); }); }
  async function watch(own) {
    while (own === page && own.isConnected) {
      await new Promise(function (done) { setTimeout(done, POLL); });
      if (own === page && own.isConnected && document.visibilityState === "visible") await run("run-now", look);
    }
  }
  desk.page("run-page", function (found) { page = found; wasOn = false; run("run-now", look); watch(found); });
})();
