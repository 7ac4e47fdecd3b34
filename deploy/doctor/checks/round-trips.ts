import { doctorLimits } from '../../../runtime/contract/limits.ts';
import type { AppsBody } from '../../../router/control/types.ts';
import type { Finding } from '../../mysql/doctor/finding.ts';
import { askControl } from '../ask-control.ts';
import { output, type DoctorContext, type MachineCheck } from '../check.ts';

/** What is asked, each several times over. A status of any kind is an answer: whose it is does not matter here. */
const script = `
const { request, Agent } = require('node:http');
const { control, apps, port, rounds, timeout } = JSON.parse(process.argv[2]);
const within = (work) => new Promise((done) => {
  const timer = setTimeout(() => done({ error: 'no answer within ' + timeout + ' ms' }), timeout);
  work((value) => { clearTimeout(timer); done(value); });
});
const http = (options) => within((done) => {
  const began = performance.now();
  const outgoing = request({ ...options, method: 'HEAD' }, (response) => {
    response.resume().on('end', () => done({ ms: performance.now() - began, status: response.statusCode }));
  });
  outgoing.on('error', (error) => done({ error: error.code || error.message }));
  outgoing.end();
});
const median = async (measure) => {
  const times = [];
  for (let i = 0; i < rounds; i++) {
    const one = await measure();
    if (one.error) return one;
    times.push(one);
  }
  return times.sort((a, b) => a.ms - b.ms)[Math.floor(rounds / 2)];
};
(async () => {
  const agent = new Agent({ keepAlive: true });
  const result = { apps: {} };
  result.control = await median(() => http({ socketPath: control, path: '/v1/health', headers: { host: 'control' }, agent }));
  for (const { name, socket, host } of apps) {
    // The first wakes an app that sleeps.
    const own = { socketPath: socket, path: '/.fnrun-doctor', headers: { host } };
    await http(own);
    const direct = await median(() => http(own));
    const nginx = port === null ? null : await median(() => http({ host: '127.0.0.1', port, path: '/.fnrun-doctor', headers: { host } }));
    result.apps[name] = { direct, nginx };
  }
  process.stdout.write(JSON.stringify(result));
  process.exit(0);
})();
`;

interface Trip {
  ms?: number;
  error?: string;
}

/** What the script printed; times in ms. */
export interface RoundTrips {
  control: Trip;
  apps: Record<string, { direct: Trip; nginx: Trip | null }>;
}

/** How long a message takes from here to the machine, and there between nginx, apps and the server. */
export const roundTripsCheck: MachineCheck = {
  id: 'round-trips',
  alone: true,
  async check(context) {
    const ssh = context.machine.local ? null : await sshTrip(context);
    const trips = await tripsThere(context);
    if (ssh === null && trips === null) return { skipped: 'no server to measure the ways of' };
    return { findings: judgeTrips(trips, { ssh }), seen: wordsOf(trips, { ssh }) };
  },
};

/** Median of running nothing, over the connection that is open. */
async function sshTrip({ machine }: DoctorContext): Promise<number> {
  const times: number[] = [];
  for (let i = 0; i < 3; i++) {
    const began = performance.now();
    await machine.run(['true']);
    times.push(performance.now() - began);
  }
  return times.sort((a, b) => a - b)[1]!;
}

async function tripsThere(context: DoctorContext): Promise<RoundTrips | null> {
  const apps = await askControl<AppsBody>(context, '/v1/apps');
  if (apps === null || 'error' in apps) return null;
  const live = apps.body.apps
    .filter((app) => app.live !== null && app.preview === null)
    .slice(0, doctorLimits.namesShown);
  const asked = {
    control: `${context.places.home}/run/control.sock`,
    apps: live.map(({ name, socket, domains }) => ({ name, socket, host: domains[0] ?? hostOf(name, context) })),
    port: context.wishes === null ? null : context.places.httpPort,
    rounds: doctorLimits.roundTrips,
    timeout: doctorLimits.roundTripMs,
  };
  const ran = await output(context, [...context.node!, '-', JSON.stringify(asked)], { input: script });
  return ran === null || ran.text === '' ? null : (JSON.parse(ran.text) as RoundTrips);
}

function hostOf(app: string, { wishes }: DoctorContext): string {
  return wishes?.domain == null ? `${app}.localhost` : `${app}.${wishes.domain}`;
}

function milliseconds(trip: Trip | null | undefined): string | null {
  if (trip == null) return null;
  return trip.ms === undefined ? (trip.error ?? '?') : `${Number(trip.ms.toPrecision(2))} ms`;
}

/** `ssh 84 ms, server 1.2 ms, shop 0.8 ms and by nginx 1.4 ms`. */
export function wordsOf(trips: RoundTrips | null, { ssh }: { ssh: number | null }): string {
  const parts = ssh === null ? [] : [`ssh ${Math.round(ssh)} ms`];
  if (trips === null) return parts.join(', ');
  parts.push(`server ${milliseconds(trips.control)}`);
  for (const [name, { direct, nginx }] of Object.entries(trips.apps)) {
    parts.push(`${name} ${milliseconds(direct)}${nginx === null ? '' : ` and by nginx ${milliseconds(nginx)}`}`);
  }
  return parts.join(', ');
}

export function judgeTrips(trips: RoundTrips | null, { ssh }: { ssh: number | null }): Finding[] {
  const findings: Finding[] = [];
  const judge = (
    what: string,
    trip: Trip | null | undefined,
    { slowMs, id, todo }: { slowMs: number; id: string; todo: string },
  ): void => {
    if (trip == null) return;
    if (trip.ms === undefined)
      findings.push({
        id: `${id}-no-answer`,
        severity: 'warning',
        what: `${what} does not answer`,
        measured: trip.error ?? '',
        todo,
      });
    else if (trip.ms > slowMs)
      findings.push({
        id: `${id}-slow`,
        severity: 'note',
        what: `${what} takes long to answer`,
        measured: `median ${Math.round(trip.ms)} ms, ${slowMs} are much`,
        todo,
      });
  };
  const { slowSshMs, slowDaemonMs, slowNginxMs } = doctorLimits;
  if (ssh !== null)
    judge(
      'a command over ssh',
      { ms: ssh },
      {
        slowMs: slowSshMs,
        id: 'ssh',
        todo: 'pushes wait for it several times: look at the network between, and at UseDNS in sshd',
      },
    );
  if (trips === null) return findings;
  judge('the server of fnrun', trips.control, {
    slowMs: slowDaemonMs,
    id: 'control',
    todo: 'top: does something else use the CPU; journalctl -u fnrun',
  });
  for (const [name, { direct, nginx }] of Object.entries(trips.apps)) {
    judge(`${name}, at its own socket,`, direct, {
      slowMs: slowNginxMs,
      id: 'app',
      todo: `fnrun ps ${name}; fnrun logs ${name}`,
    });
    if (direct.ms !== undefined)
      judge(`${name}, by way of nginx,`, nginx, {
        slowMs: slowNginxMs + direct.ms,
        id: 'app-by-nginx',
        todo: 'tail /var/log/nginx/error.log; is www-data in the group fnrun',
      });
  }
  return findings;
}
