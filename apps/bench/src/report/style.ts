/** Follows the reader's choice of light or dark. */
export const STYLE = `
:root {
  color-scheme: light dark;
  --page: #ffffff; --card: #f8f9fa; --stripe: #f1f3f5; --line: #dee2e6; --text: #1a1d21;
  --soft: #5c6570; --own: #0b7285; --peer: #9aa5b1; --floor: #b58900; --good: #2b8a3e;
  --warn: #b35c00; --bad: #c92a2a; --ink: #343a40;
}
@media (prefers-color-scheme: dark) {
  :root {
    --page: #14171a; --card: #1b1f23; --stripe: #22272c; --line: #363d44; --text: #e6e9ec;
    --soft: #9aa4ae; --own: #3bc9db; --peer: #6c7883; --floor: #e0b040; --good: #69db7c;
    --warn: #ffa94d; --bad: #ff8787; --ink: #ced4da;
  }
}
* { box-sizing: border-box }
body { margin: 0; background: var(--page); color: var(--text);
  font: 15px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, sans-serif }
main { max-width: 1240px; margin: 0 auto; padding: 32px 24px 64px }
h1 { font-size: 28px; margin: 0 0 4px } h2 { font-size: 20px; margin: 48px 0 4px }
h3 { font-size: 15px; margin: 24px 0 8px } p { margin: 4px 0 12px; max-width: 80ch }
.soft, .spread { color: var(--soft) } a { color: var(--own) }
nav { display: flex; flex-wrap: wrap; gap: 6px 16px; margin: 16px 0 24px }
.notice { border-left: 4px solid var(--warn); background: var(--card); padding: 8px 12px }
.chart, .scroll { overflow-x: auto }
.chart { border: 1px solid var(--line); border-radius: 8px; padding: 12px 12px 4px; background: var(--page) }
svg { display: block; width: 100%; min-width: 900px; height: auto; font-size: 12.5px }
svg text { fill: var(--text) } svg .stripe { fill: var(--card) }
svg .label.own { font-weight: 650; fill: var(--own) } svg .head { fill: var(--soft); font-size: 12px }
svg .value { font-variant-numeric: tabular-nums } svg .tick { fill: var(--soft); font-size: 10.5px }
svg .bar { fill: var(--peer) } svg .bar.own { fill: var(--own) } svg .bar.floor-bar { fill: var(--floor) }
svg .bar.behind { fill: var(--warn) } svg .track { fill: var(--line) }
svg .grid { stroke: var(--line); stroke-width: 1 }
svg .floor { stroke: var(--floor); stroke-width: 1.5; stroke-dasharray: 4 3 }
svg .whisker { stroke: var(--ink); stroke-width: 1.5; opacity: .75 }
svg .latency { fill: var(--peer) } svg .latency.own { fill: var(--own) } svg .latency.floor-bar { fill: var(--floor) }
svg .latency .range { stroke: currentColor; stroke-width: 2; opacity: .3 }
svg .reason { fill: var(--soft); font-size: 12px } svg .reason.failed { fill: var(--bad) }
table { border-collapse: collapse; width: 100%; font-size: 13px; font-variant-numeric: tabular-nums }
th { text-align: left; font-weight: 600; color: var(--soft); vertical-align: bottom; line-height: 1.25 }
th, td { padding: 5px 10px 5px 0; border-bottom: 1px solid var(--line); white-space: nowrap }
th { white-space: normal } td.number, th.number { text-align: right }
td.number .spread { display: block; font-size: 11px; line-height: 1.2 }
tr.own td:first-child { font-weight: 650; color: var(--own) }
td.held { color: var(--good) } td.behind { color: var(--warn) } td.failed { color: var(--bad) }
td.unavailable { color: var(--soft) } td.reason { white-space: normal; max-width: 220px }
td.number { padding-left: 2px }
details { margin-top: 12px } summary { cursor: pointer; color: var(--soft) }
dl { display: grid; grid-template-columns: max-content 1fr; gap: 4px 20px; margin: 8px 0 }
dt { color: var(--soft) } dd { margin: 0; overflow-wrap: anywhere }
code, pre { font: 13px/1.5 ui-monospace, SFMono-Regular, Menlo, Consolas, monospace }
pre { background: var(--card); border: 1px solid var(--line); border-radius: 8px; padding: 12px; overflow-x: auto }
@media (max-width: 600px) { main { padding: 20px 12px } }
`;
