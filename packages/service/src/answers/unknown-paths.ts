import type { ServerResponse } from 'node:http';
import { inert } from '@leque/core';
import type { ProblemDocument } from '@leque/protocol';
import type { FastifyInstance } from 'fastify';
import { problemOf, RequestError } from './problem.ts';
import { sendProblem } from './problem-answers.ts';

const MAX_PATH = 100;

/** A route of each kind of process, the paths that it serves, and a sentence for other processes. */
const ELSEWHERE = [
  [
    '/ws/notifications',
    /^\/(ws|socket\.io)(\/|$)/,
    'gateways serve WebSocket and Socket.IO clients',
  ],
  ['/api/publish', /^\/api(\/|$)/, 'publishers serve the HTTP API'],
] as const;

interface UnknownRequest {
  readonly method?: string | undefined;
  readonly url?: string | undefined;
}

/** Answers requests for unknown paths with a problem document. A server can have this only once. */
export function registerNotFound(app: FastifyInstance): void {
  app.setNotFoundHandler((request, reply) => sendProblem(reply, notFound(request, adviceOf(app))));
}

/** Answers a request that reaches no Fastify, as `registerNotFound` would. */
export function answerNotFound(request: UnknownRequest, response: ServerResponse): void {
  const problem = notFound(request, () => undefined);
  const body = JSON.stringify(problem);
  response.writeHead(problem.status, { 'content-type': 'application/problem+json' }).end(body);
}

function notFound(
  { method, url = '' }: UnknownRequest,
  advise: (path: string) => string | undefined,
): ProblemDocument {
  const [path = ''] = url.split('?'); // the query may contain a token
  const advice = spellingOf(path) ?? advise(path);
  const what = `there is no ${method} ${inert(path, MAX_PATH)}`;
  return problemOf(new RequestError('not_found', advice ? `${what}; ${advice}` : what));
}

function spellingOf(path: string): string | undefined {
  const isUnusual = path.includes('//') || /^\/[^/]*[A-Z]/.test(path);
  return isUnusual ? 'paths are written in lower case, with single slashes' : undefined;
}

function adviceOf(app: FastifyInstance): (path: string) => string | undefined {
  return (path) =>
    ELSEWHERE.find(
      ([route, paths]) => paths.test(path) && !app.hasRoute({ method: 'GET', url: route }),
    )?.[2];
}
