import { execFile, spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { readFile, writeFile } from 'node:fs/promises';
import { Agent, get } from 'node:https';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { promisify } from 'node:util';
import acme from 'acme-client';
import { eventually } from './deadline.ts';
import { freePort } from './nginx.ts';
import { makeTempDir } from './temp-dir.ts';

/** A CA that speaks ACME, and the DNS that it asks: Let's Encrypt's own test server, on loopback. */
export interface Pebble extends AsyncDisposable {
  directory: string;
  /** `127.0.0.1:port` of its DNS, which knows only what `setAddress` says. */
  dns: string;
  setAddress(name: string, address: string): Promise<void>;
  /** The certificate of its root; PEM. */
  root(): Promise<string>;
  /** It takes connections and answers nothing, until `resume`. */
  pause(): void;
  resume(): void;
}

/** Starts both. The CA connects to names on `httpPort`. */
export async function startPebble({ httpPort }: { httpPort: number }): Promise<Pebble> {
  const temp = await makeTempDir('fn-ca-');
  const [api, management, dns, records] = [await freePort(), await freePort(), await freePort(), await freePort()];
  const [certificate, key] = [join(temp.path, 'cert.pem'), join(temp.path, 'key.pem')];
  const curve = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '2'];
  const names = ['-subj', '/CN=pebble', '-addext', 'subjectAltName=IP:127.0.0.1'];
  await promisify(execFile)('openssl', ['req', '-x509', ...curve, ...names, '-keyout', key, '-out', certificate]);
  const config = {
    pebble: {
      listenAddress: `127.0.0.1:${api}`,
      managementListenAddress: `127.0.0.1:${management}`,
      certificate,
      privateKey: key,
      httpPort,
      tlsPort: 1,
    },
  };
  await writeFile(join(temp.path, 'config.json'), JSON.stringify(config));
  const off = ['-http01', '', '-https01', '', '-tlsalpn01', ''];
  const started = [
    start('pebble-challtestsrv', [
      ...off,
      '-defaultIPv4',
      '',
      '-defaultIPv6',
      '',
      '-dns01',
      `127.0.0.1:${dns}`,
      '-management',
      `127.0.0.1:${records}`,
    ]),
    start('pebble', ['-config', join(temp.path, 'config.json'), '-dnsserver', `127.0.0.1:${dns}`]),
  ];
  const ca = await readFile(certificate, 'utf8');
  acme.axios.defaults.httpsAgent = new Agent({ ca });
  const fetchText = async (url: string): Promise<string> =>
    await new Promise((resolve, reject) => {
      get(url, { ca }, (response) => void text(response).then(resolve, reject)).once('error', reject);
    });
  const directory = `https://127.0.0.1:${api}/dir`;
  await eventually(async () => (await fetchText(directory)).includes('newOrder'), { deadlineMs: 20_000 });
  return {
    directory,
    dns: `127.0.0.1:${dns}`,
    setAddress: async (name, address) => {
      const body = JSON.stringify({ host: `${name}.`, addresses: [address] });
      await eventually(async () => (await fetch(`http://127.0.0.1:${records}/add-a`, { method: 'POST', body })).ok);
    },
    root: async () => await fetchText(`https://127.0.0.1:${management}/roots/0`),
    pause: () => void started[1]!.kill('SIGSTOP'),
    resume: () => void started[1]!.kill('SIGCONT'),
    [Symbol.asyncDispose]: async () => {
      for (const child of started) child.kill('SIGTERM');
      started[1]!.kill('SIGCONT');
      await Promise.all(
        started.map(async (child) => child.exitCode ?? child.signalCode ?? (await once(child, 'exit'))),
      );
      await temp.remove();
    },
  };
}

function start(program: string, args: readonly string[]): ChildProcess {
  const env = { ...process.env, PEBBLE_VA_NOSLEEP: '1', PEBBLE_WFE_NONCEREJECT: '0' };
  return spawn(program, args, { stdio: 'ignore', env });
}
