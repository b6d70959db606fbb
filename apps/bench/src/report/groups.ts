import type { CaseResult } from '../results/results.ts';

/** Cases that are shown together, because they differ in one respect only. */
export interface Group {
  /** The common label of the cases; empty when there is only one group. */
  readonly title: string;
  readonly rows: readonly ChartRow[];
}

export interface ChartRow {
  readonly label: string;
  readonly each: CaseResult;
}

/**
 * Groups several targets by rate, and a single target's rates together. A target that did not run
 * has a row at every rate.
 */
export function groupCases(cases: readonly CaseResult[]): Group[] {
  if (new Set(cases.map(({ target }) => target)).size <= 1) {
    const rows = cases.map((each) => ({ label: join(each.setup, each.part || each.step), each }));
    return [{ title: '', rows }];
  }
  const groups = Map.groupBy(
    cases.filter(({ step }) => step !== ''),
    ({ setup, step }) => join(setup, step),
  );
  return [...groups].map(([title, members]) => {
    const setup = members[0]?.setup;
    const absent = cases.filter((each) => each.step === '' && each.setup === setup);
    return {
      title,
      rows: [...members, ...absent].map((each) => ({ label: join(each.target, each.part), each })),
    };
  });
}

/** Whether the case has figures. */
export function hasFigures({ verdict }: CaseResult): boolean {
  return verdict === 'held' || verdict === 'behind';
}

function join(...parts: readonly string[]): string {
  return parts.filter((part) => part !== '').join(' · ');
}
