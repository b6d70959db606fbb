import { findProblems } from '@leque/protocol';
import { RequestError } from '@leque/service';
import type { FastifySchemaCompiler } from 'fastify';
import type { TSchema } from 'typebox';
import { Compile } from 'typebox/compile';
import { Value } from 'typebox/value';

/**
 * Checks requests, with the same error messages as events. Parameters and queries are texts, which become
 * numbers; a body has its types, so that an empty text is not a user called 0.
 */
export const validateRequests: FastifySchemaCompiler<TSchema> = ({ schema, httpPart }) => {
  const validator = Compile(schema);
  return (value) => {
    const given = Value.Default(schema, value);
    const candidate = httpPart === 'body' ? given : Value.Convert(schema, given);
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
