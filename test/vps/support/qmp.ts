import { once } from 'node:events';
import { createConnection, type Socket } from 'node:net';
import { createInterface } from 'node:readline';
import { within } from '../../support/deadline.ts';

const answerMs = 300_000;

/** Sends one command to qemu's control socket and resolves to what it returns. Rejects with qemu's own words. */
export async function qmp(path: string, command: string, args: Record<string, unknown> = {}): Promise<unknown> {
  const socket = createConnection(path);
  try {
    return await within(answerMs, `${command} of qemu`, ask(socket, command, args));
  } finally {
    socket.destroy();
  }
}

async function ask(socket: Socket, command: string, args: Record<string, unknown>): Promise<unknown> {
  await once(socket, 'connect');
  const send = (execute: string, given: Record<string, unknown>): void =>
    void socket.write(`${JSON.stringify({ execute, arguments: given })}\n`);
  // The greeting, the answer to qmp_capabilities, the answer; events come in between.
  send('qmp_capabilities', {});
  let answers = 0;
  for await (const line of createInterface({ input: socket })) {
    const message = JSON.parse(line) as { return?: unknown; error?: { desc: string } };
    if (message.error !== undefined) throw new Error(`qemu: ${command}: ${message.error.desc}`);
    if (!('return' in message)) continue;
    answers++;
    if (answers === 2) return message.return;
    send(command, args);
  }
  // qemu may be gone before it has answered `quit`.
  if (command === 'quit') return null;
  throw new Error(`qemu: ${command}: the connection was closed`);
}
