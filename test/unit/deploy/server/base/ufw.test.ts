import { expect, test } from 'vitest';
import { planUfw } from '../../../../../deploy/server/steps/base/ufw/plan-ufw.ts';
import { parseUfw } from '../../../../../deploy/server/steps/base/ufw/ufw-state.ts';

const text = (
  rules: string,
  { active = true, policy = 'DROP', ipv6 = 'yes' } = {},
): string => `Status: ${active ? 'active' : 'inactive'}
IPV6=${ipv6}
DEFAULT_INPUT_POLICY="${policy}"
Added user rules (see 'ufw status' for running firewall):
${rules}`;
const plan = (rules: string, options = {}, sshPorts = [22]): string[] =>
  planUfw(parseUfw(text(rules, options)), { sshPorts }).map(({ what }) => what);

test('a firewall that is off is turned on last, after ssh is let in', () => {
  const actions = planUfw(parseUfw(text('(None)', { active: false, policy: 'ACCEPT', ipv6: 'no' })), {
    sshPorts: [2222, 22],
  });
  expect(actions.map(({ argv }) => argv.slice(0, 3).join(' '))).toEqual([
    'sed -i s/^IPV6=.*/IPV6=yes/',
    'ufw allow 2222/tcp',
    'ufw allow 22/tcp',
    'ufw allow 80/tcp',
    'ufw allow 443/tcp',
    'ufw default deny',
    'ufw --force enable',
  ]);
  expect(planUfw(null, { sshPorts: [22] }).map(({ what }) => what)).toContain('turn the firewall on');
});

test('a firewall as we leave it has nothing to be changed', () => {
  const ours =
    "ufw allow 22/tcp comment 'fnrun: ssh'\nufw allow 80/tcp comment 'fnrun: http'\nufw allow 443/tcp comment 'fnrun: https'\n";
  expect(plan(ours)).toEqual([]);
  expect(plan(ours, { active: false })).toEqual(['turn the firewall on']);
  expect(plan(ours, { policy: 'ACCEPT' })).toEqual(['deny what comes in otherwise']);
  expect(plan(ours, { ipv6: 'none' })).toEqual([]);
});

test('rules of the operator, in all their forms, are the decision about their ports', () => {
  for (const rules of [
    "ufw allow OpenSSH\nufw allow 'Nginx Full'\n",
    'ufw limit 22/tcp\nufw allow 80,443/tcp\n',
    'ufw allow from 192.0.2.0/24 to any port 22 proto tcp\nufw allow in on eth0 to any port 80,443 proto tcp\n',
    'ufw allow 22\nufw deny 80\nufw allow 400:500/tcp\n',
    "ufw allow log 22/tcp\nufw allow from 192.0.2.1 to any app 'Nginx Full'\n",
  ]) {
    expect(plan(rules), rules).toEqual([]);
  }
});

test('rules about something else decide nothing', () => {
  const missing = ['allow 22/tcp (ssh)', 'allow 80/tcp (http: ACME, and the way to https)', 'allow 443/tcp (https)'];
  for (const rules of [
    'ufw allow out 22/tcp\nufw route allow 80/tcp\nufw allow 443/udp\n',
    'ufw allow 2222/tcp\nufw allow from any port 443 to any port 8443 proto tcp\n',
    "ufw allow 8080 comment 'to any port 443'\n",
  ]) {
    expect(plan(rules), rules).toEqual(missing);
  }
});

test('a rule that keeps ssh out of a firewall that is not on yet is no reason to let nobody in', () => {
  expect(plan('ufw deny 22\n', { active: false })[0]).toBe('allow 22/tcp (ssh)');
});
