/** What an audit counts, over one channel of a client or over all of them. */
export interface Findings {
  deliveries: number;
  /** Acknowledged, never seen, and nothing was said about it. */
  lost: number;
  /** Seen again. */
  duplicated: number;
  /** Behind one that was published after it, or at another position than was acknowledged. */
  reordered: number;
  /** Jumps in the offsets that nothing was said about. */
  gaps: number;
  /** Never published, or of a channel that the client may not see. */
  strays: number;
  /** Times that the server said that something is missing. */
  resyncs: number;
  /** Acknowledged, never seen, and the server has said so. */
  excused: number;
  /** A few of the above in words, for who looks for the reason. */
  readonly examples: string[];
}

const MAX_EXAMPLES = 12;

export function noFindings(): Findings {
  return {
    deliveries: 0,
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

/** Adds what was found in a part; `where` says in which. */
export function addFindings(sum: Findings, part: Findings, where: string): void {
  sum.deliveries += part.deliveries;
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
