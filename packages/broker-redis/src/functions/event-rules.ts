import { EVENT_DATA, RESERVED_TYPES } from '@leque/protocol';

/** One field of an event's `data`, in the form that functions/event.lua checks. */
interface FieldRule {
  readonly name: string;
  readonly required: boolean;
  readonly rule: {
    readonly types?: readonly string[];
    readonly values?: readonly string[];
    readonly integer?: true;
    readonly min_length?: number;
    readonly max_length?: number;
    readonly minimum?: number;
    readonly maximum?: number;
  };
}

interface FieldSchema {
  readonly type?: string;
  readonly enum?: readonly string[];
  readonly anyOf?: readonly FieldSchema[];
  readonly [keyword: string]: unknown;
}

const KEYWORDS: Readonly<Record<string, string>> = {
  minLength: 'min_length',
  maxLength: 'max_length',
  minimum: 'minimum',
  maximum: 'maximum',
};
const UNDERSTOOD = new Set(['type', 'enum', 'anyOf', 'description', ...Object.keys(KEYWORDS)]);

/** The rules of protocol's event types, so that events which come by FCALL obey the same. */
export function eventRules(): Record<string, FieldRule[]> {
  return Object.fromEntries(
    Object.entries(EVENT_DATA).map(([type, schema]) => {
      const required = new Set<string>(schema.required);
      const fields = Object.entries(schema.properties as Record<string, unknown>);
      return [
        type,
        fields.map(([name, field]) => ({
          name,
          required: required.has(name),
          rule: fieldRule(field as FieldSchema),
        })),
      ];
    }),
  );
}

export function reservedTypes(): Record<string, true> {
  return Object.fromEntries([...RESERVED_TYPES].map((type) => [type, true]));
}

/** @throws Error for what event.lua could not check: better at start than not at all */
function fieldRule(schema: FieldSchema): FieldRule['rule'] {
  const unknown = Object.keys(schema).filter((keyword) => !UNDERSTOOD.has(keyword));
  if (unknown.length > 0) throw new Error(`event.lua does not know ${unknown.join(', ')}`);
  if (schema.enum !== undefined) return { values: schema.enum };
  const types = (schema.anyOf ?? [schema]).map(({ type }) => luaType(type));
  const limits = Object.entries(KEYWORDS).flatMap(([keyword, name]) =>
    schema[keyword] === undefined ? [] : [[name, schema[keyword]]],
  );
  return {
    types,
    ...(schema.type === 'integer' && { integer: true }),
    ...Object.fromEntries(limits),
  };
}

function luaType(type: string | undefined): string {
  if (type === 'integer') return 'number';
  if (type === 'string' || type === 'number' || type === 'boolean') return type;
  throw new Error(`event.lua does not know the type ${type}`);
}
