import { expect, test } from 'vitest';
import { renderUnit } from '../../../../deploy/systemd/render-unit.ts';
import { planUnit, type ServiceFacts } from '../../../../deploy/systemd/unit.ts';

const facts: ServiceFacts = { home: '/var/lib/fnrun', user: 'fnrun', program: ['/opt/node', '/opt/fnrun.js'] };
const render = (own: Partial<ServiceFacts> = {}): string => renderUnit(planUnit({ ...facts, ...own }));

test('the home is the one place that the service writes to', () => {
  expect(render()).toMatch(/^StateDirectory=fnrun$/m);
  expect(render({ home: '/srv/fnrun' })).toMatch(/^ReadWritePaths=\/srv\/fnrun$/m);
  expect(render({ home: '/srv/fnrun' })).not.toMatch(/^StateDirectory=/m);
  expect(render({ home: '/home/fnrun/home' })).not.toMatch(/^ProtectHome=/m);
});

test('what would break Node, the jail of builds or the cgroups of apps is left out, with the reason', () => {
  const text = render();
  const names = ['MemoryDenyWriteExecute', 'ProcSubset', 'RestrictNamespaces', 'ProtectKernelTunables', 'LimitAS'];
  for (const name of names) {
    expect(text).toMatch(new RegExp(`^# ${name}.* left out: \\w`, 'm'));
    expect(text).not.toMatch(new RegExp(`^${name}`, 'm'));
  }
  expect(text).toMatch(/^Delegate=cpu io memory pids$/m);
  expect(text).toMatch(/^OOMPolicy=continue$/m);
});

test('text from elsewhere means nothing to systemd', () => {
  const text = render({ home: '/srv/my "home" 100%', program: ['/opt/$NODE/node'] });
  expect(text).toContain('ExecStart=/opt/$$NODE/node serve --home "/srv/my \\"home\\" 100%%" --listen none');
  expect(text).toContain('ReadWritePaths="/srv/my \\"home\\" 100%%"');
  expect(() => render({ home: '/srv/a\nUser=root' })).toThrow('control character');
});

test('the server has capabilities where apps have users of their own, and only those that it takes', () => {
  const three = 'CAP_SETUID CAP_SETGID CAP_KILL';
  expect(render({ appUsers: false })).toMatch(/^CapabilityBoundingSet=\nAmbientCapabilities=$/m);
  const text = render();
  expect(text).toMatch(new RegExp(`^CapabilityBoundingSet=${three}\nAmbientCapabilities=${three}$`, 'm'));
  expect(text).toMatch(/^NoNewPrivileges=yes$/m);
  expect(text).toMatch(/^StateDirectoryMode=0751$/m);
});
