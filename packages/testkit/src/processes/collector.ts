import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';

/** The fields of an OTLP span that tests read. */
export interface CollectedSpan {
  readonly name: string;
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId?: string;
  readonly status: { readonly code: number; readonly message?: string };
  readonly attributes: readonly { readonly key: string }[];
  readonly links: readonly { readonly spanId: string }[];
}

export interface Collector extends AsyncDisposable {
  readonly url: string;
  readonly spans: readonly CollectedSpan[];
  /** Resource attributes of the sending processes. */
  readonly resources: readonly unknown[];
}

/**
 * Starts a collector that records spans received as OTLP JSON over HTTP.
 * @param status HTTP status of its answers
 */
export async function startCollector(status = 200): Promise<Collector> {
  const spans: CollectedSpan[] = [];
  const resources: unknown[] = [];
  const server = createServer((request, response) => {
    void text(request).then((body) => {
      const { resourceSpans } = JSON.parse(body);
      for (const { resource, scopeSpans } of resourceSpans) {
        resources.push(resource.attributes);
        spans.push(...scopeSpans.flatMap((scope: { spans: CollectedSpan[] }) => scope.spans));
      }
      response.writeHead(status, { 'content-type': 'application/json' }).end('{}');
    });
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    spans,
    resources,
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      server.close();
    },
  };
}
