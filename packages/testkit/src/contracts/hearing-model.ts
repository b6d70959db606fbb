import { readFileSync } from 'node:fs';

const PROTOCOL = new URL('../../../protocol/PROTOCOL.md', import.meta.url);
const TABLE_HEAD = '| step |';

/** What a session does, or what happens to it; each is a row of the table in rule HR. */
export type HearingStep =
  | { readonly kind: 'subscribe' | 'unsubscribe' | 'resume'; readonly project: string }
  | { readonly kind: 'auth'; readonly projects: readonly string[] }
  | { readonly kind: 'grant begins' | 'grant ends'; readonly project: string };

export type Beginning = 'takes all' | 'one project' | 'no project';

interface Row {
  readonly takesAll: string;
  readonly chosen: string;
  readonly rights: string;
}

/** The words that the table may use. */
const TAKES_ALL: Readonly<Record<string, (model: HearingModel) => boolean>> = {
  yes: () => true,
  no: () => false,
  'as before': (model) => model.takesAll,
};
const CHOSEN: Readonly<Record<string, (model: HearingModel, project: string) => string[]>> = {
  none: () => [],
  P: (_, project) => [project],
  'P too': (model, project) => [...model.chosen, project],
  'P too, unless it is heard': (model, project) =>
    model.hears(project) ? [...model.chosen] : [...model.chosen, project],
  'all that are taken by name, without P': (model, project) =>
    [...model.chosen, ...(model.takesAll ? model.named : [])].filter((each) => each !== project),
  'as before': (model) => [...model.chosen],
};
const RIGHTS: Readonly<Record<string, (model: HearingModel, step: HearingStep) => void>> = {
  'of the token': () => {},
  'as before': () => {},
  'of the fresh token and the grants': (model, step) => {
    if (step.kind === 'auth') model.token = step.projects;
  },
  'with P': (model, step) => {
    if (!('project' in step)) return;
    model.grants = [...model.grants.filter((each) => each !== step.project), step.project];
  },
  'without P, unless the token has it': (model, step) => {
    if ('project' in step) model.grants = model.grants.filter((each) => each !== step.project);
  },
};

/** What a session hears, by the table of rule HR in PROTOCOL.md; `*` stands for all projects. */
export class HearingModel {
  takesAll = false;
  chosen: ReadonlySet<string> = new Set();
  token: readonly string[];
  /** Projects with a grant, the oldest grant first. */
  grants: readonly string[] = [];
  readonly #rows = tableRows();
  /** The only project that is offered; undefined when all are. */
  readonly #own: string | undefined;
  readonly #firehose: boolean;

  constructor(
    begins: Beginning,
    init: { readonly token: readonly string[]; readonly own: string; readonly firehose: boolean },
  ) {
    this.token = init.token;
    this.#firehose = init.firehose;
    this.#own = begins === 'one project' ? init.own : undefined;
    this.#change(begins, init.own);
  }

  /** The projects that the token names. */
  get named(): readonly string[] {
    return this.token.filter((each) => each !== '*');
  }

  mayHear(project: string): boolean {
    return [...this.token, ...this.grants].some((each) => each === project || each === '*');
  }

  hears(project: string): boolean {
    const isGiven = this.named.includes(project) || (this.token.includes('*') && this.#firehose);
    return this.mayHear(project) && (this.chosen.has(project) || (this.takesAll && isGiven));
  }

  /** Whether the server carries the step out; it refuses it otherwise, and nothing changes. */
  allows(step: HearingStep): boolean {
    if (!('project' in step) || step.kind.startsWith('grant')) return true;
    if (this.#own !== undefined && this.#own !== step.project) return false;
    return step.kind === 'unsubscribe' || this.mayHear(step.project);
  }

  apply(step: HearingStep): void {
    if (!this.allows(step)) return;
    const { rights } = this.#rowOf(step.kind);
    this.#change(step.kind, 'project' in step ? step.project : '');
    wordIn(RIGHTS, rights)(this, step);
  }

  #change(row: string, project: string): void {
    const { takesAll, chosen } = this.#rowOf(row);
    const next = wordIn(CHOSEN, chosen)(this, project);
    this.takesAll = wordIn(TAKES_ALL, takesAll)(this);
    this.chosen = new Set(next);
  }

  #rowOf(name: string): Row {
    return wordIn(Object.fromEntries(this.#rows), name);
  }
}

/** The rows of the table by the name in bold in their first cell. */
function tableRows(): ReadonlyMap<string, Row> {
  const lines = readFileSync(PROTOCOL, 'utf8').split('\n');
  const start = lines.findIndex((line) => line.trim().startsWith(TABLE_HEAD)) + 2;
  const rows = lines.slice(
    start,
    lines.findIndex((line, at) => at > start && line.trim() === ''),
  );
  return new Map(rows.map(readRow));
}

function readRow(line: string): [string, Row] {
  const [, step = '', takesAll = '', chosen = '', rights = ''] = line
    .split('|')
    .map((cell) => cell.trim());
  const name = /\*\*(.*)\*\*/.exec(step)?.[1] ?? step;
  return [name, { takesAll, chosen, rights }];
}

function wordIn<T>(words: Readonly<Record<string, T>>, word: string): T {
  const meaning = words[word];
  if (meaning === undefined) throw new Error(`the table of rule HR has an unknown word: ${word}`);
  return meaning;
}
