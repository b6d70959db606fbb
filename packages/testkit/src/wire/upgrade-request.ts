export interface RequestOptions {
  /** It includes the query. */
  readonly path: string;
  /** More headers, or others than those of an upgrade; undefined leaves one out. */
  readonly headers?: Readonly<Record<string, string | undefined>>;
  readonly method?: string;
  /** `1.1` by default. */
  readonly version?: string;
}

/** The key in RFC 6455, section 1.3. */
const SAMPLE_KEY = 'dGhlIHNhbXBsZSBub25jZQ==';
/** The answer that proves that the key was read. */
export const SAMPLE_ACCEPT = 's3pPLMBiTxaQ9kYGzzhZRbK+xOo=';

const UPGRADE_HEADERS = {
  Host: 'leque',
  Connection: 'Upgrade',
  Upgrade: 'websocket',
  'Sec-WebSocket-Version': '13',
  'Sec-WebSocket-Key': SAMPLE_KEY,
};

/** The request that begins a WebSocket (RFC 6455, section 4.1). */
export function requestText(options: RequestOptions): string {
  const { path, headers, method = 'GET', version = '1.1' } = options;
  const lines = Object.entries({ ...UPGRADE_HEADERS, ...headers })
    .filter(([, value]) => value !== undefined)
    .map(([name, value]) => `${name}: ${value}`);
  return [`${method} ${path} HTTP/${version}`, ...lines, '', ''].join('\r\n');
}
