import {
  EVENT_ADDRESSES,
  EVENT_DATA,
  EVENT_FIELDS,
  RESERVED_CODES,
  RESERVED_TYPES,
  USER_TYPE_ADDRESSES,
  USER_TYPES,
} from '@leque/protocol';
import { toLuaPattern } from '../lib/lua-pattern.ts';

/** How event-checks.lua checks one value. */
interface ValueRule {
  /** A value has to fit one of these; then the rule has nothing else but `expected`. */
  readonly any_of?: readonly ValueRule[];
  /** A type of Lua. */
  readonly type?: string;
  readonly values?: readonly string[];
  readonly integer?: true;
  readonly min_length?: number;
  readonly max_length?: number;
  readonly minimum?: number;
  readonly maximum?: number;
  /** A pattern of Lua. */
  readonly pattern?: string;
  readonly format?: string;
  /** How a value that does not fit `any_of`, `pattern` or `format` should look. */
  readonly expected?: string;
}

/** One field of an event's `data`. */
interface DataRule {
  readonly name: string;
  readonly required: boolean;
  readonly rule: ValueRule;
}

/** One field of an event; `data` has no rule here, because its own fields have. */
interface EnvelopeRule {
  readonly name: string;
  readonly stored: boolean;
  readonly is_id: boolean;
  readonly rule?: ValueRule;
}

interface FieldSchema {
  readonly type?: string;
  readonly enum?: readonly string[];
  readonly anyOf?: readonly FieldSchema[];
  readonly pattern?: string;
  readonly format?: string;
  readonly description?: string;
  readonly [keyword: string]: unknown;
}

const LIMITS: Readonly<Record<string, string>> = {
  minLength: 'min_length',
  maxLength: 'max_length',
  minimum: 'minimum',
  maximum: 'maximum',
};
const UNDERSTOOD = new Set([
  ...['type', 'enum', 'anyOf', 'pattern', 'format', 'description'],
  ...Object.keys(LIMITS),
]);
/** The formats that event-checks.lua checks. */
const FORMATS = new Set(['date-time', 'leque-id']);

/** Protocol's table of an event's fields, so that FCALL accepts what HTTP accepts. */
export function eventFields(): EnvelopeRule[] {
  return Object.entries(EVENT_FIELDS).map(([name, field]) => {
    const { schema, stored }: { schema: unknown; stored: boolean } = field;
    const rule = name !== 'data' && { rule: valueRule(schema as FieldSchema) };
    return { name, stored, is_id: 'isId' in field, ...rule };
  });
}

/** Protocol's schemas of each type's `data`, so that FCALL accepts what HTTP accepts. */
export function eventData(): Record<string, DataRule[]> {
  return Object.fromEntries(
    Object.entries(EVENT_DATA).map(([type, schema]) => {
      const required = new Set<string>(schema.required);
      const fields = Object.entries(schema.properties as Record<string, unknown>);
      return [
        type,
        fields.map(([name, field]) => ({
          name,
          required: required.has(name),
          rule: valueRule(field as FieldSchema),
        })),
      ];
    }),
  );
}

/** Protocol's tables of addresses and reserved names, so that FCALL refuses what HTTP refuses. */
export function addressRules() {
  return {
    event_addresses: Object.fromEntries(EVENT_ADDRESSES),
    user_types: asSet(USER_TYPES),
    user_type_addresses: USER_TYPE_ADDRESSES,
    reserved_types: Object.fromEntries(RESERVED_TYPES),
    reserved_codes: asSet(RESERVED_CODES),
  };
}

/** As Lua looks names up. */
function asSet(names: Iterable<string>): Record<string, true> {
  return Object.fromEntries([...names].map((name) => [name, true]));
}

/** @throws Error when event-checks.lua could not check the schema, so that no process starts with it */
function valueRule(schema: FieldSchema): ValueRule {
  const unknown = Object.keys(schema).filter((keyword) => !UNDERSTOOD.has(keyword));
  if (unknown.length > 0) throw new Error(`event-checks.lua does not know ${unknown.join(', ')}`);
  if (schema.enum !== undefined) return { values: schema.enum };
  if (schema.anyOf !== undefined) return alternatives(schema.anyOf, schema.description);
  const limits = Object.entries(LIMITS).flatMap(([keyword, name]) =>
    schema[keyword] === undefined ? [] : [[name, schema[keyword]]],
  );
  return {
    type: luaType(schema.type),
    ...(schema.type === 'integer' && { integer: true }),
    ...Object.fromEntries(limits),
    ...formRule(schema),
  };
}

function alternatives(schemas: readonly FieldSchema[], description: string | undefined): ValueRule {
  if (description === undefined) throw new Error('alternatives need a description');
  return { any_of: schemas.map(valueRule), expected: description };
}

function formRule({ pattern, format, description }: FieldSchema): Partial<ValueRule> {
  if (pattern === undefined && format === undefined) return {};
  if (description === undefined) throw new Error('a pattern or format needs a description');
  if (pattern !== undefined) return { ...toLuaPattern(pattern), expected: description };
  if (!FORMATS.has(format ?? ''))
    throw new Error(`event-checks.lua does not know the format ${format}`);
  return { format: format as string, expected: description };
}

function luaType(type: string | undefined): string {
  if (type === 'integer') return 'number';
  if (type === 'string' || type === 'number' || type === 'boolean') return type;
  throw new Error(`event-checks.lua does not know the type ${type}`);
}
