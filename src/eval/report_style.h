// report_style.h: style sheet and script of a report, kept apart from the code that fills it. Private to
// eval.
#pragma once

namespace earmark {

inline constexpr const char* kReportStyle = R"css(
:root { color-scheme: light dark; --paper: #fbfaf8; --card: #ffffff; --ink: #1d2430; --faint: #667085;
  --rule: #e3e1dc;
  --accent: #17688f; --bad: #b4472f; --on-accent: #ffffff;
  --c0: #17688f; --c1: #c8642b; --c2: #3f8f5b; --c3: #8a5bb0; --c4: #b03a5b; --c5: #7d7a2c; }
@media (prefers-color-scheme: dark) { :root { --paper: #14181d; --card: #1c2229; --ink: #e6e9ee;
  --faint: #98a2b3;
  --rule: #313944; --accent: #5db4dc; --bad: #e58468; --on-accent: #10151a;
  --c0: #5db4dc; --c1: #f0a070; --c2: #7fca98; --c3: #bf9be0; --c4: #ea8ba5; --c5: #c9c56f; } }
* { box-sizing: border-box; }
body { margin: 0; background: var(--paper); color: var(--ink); font: 15px/1.5 system-ui, sans-serif; }
main { max-width: 1080px; margin: 0 auto; padding: 32px 20px 64px; }
h1 { font-size: 1.7rem; margin: 0 0 8px; overflow-wrap: anywhere; }
h2 { font-size: 1.15rem; margin: 40px 0 12px; }
h3 { font-size: 1rem; margin: 20px 0 4px; }
.facts { display: flex; flex-wrap: wrap; gap: 4px 24px; margin: 0; color: var(--faint); }
.facts div { display: flex; gap: 6px; } .facts dd { margin: 0; color: var(--ink); overflow-wrap: anywhere; }
.cards { display: grid; grid-template-columns: repeat(auto-fill, minmax(190px, 1fr)); gap: 12px; }
.card { background: var(--card); border: 1px solid var(--rule); border-radius: 10px; padding: 12px 14px; }
.card b { display: block; font-size: 1.6rem; line-height: 1.25; font-variant-numeric: tabular-nums; }
.card small, .note { color: var(--faint); }
.span { display: block; position: relative; height: 4px; margin-top: 8px; border-radius: 2px;
  background: var(--rule); }
.span i { position: absolute; top: 0; bottom: 0; min-width: 2px; border-radius: 2px;
  background: var(--accent); }
.scroll { overflow-x: auto; background: var(--card); border: 1px solid var(--rule); border-radius: 10px; }
table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums; }
th, td { padding: 6px 12px; text-align: right; border-bottom: 1px solid var(--rule); }
tbody tr:last-child td { border-bottom: 0; }
td.name, th.name { text-align: left; overflow-wrap: anywhere; }
th button { font: inherit; font-weight: 600; color: inherit; background: none; border: 0; padding: 0;
  cursor: pointer; }
th[aria-sort="ascending"] button::after { content: " \2191"; }
th[aria-sort="descending"] button::after { content: " \2193"; }
td.bar { background: linear-gradient(90deg, color-mix(in srgb, var(--accent) 22%, transparent) var(--w, 0%), transparent 0); }
svg { display: block; width: 100%; height: auto; } svg text { fill: var(--faint); font-size: 11px; }
.chart { max-width: 720px; } .grid { stroke: var(--rule); } .line { fill: none; stroke: currentColor;
  stroke-width: 2; stroke-linejoin: round; }
.dot { fill: currentColor; } .sheet { fill: var(--card); stroke: var(--rule); }
.right { fill: var(--accent); } .wrong { fill: var(--bad); }
svg text.figure { fill: var(--ink); } svg text.strong { fill: var(--on-accent); }
.s0 { color: var(--c0); } .s1 { color: var(--c1); } .s2 { color: var(--c2); } .s3 { color: var(--c3); }
.s4 { color: var(--c4); } .s5 { color: var(--c5); }
.legend { display: flex; flex-wrap: wrap; gap: 4px 18px; margin: 4px 0 0 56px; }
.legend i { display: inline-block; width: 14px; height: 3px; margin-right: 6px; vertical-align: middle;
  background: currentColor; }
details { background: var(--card); border: 1px solid var(--rule); border-radius: 10px; padding: 10px 14px; }
summary { cursor: pointer; font-weight: 600; } pre { overflow-x: auto; font-size: 13px; }
)css";

// Sorts a table by the column whose heading is pressed; undefined values stay last.
inline constexpr const char* kReportScript = R"js(
document.querySelectorAll("table.sortable th button").forEach(function (button) {
  button.addEventListener("click", function () {
    var head = button.parentNode, body = head.closest("table").tBodies[0], column = head.cellIndex;
    var up = head.getAttribute("aria-sort") === "descending" ||
      (head.className === "name" && !head.hasAttribute("aria-sort"));
    Array.prototype.forEach.call(head.parentNode.cells, function (cell) {
      cell.removeAttribute("aria-sort");
    });
    head.setAttribute("aria-sort", up ? "ascending" : "descending");
    var value = function (row) { return row.cells[column].getAttribute("data-value"); };
    Array.prototype.slice.call(body.rows).sort(function (a, b) {
      var x = value(a), y = value(b);
      if (x === "" || y === "") { return (x === "") - (y === ""); }
      var order = head.className === "name" ? x.localeCompare(y) : parseFloat(x) - parseFloat(y);
      return up ? order : -order;
    }).forEach(function (row) { body.appendChild(row); });
  });
});
)js";

}  // namespace earmark
