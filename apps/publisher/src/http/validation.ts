import { findProblems } from '@leque/protocol';
import { RequestError } from '@leque/service';
import type { FastifySchemaCompiler } from 'fastify';
import type { TSchema } from 'typebox';
import { Compile } from 'typebox/compile';
import { Value } from 'typebox/value';

/** Checks parameters and queries, with the same error messages as events. */
export const validateRequests: FastifySchemaCompiler<TSchema> = ({ schema }) => {
  const validator = Compile(schema);
  return (value) => {
    const candidate = Value.Convert(schema, Value.Default(schema, value));
    const problems = findProblems(schema, validator, candidate);
    if (problems.length === 0) return { value: candidate };
    return { error: RequestError.ofProblems('invalid_request', problems) };
  };
};

/**
 * Accepts every request; `tryParseEvent` checks each event later. It returns no value, because Fastify
 * would then copy all headers for each access to them.
 */
export const checkedLater: FastifySchemaCompiler<TSchema> = () => () => true;
