/** The counts of an audit, for one channel of a client or for all. */
export interface Findings {
  deliveries: number;
  /** Live-only events that were seen, which are not among the deliveries. */
  live: number;
  /** Acknowledged events that were not seen, without a report of the server. */
  lost: number;
  /** Events seen more than once. */
  duplicated: number;
  /** Events after a later one, or at a position other than the acknowledged one. */
  reordered: number;
  /** Jumps in the offsets without a report of the server. */
  gaps: number;
  /** Events that were never published, or whose channel the client may not see. */
  strays: number;
  /** Reports of the server that something is missing. */
  resyncs: number;
  /** Acknowledged events that the server reported as missing. */
  excused: number;
  /** Descriptions of a few findings. */
  readonly examples: string[];
}

const MAX_EXAMPLES = 12;

export function noFindings(): Findings {
  return {
    deliveries: 0,
    live: 0,
    lost: 0,
    duplicated: 0,
    reordered: 0,
    gaps: 0,
    strays: 0,
    resyncs: 0,
    excused: 0,
    examples: [],
  };
}

/** Adds the findings of a part to the sum; `where` names the part in the examples. */
export function addFindings(sum: Findings, part: Findings, where: string): void {
  sum.deliveries += part.deliveries;
  sum.live += part.live;
  sum.lost += part.lost;
  sum.duplicated += part.duplicated;
  sum.reordered += part.reordered;
  sum.gaps += part.gaps;
  sum.strays += part.strays;
  sum.resyncs += part.resyncs;
  sum.excused += part.excused;
  for (const example of part.examples) addExample(sum, `${where}: ${example}`);
}

export function addExample(findings: Findings, example: string): void {
  if (findings.examples.length < MAX_EXAMPLES) findings.examples.push(example);
}
