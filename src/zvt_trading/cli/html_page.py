"""The frame, style and script of the HTML report. Times and numbers come ready from Python."""

PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>$title</title>
<style>$style</style>
</head>
<body>
<header>$header</header>
<main>
<div class="cards">$cards</div>
$plots
<div class="tables">$tables</div>
<section id="fills">
<h2>Fills <small id="count"></small></h2>
<div class="pager">
<input id="filter" type="search" placeholder="Filter: order, venue, symbol, side"
 aria-label="Filter fills">
<button id="back" type="button" aria-label="Previous page">&lsaquo;</button>
<button id="next" type="button" aria-label="Next page">&rsaquo;</button>
</div>
<div class="scroll"><table><thead><tr>
<th>time (UTC)</th><th>order</th><th>trade</th><th>portfolio</th><th>venue</th><th>symbol</th>
<th>side</th><th class="n">quantity</th><th class="n">price</th><th class="n">fee</th>
<th>liquidity</th><th class="n">slippage bps</th>
</tr></thead><tbody id="rows"></tbody></table></div>
</section>
</main>
<script type="application/json" id="data">$data</script>
<script>$library</script>
<script>$script</script>
</body>
</html>
"""

STYLE = """
:root {
  --page: #f5f6f8; --card: #ffffff; --text: #16191f; --muted: #646c7a; --rule: #e3e6eb;
  --grid: #eceef2; --buy: #0a8f6a; --sell: #d1433f; --sell-soft: rgba(209, 67, 63, .14);
  --line-1: #2f6fde; --line-2: #8a5cd6; --line-3: #c98a10; --line-4: #1b9aaa;
  --line-2-soft: rgba(138, 92, 214, .14); --good: #e2f4ed; --bad: #fbe6e5;
}
@media (prefers-color-scheme: dark) {
  :root {
    --page: #0e1116; --card: #161b22; --text: #e6e9ef; --muted: #8d97a6; --rule: #262d37;
    --grid: #212832; --buy: #35c897; --sell: #f2716b; --sell-soft: rgba(242, 113, 107, .18);
    --line-1: #6ea4ff; --line-2: #b294f5; --line-3: #e5b454; --line-4: #4fc8d6;
    --line-2-soft: rgba(178, 148, 245, .16); --good: #12352a; --bad: #421d1d;
  }
}
* { box-sizing: border-box; }
body {
  margin: 0; background: var(--page); color: var(--text);
  font: 15px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", sans-serif;
}
header, main { max-width: 1180px; margin: 0 auto; padding: 0 20px; }
header { padding-top: 28px; }
h1 { font-size: 26px; line-height: 1.25; margin: 0 12px 6px 0; display: inline-block; }
h2 { font-size: 15px; font-weight: 600; margin: 0 0 10px; }
h2 small { color: var(--muted); font-weight: 400; }
header p { color: var(--muted); margin: 4px 0 0; overflow-wrap: anywhere; }
header .problem { color: var(--sell); font-weight: 600; }
.badges { display: inline-flex; flex-wrap: wrap; gap: 8px; vertical-align: 4px; }
.badge { border-radius: 99px; padding: 2px 11px; font-size: 13px; font-weight: 600; }
.good { background: var(--good); color: var(--buy); }
.bad { background: var(--bad); color: var(--sell); }
.cards {
  display: grid; gap: 12px; margin: 20px 0 12px;
  grid-template-columns: repeat(4, 1fr);
}
.card, section {
  background: var(--card); border: 1px solid var(--rule); border-radius: 10px;
}
.card { padding: 12px 14px; display: flex; flex-direction: column; }
.card span, .card small, .note { color: var(--muted); font-size: 13px; }
.card b { font-size: 20px; font-variant-numeric: tabular-nums; line-height: 1.4; }
.up { color: var(--buy); }
.down { color: var(--sell); }
section { padding: 16px 18px; margin: 0 0 12px; min-width: 0; }
.tables { display: flex; flex-wrap: wrap; gap: 12px; margin-bottom: 12px; }
.tables section { flex: 1 1 min(400px, 100%); margin: 0; }
.tables .wide { flex-basis: 100%; }
.plot { height: 230px; }
.plot.tall { height: 400px; }
.note { margin: -4px 0 10px; overflow-wrap: anywhere; }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; width: 100%; font-size: 13.5px; white-space: nowrap; }
th, td { text-align: left; padding: 6px 14px 6px 0; border-bottom: 1px solid var(--rule); }
th { color: var(--muted); font-weight: 500; }
tr:last-child td { border-bottom: 0; }
th:last-child, td:last-child { padding-right: 2px; }
.n { text-align: right; font-variant-numeric: tabular-nums; }
.none { color: var(--muted); }
.pager { display: flex; gap: 8px; margin-bottom: 8px; }
.pager input { flex: 1; min-width: 0; max-width: 340px; }
.pager input, .pager button {
  font: inherit; font-size: 14px; color: inherit; background: var(--page);
  border: 1px solid var(--rule); border-radius: 7px; padding: 5px 12px;
}
.pager button:disabled { opacity: .35; }
@media (max-width: 600px) {
  header, main { padding-left: 10px; padding-right: 10px; }
  h1 { font-size: 21px; }
  section { padding: 12px; }
  .cards { grid-template-columns: repeat(2, 1fr); gap: 8px; }
  .card b { font-size: 17px; }
  .plot.tall { height: 320px; }
}
"""

SCRIPT = """
"use strict";
const data = JSON.parse(document.getElementById("data").textContent);
const plots = [...document.querySelectorAll(".plot")];
const dark = matchMedia("(prefers-color-scheme: dark)");
const touch = matchMedia("(pointer: coarse)").matches;

const times = data.figures.flatMap((figure) => figure.data.flatMap(
  (trace) => trace.x.length ? [trace.x[0], trace.x[trace.x.length - 1]] : []));
const start = times.reduce((a, b) => Math.min(a, b), Infinity);
const end = times.reduce((a, b) => Math.max(a, b), -Infinity);
const edge = (end - start) * 0.01;
const period = start < end ? { range: [start - edge, end + edge] } : {};

function resolved(value) {
  if (typeof value === "string" && value.startsWith("var(--")) {
    const name = value.slice(4, -1);
    return getComputedStyle(document.documentElement).getPropertyValue(name).trim();
  }
  if (Array.isArray(value)) return value.map(resolved);
  if (value && typeof value === "object") {
    return Object.fromEntries(Object.entries(value).map(([k, v]) => [k, resolved(v)]));
  }
  return value;
}

function layout(own) {
  const axis = { gridcolor: "var(--grid)", linecolor: "var(--rule)", zeroline: false };
  return resolved({
    ...own,
    margin: { l: 64, r: 8, t: 8, b: 40 },
    paper_bgcolor: "rgba(0,0,0,0)",
    plot_bgcolor: "rgba(0,0,0,0)",
    font: { color: "var(--muted)", size: 12, family: getComputedStyle(document.body).fontFamily },
    hoverlabel: { bgcolor: "var(--card)", bordercolor: "var(--rule)",
                  font: { color: "var(--text)" }, align: "left" },
    hovermode: "closest",
    dragmode: touch ? false : "zoom",
    legend: { orientation: "h", x: 0, y: 1.02, yanchor: "bottom" },
    xaxis: { ...axis, type: "date", automargin: true, ...period },
    yaxis: { ...axis, automargin: true, ...own.yaxis },
  });
}

function draw() {
  plots.forEach((plot, i) => {
    const figure = data.figures[i];
    Plotly.react(plot, resolved(figure.data), layout(figure.layout),
                 { responsive: true, displaylogo: false, displayModeBar: false });
  });
}

function link() {
  let busy = false;
  plots.forEach((plot) => plot.on("plotly_relayout", (change) => {
    const zoomed = "xaxis.range[0]" in change;
    if (busy || !(zoomed || change["xaxis.autorange"])) return;
    busy = true;
    const update = zoomed
      ? { "xaxis.range": [change["xaxis.range[0]"], change["xaxis.range[1]"]] }
      : "range" in period ? { "xaxis.range": [...period.range] } : { "xaxis.autorange": true };
    Promise.all(plots.filter((other) => other !== plot)
      .map((other) => Plotly.relayout(other, update))).finally(() => { busy = false; });
  }));
}

const PAGE_ROWS = 50, NUMBERS = new Set([7, 8, 9, 11]), SIDE = 6;
const rows = document.getElementById("rows"), filter = document.getElementById("filter");
const back = document.getElementById("back"), next = document.getElementById("next");
let first = 0, chosen = data.fills;

function show() {
  rows.replaceChildren(...chosen.slice(first, first + PAGE_ROWS).map((fill) => {
    const row = document.createElement("tr");
    row.append(...fill.map((text, i) => {
      const cell = document.createElement("td");
      cell.textContent = text;
      if (NUMBERS.has(i)) cell.className = "n";
      if (i === SIDE) cell.className = text === "buy" ? "up" : "down";
      return cell;
    }));
    return row;
  }));
  const last = Math.min(first + PAGE_ROWS, chosen.length);
  document.getElementById("count").textContent =
    chosen.length ? `${first + 1} to ${last} of ${chosen.length}` : "none";
  back.disabled = first === 0;
  next.disabled = last >= chosen.length;
}

filter.addEventListener("input", () => {
  const words = filter.value.toLowerCase().split(/\\s+/).filter(Boolean);
  chosen = data.fills.filter((fill) => {
    const text = fill.join(" ").toLowerCase();
    return words.every((word) => text.includes(word));
  });
  first = 0;
  show();
});
back.addEventListener("click", () => { first -= PAGE_ROWS; show(); });
next.addEventListener("click", () => { first += PAGE_ROWS; show(); });
dark.addEventListener("change", draw);
draw();
link();
show();
"""
