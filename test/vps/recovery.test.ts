import { afterAll, beforeAll, expect, test } from 'vitest';
import { eventually } from '../support/deadline.ts';
import { ask, push } from './support/app.ts';
import { provisioned } from './support/provision.ts';
import type { Vm } from './support/vm.ts';

// What is killed comes back, and so does the machine.

const apps = ['one', 'two'];
const backMs = 300_000;

let vm: Vm;
beforeAll(async () => {
  vm = await provisioned();
  for (const app of apps) {
    const files = {
      'functions/index.ts': `export default () => new Response('hello from ${app}');`,
      'functions/pid/index.ts': 'export default () => Response.json(process.pid);',
    };
    const { code, stderr } = await push(vm, app, files);
    if (code !== 0) throw new Error(`the push of ${app} ended with ${code}:\n${stderr}`);
  }
});
afterAll(() => vm?.remove());

/** Resolves when every app answers as it should; to how long that took. */
async function allAnswer(): Promise<number> {
  const began = performance.now();
  for (const app of apps) {
    await eventually(async () => (await ask(vm, app, '/')).body === `hello from ${app}`, {
      deadlineMs: backMs,
      everyMs: 500,
    });
  }
  return Math.round(performance.now() - began);
}

const victims = {
  'the daemon': 'systemctl show -p MainPID --value fnrun.service',
  'the master of nginx': 'systemctl show -p MainPID --value nginx.service',
  fail2ban: 'systemctl show -p MainPID --value fail2ban.service',
  sshd: 'systemctl show -p MainPID --value ssh.service',
  'the database server': 'systemctl show -p MainPID --value mariadb.service',
};

for (const [name, command] of Object.entries(victims)) {
  test(`kill -9 of ${name}: it comes back, and all apps answer`, async () => {
    await allAnswer();
    const pid = (await vm.sh(command)).trim();
    expect(Number(pid)).toBeGreaterThan(1);
    await vm.sh(`kill -9 ${pid}`);
    await eventually(
      async () => {
        const now = (await vm.sh(command)).trim();
        return now !== '0' && now !== pid;
      },
      { deadlineMs: backMs, everyMs: 500 },
    );
    console.log(`After kill -9 of ${name} all apps answered again within ${await allAnswer()} ms of its new start`);
    if (name !== 'the database server') return;
    // Its process is there before it takes connections.
    await eventually(async () => (await vm.run(['mariadb', '-NB', '-e', 'SELECT 1'])).stdout === '1\n', {
      deadlineMs: backMs,
      everyMs: 500,
    });
  });
}

test('kill -9 of the process of an app: it comes back, and the other app does not notice', async () => {
  const { body: pid } = await ask(vm, 'one', '/pid');
  await vm.sh(`kill -9 ${pid}`);
  expect((await ask(vm, 'two', '/')).status).toBe(200);
  await allAnswer();
  expect((await ask(vm, 'one', '/pid')).body).not.toBe(pid);
});

test('a restart, and the reset button: all apps answer, nothing is failed', async () => {
  await vm.reboot();
  console.log(`After a restart all apps answered ${await allAnswer()} ms after ssh did`);
  expect(await vm.sh('systemctl --failed --no-legend')).toBe('');
  await vm.reset();
  console.log(`After a reset all apps answered ${await allAnswer()} ms after ssh did`);
  expect(await vm.sh('systemctl --failed --no-legend')).toBe('');
});
