/** What setup must know of a machine before anything else. */
export interface MachineFacts {
  /** `ID` of /etc/os-release: debian or ubuntu. */
  os: string;
  /** `VERSION_ID`: 12, 13, 24.04. */
  version: string;
  /** For example bookworm. */
  codename: string;
  /** As Node has it: x64 or arm64. */
  arch: string;
  cores: number;
  memoryMb: number;
  swapMb: number;
  /** Free on the disk of `/`. */
  diskFreeMb: number;
  /** For example `2.36`; null: another C library. */
  glibc: string | null;
  /** Whether systemd runs it. */
  systemd: boolean;
  /** In a container there is no kernel, disk or clock of one's own to set. */
  container: boolean;
  /** The ports that sshd really listens on; the one of this very connection comes first. */
  sshPorts: number[];
  hostname: string;
  /** Whether `/opt/fnrun/current` is there. */
  installed: boolean;
  /** Whether we are root there. */
  root: boolean;
}

/** What the caller asks for: the options of `fnrun server setup`. */
export interface Wishes {
  /** Each app is `<app>.<domain>`; null: apps have only the domains that they ask for. */
  domain: string | null;
  /** Public keys, one line each, of the administrator `deployer`, who may push to all apps too. */
  adminKeys: readonly string[];
  /** The database server; `none`: no database. */
  database: 'mariadb' | 'mysql' | 'none';
  /** Days that nightly backups are kept. */
  backupDays: number;
  /** Whether packages are upgraded. */
  upgrade: boolean;
  /** For Let's Encrypt's warnings; null: none. */
  acmeEmail: string | null;
  /** ACME directory; tests have their own. */
  acmeDirectory: string;
}
