import { once } from 'node:events';
import { connect, createServer } from 'node:net';
import type { AddressInfo, Socket } from 'node:net';
import { responseStart } from '../../runtime/channel/response-start.ts';
import { DirectConnection } from '../../runtime/host/direct/connection.ts';
import type { DirectHead } from '../../runtime/host/direct/request-head.ts';
import type { DirectTransaction } from '../../runtime/host/direct/transaction.ts';
import { within } from './deadline.ts';

export interface Served {
  head: DirectHead;
  tx: DirectTransaction;
}

/** A client and the server's end of its connection; requests are served by `serve`, `/node` is handed over. */
export async function connected(
  serve: (request: Served) => void,
  { headTimeoutMs = 20_000 } = {},
): Promise<{
  client: Socket;
  received: () => string;
  until: (text: string) => Promise<void>;
  handedOver: Promise<string>;
  closed: Promise<unknown>;
  connection: Promise<DirectConnection>;
}> {
  const handedOver = Promise.withResolvers<string>();
  const connection = Promise.withResolvers<DirectConnection>();
  const server = createServer({ pauseOnConnect: true }, (socket) => {
    const own = new DirectConnection(socket, {
      headTimeoutMs,
      serve(head, to) {
        if (head.target === '/node') return false;
        serve({ head, tx: to.open(head) });
        return true;
      },
      handOver: (given) => given.once('data', (bytes: Buffer) => handedOver.resolve(bytes.toString('latin1'))).resume(),
      onClosed() {},
    });
    connection.resolve(own);
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const client = connect((server.address() as AddressInfo).port, '127.0.0.1');
  let text = '';
  client.on('data', (bytes) => (text += bytes.toString('latin1'))).on('error', () => {});
  const closed = once(client, 'close');
  void closed.then(() => server.close());
  return {
    client,
    received: () => text,
    until: async (part) => {
      while (!text.includes(part)) await within(15_000, `waiting for ${part}`, once(client, 'data'));
    },
    handedOver: handedOver.promise,
    closed,
    connection: connection.promise,
  };
}

export function reply({ tx }: Served, text: string): void {
  const head = `content-length: ${text.length}\r\n\r\n`;
  const start = responseStart({ status: 200, statusText: '', hasDate: false }, Date.now());
  tx.respond({ status: 200, text: start + head + text, body: null, announcedBytes: -1 });
}

/** Answers with target and body. */
export function echo(request: Served): void {
  const { tx, head } = request;
  const answer = (): void =>
    reply(request, `<${head.target} ${Buffer.from((tx.body.inline ?? []) as never).toString()}>`);
  tx.body.open({ maxBytes: 100, onReady: answer, onTooLarge: () => tx.problem('FN_BODY_TOO_LARGE', {}) });
}
