import { doctorLimits } from '../../runtime/contract/limits.ts';
import { output, type DoctorContext } from './check.ts';

/** An answer of the control API. */
export interface Answer<T> {
  body: T;
  ms: number;
}

// Runs on the machine that is looked at: its socket is nobody else's. Node is what fnrun brings.
const script = `
const { request } = require('node:http');
const [socketPath, path, timeout] = process.argv.slice(2);
const began = performance.now();
const say = (value) => { process.stdout.write(JSON.stringify(value)); process.exit(0); };
setTimeout(() => say({ error: 'no answer within ' + timeout + ' ms' }), Number(timeout)).unref();
const outgoing = request({ socketPath, path, headers: { host: 'control' } }, (response) => {
  let text = '';
  response.setEncoding('utf8').on('data', (chunk) => (text += chunk)).on('end', () => {
    try { say({ status: response.statusCode, body: JSON.parse(text), ms: performance.now() - began }); }
    catch { say({ error: 'status ' + response.statusCode }); }
  });
});
outgoing.on('error', (error) => say({ error: error.code || error.message, ms: performance.now() - began }));
outgoing.end();
`;

/** Asks the daemon on that machine; null when there is no Node to ask with. */
export async function askControl<T>(
  context: DoctorContext,
  path: string,
): Promise<Answer<T> | { error: string } | null> {
  const { node, places } = context;
  if (node === null) return null;
  const argv = [...node, '-', `${places.home}/run/control.sock`, path, String(doctorLimits.roundTripMs)];
  const ran = await output(context, argv, { input: script, timeoutMs: doctorLimits.roundTripMs * 4 });
  if (ran === null) return null;
  try {
    return JSON.parse(ran.text) as Answer<T> | { error: string };
  } catch {
    return { error: ran.errors.slice(0, 200) };
  }
}
