/** Bodies of the control API that are about the server itself; the others are in types.ts. */

/** `GET /v1/health` */
export interface HealthBody {
  status: 'ok';
  version: string;
  pid: number;
  uptimeMs: number;
  /** Absolute path of the home that this server holds. */
  home: string;
  /** Where the gateway listens, for example `http://127.0.0.1:8080`. Empty when it does not. */
  urls: string[];
  /** How builds are kept apart from the machine; null: not known yet, it has just started. */
  builds: BuildsBody | null;
}

/** Part of `HealthBody`. */
export interface BuildsBody {
  /** Whether the kernel holds them in a jail. */
  jailed: boolean;
  /** Whether config.json lets them have one. */
  wanted: boolean;
  /** What holds them, or why nothing does. */
  note: string;
}

/** `POST /v1/leave` */
export interface LeftBody {
  /** Of the server that has left. */
  pid: number;
}
