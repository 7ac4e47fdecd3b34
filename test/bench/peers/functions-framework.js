/** The handlers in the form of @google-cloud/functions-framework, one target for each fixture. */
import { Readable, pipeline } from 'node:stream';
import { work } from '../fixtures/cpu/work.ts';

const bytes = Buffer.alloc(1024 * 1024, 'a');
const chunk = Buffer.alloc(1024, 'a');

export const json = (_req, res) => res.json({ message: 'hello', items: [1, 2, 3] });

export const cpu = (_req, res) => res.json({ hash: work() });

export const echo = (req, res) => res.send(req.rawBody ?? Buffer.alloc(0));

export const stream = (_req, res) => {
  let left = 16;
  const body = new Readable({ read: () => void body.push(left-- > 0 ? chunk : null) });
  pipeline(body, res, () => {});
};

const sendBytes = (_req, res) => res.send(bytes);
export { sendBytes as bytes };
