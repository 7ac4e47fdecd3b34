/** Bodies of the control API that are about ssh keys; the others are in types.ts. */

/** What a key may do. */
export interface KeyGrant {
  /** Null: every app. */
  apps: string[] | null;
  /** Names, or `prefix/*`. Null: every branch, and tags. */
  branches: string[] | null;
  /** Make new apps, which the key then may push to. */
  create: boolean;
  /** Look and clone only. */
  readOnly: boolean;
  /** Everything, keys included. */
  admin: boolean;
}

/** One ssh key. */
export interface KeyBody extends KeyGrant {
  id: string;
  name: string;
  type: string;
  /** As `ssh-keygen -lf` shows it. */
  fingerprint: string;
  createdAt: string;
}

/** `GET /v1/keys`, by name */
export interface KeysBody {
  keys: KeyBody[];
}

/** Body of `POST /v1/keys`; the answer (201) is a `KeyBody`. */
export interface AddKeyBody extends KeyGrant {
  name: string;
  /** `ssh-ed25519 AAAA… comment` */
  publicKey: string;
}

/** `GET /v1/access`: whom the server takes the caller for. */
export interface AccessBody {
  /** Null: the server's own user. */
  key: { id: string; name: string } | null;
  /** `may push to shop (only main)` */
  may: string;
}

/** What git runs on the server for a push, and for a clone. */
export type GitService = 'receive-pack' | 'upload-pack';

/** Body of `POST /v1/apps/:app/open`: asks for the app's repository; a first push makes the app if the key may. */
export interface OpenBody {
  service: GitService;
}

/** Answer to `POST /v1/apps/:app/open`. */
export interface OpenedBody {
  /** Absolute path. */
  repository: string;
  /** Whether the app was made just now. */
  created: boolean;
}
