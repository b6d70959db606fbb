import { IncomingMessage, ServerResponse } from 'node:http';
import { Socket } from 'node:net';
import type { Server } from 'socket.io';
import { expect, test, vi } from 'vitest';
import { serveClientFiles } from './client-files.ts';

type Handler = (request: IncomingMessage, response: object, next: (e?: unknown) => void) => void;

type Read = Parameters<typeof serveClientFiles>[2];

function clientFiles(read: Read) {
  const handlers: Handler[] = [];
  const engine = { use: (handler: Handler) => handlers.push(handler) };
  serveClientFiles(engine as unknown as Server['engine'], '/socket.io/', read);
  return (name: string): Promise<ServerResponse> => {
    const request = Object.assign(new IncomingMessage(new Socket()), { method: 'GET' });
    request.url = `/socket.io/${name}`;
    const response = new ServerResponse(request);
    return new Promise((resolve, reject) => {
      vi.spyOn(response, 'end').mockImplementation(() => {
        resolve(response);
        return response;
      });
      for (const handle of handlers) handle(request, response, reject);
    });
  };
}

test('a file that could not be read once is read again', async () => {
  const content = { plain: Buffer.from(''), gzipped: Buffer.from('') };
  const read = vi.fn(() => Promise.resolve(content)).mockRejectedValueOnce(new Error('EMFILE'));
  const ask = clientFiles(read);
  await expect(ask('socket.io.js')).rejects.toThrow('EMFILE');
  expect((await ask('socket.io.js')).statusCode).toBe(200);
  await ask('socket.io.js');
  expect(read).toHaveBeenCalledTimes(2);
});
