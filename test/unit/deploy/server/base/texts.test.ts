import { expect, test } from 'vitest';
import { renderJail } from '../../../../../deploy/server/steps/base/fail2ban.ts';
import { boundNginxLogs } from '../../../../../deploy/server/steps/base/logrotate.ts';
import { parseSysctl, renderSysctl } from '../../../../../deploy/server/steps/base/sysctl.ts';
import { parseSimulation } from '../../../../../deploy/server/steps/base/upgrade.ts';

test('fail2ban watches the ports that sshd listens on', () => {
  expect(renderJail({ sshPorts: [2222, 22] })).toMatch(/^port = 2222,22$/m);
});

const debian = `/var/log/nginx/*.log {
\tdaily
\tmissingok
\trotate 14
\tpostrotate
\t\tinvoke-rc.d nginx rotate >/dev/null 2>&1
\tendscript
}
`;

test("nginx's logs get a bound on their size once, where there is none", () => {
  const once = boundNginxLogs(debian) ?? '';
  expect(once).toMatch(/^\tdaily\n\t#.*\n\tmaxsize 256M\n\tmissingok$/m);
  expect(once.replace(/\t#.*\n\tmaxsize 256M\n/, '')).toBe(debian);
  expect(boundNginxLogs(once)).toBeNull();
  expect(boundNginxLogs(debian.replace('daily', 'size 10M'))).toBeNull();
  expect(boundNginxLogs('# nothing that we know\n')).toBeNull();
});

test('a setting that the kernel does not have is left out', () => {
  const values = parseSysctl(
    'kernel.kptr_restrict = 0\nnet.ipv4.conf.all.send_redirects = 1\nkernel.osrelease = 6.1\n',
  );
  expect(values.get('kernel.kptr_restrict')).toBe(0);
  const text = renderSysctl(values);
  expect(text).toMatch(/^# \w.*\nkernel\.kptr_restrict = 2$/m);
  expect(text).toMatch(/^net\.ipv4\.conf\.all\.send_redirects = 0$/m);
  expect(text).not.toContain('ptrace_scope');
});

test('what apt would install is read from its simulation', () => {
  const text = `NOTE: This is only a simulation!
The following packages have been kept back:
  held
Inst libc6 [2.36-9+deb12u9] (2.36-9+deb12u10 Debian:12.11/stable [amd64]) []
Inst linux-image-6.1.0-37-amd64 (6.1.140-1 Debian:12.11/stable [amd64])
Conf libc6 (2.36-9+deb12u10 Debian:12.11/stable [amd64])
`;
  expect(parseSimulation(text)).toEqual(['libc6', 'linux-image-6.1.0-37-amd64']);
  expect(parseSimulation('0 upgraded, 0 newly installed\n')).toEqual([]);
});
