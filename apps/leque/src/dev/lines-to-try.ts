import manifest from '../../package.json' with { type: 'json' };
import { makeToken, type TokenKey } from '../api/make-token.ts';
import { listenPage } from './addresses.ts';

export const VERSION = manifest.version;

const DEMO = { user: 'demo', projects: 'PROJ-001', scope: 'publish:all,stats,logs', ttl: '86400' };
const EVENT = [
  `-d '{"type":"notification",`,
  `"project_id":"PROJ-001","data":{"title":"Hello","message":"It works"}}'`,
];

export interface Examples {
  /** URL of the publisher. */
  readonly api: string;
  /** URL of the server with `/docs`: the publisher, or its operators' port when there is one. */
  readonly docs: string;
  /** URL at which clients connect. */
  readonly gateway: string;
  readonly authMode: 'open' | 'required';
  readonly key: TokenKey;
}

/** A token, and lines to paste that listen and publish. The token is printed once. */
export async function examplesOf({ api, docs, gateway, ...rest }: Examples): Promise<string[]> {
  const { authMode, key } = rest;
  const token = key.JWT_SECRET && (await makeToken(DEMO, key)).token;
  const isNeeded = authMode === 'required';
  const query = isNeeded ? `?token=' + TOKEN)` : `')`;
  return [
    token
      ? `A token for the user ${DEMO.user}, valid for 24 hours, for consoles and shells:`
      : 'Clients need a token of your identity provider, for consoles and shells:',
    '',
    `  TOKEN='${token || '…'}'`,
    '',
    `Listen on the page ${listenPage(docs, gateway)}`,
    'or in its console:',
    '',
    `  new WebSocket('${webSocketOf(gateway)}/ws/notifications${query}`,
    '    .onmessage = (e) => console.log(e.data)',
    '',
    'Listen with the Socket.IO client:',
    '',
    `  io('${gateway}/events', { auth: { token: TOKEN } })`,
    '    .onAny((name, event) => console.log(name, event))',
    '',
    'Publish in another shell:',
    '',
    `  curl -X POST ${api}/api/publish \\`,
    ...(isNeeded ? ['    -H "Authorization: Bearer $TOKEN" \\'] : []),
    `    -H 'Content-Type: application/json' ${EVENT[0]}`,
    `    ${EVENT[1]}`,
    '',
  ];
}

export function printLines(lines: readonly string[]): void {
  console.log(['', ...lines].join('\n'));
}

export function webSocketOf(url: string): string {
  return url.replace('http', 'ws');
}
