import { createHash } from 'node:crypto';
import { FnrunError } from '../../runtime/contract/errors.ts';
import { keyLimits } from '../../runtime/contract/limits.ts';

/** A public key as OpenSSH writes it. */
export interface PublicKey {
  /** `ssh-ed25519` */
  type: string;
  /** Base64. */
  blob: string;
  /** `SHA256:…`, as `ssh-keygen -lf` shows it. */
  fingerprint: string;
}

/** Reads the fields behind the type of a key. Returns why the key is refused, null when it is sound. */
type Check = (fields: FieldReader) => string | null;

const ecdsaPointBytes: Readonly<Record<string, number>> = { nistp256: 65, nistp384: 97, nistp521: 133 };

const checks: Readonly<Record<string, Check>> = {
  'ssh-ed25519': ed25519,
  'sk-ssh-ed25519@openssh.com': (fields) => ed25519(fields) ?? application(fields),
  'ecdsa-sha2-nistp256': (fields) => ecdsa(fields, 'nistp256'),
  'ecdsa-sha2-nistp384': (fields) => ecdsa(fields, 'nistp384'),
  'ecdsa-sha2-nistp521': (fields) => ecdsa(fields, 'nistp521'),
  'sk-ecdsa-sha2-nistp256@openssh.com': (fields) => ecdsa(fields, 'nistp256') ?? application(fields),
  'ssh-rsa': rsa,
};

/**
 * Reads a public key: one line, `type base64 [comment]`, without options. Throws FN_BAD_KEY, which never repeats
 * what was given: it may be a private key.
 */
export function parsePublicKey(text: string): PublicKey {
  if (/PRIVATE KEY|^PuTTY-User-Key-File/m.test(text)) {
    throw bad('this is a private key, which must not leave its machine', 'give the file that ends in .pub');
  }
  const line = text.replace(/\r?\n$/, '');
  if (Buffer.byteLength(line) > keyLimits.publicKeyBytes) throw bad('it is too long');
  if (/[\r\n]/.test(line)) throw bad('it has more than one line', 'give one key at a time');
  const [type = '', blob = ''] = line.trim().split(/[ \t]+/);
  const check = Object.hasOwn(checks, type) ? checks[type] : undefined;
  if (check === undefined) throw bad(whyNot(type));
  const bytes = Buffer.from(blob, 'base64');
  if (blob === '' || bytes.toString('base64') !== blob) throw bad('its base64 is not whole');
  const fields = new FieldReader(bytes);
  if (fields.read()?.toString('latin1') !== type) throw bad('it says one type and holds another');
  const why = check(fields) ?? (fields.atEnd ? null : 'something follows the key');
  if (why !== null) throw bad(why);
  const digest = createHash('sha256').update(bytes).digest('base64').replace(/=+$/, '');
  return { type, blob, fingerprint: `SHA256:${digest}` };
}

function whyNot(type: string): string {
  if (type === 'ssh-dss') return 'DSA keys are broken, and no ssh takes them any more';
  if (type.includes('-cert-v')) return 'it is a certificate, not a key';
  return 'it does not begin with a type that fnrun takes: ssh-ed25519, ecdsa-sha2-nistp*, sk-* or ssh-rsa';
}

function ed25519(fields: FieldReader): string | null {
  return fields.read()?.length === 32 ? null : 'its ed25519 part has not 32 bytes';
}

function ecdsa(fields: FieldReader, curve: string): string | null {
  if (fields.read()?.toString('latin1') !== curve) return 'its curve is not the one of its type';
  const point = fields.read();
  return point !== null && point.length === ecdsaPointBytes[curve] && point[0] === 4 ? null : 'its point is not whole';
}

/** Of a security key: what it was made for, `ssh:`. */
function application(fields: FieldReader): string | null {
  return (fields.read()?.length ?? 0) > 0 ? null : 'it names no application';
}

function rsa(fields: FieldReader): string | null {
  const exponent = fields.read();
  const modulus = fields.read();
  if (exponent === null || exponent.length === 0 || modulus === null) return 'it is not whole';
  const first = modulus.findIndex((byte) => byte !== 0);
  const bits = first === -1 ? 0 : (modulus.length - first) * 8 - (Math.clz32(modulus[first]!) - 24);
  return bits >= keyLimits.rsaBits ? null : `its RSA modulus has ${bits} bits, at least ${keyLimits.rsaBits} are asked`;
}

/** The length-prefixed fields of RFC 4251, section 5. */
class FieldReader {
  readonly #bytes: Buffer;
  #at = 0;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  get atEnd(): boolean {
    return this.#at === this.#bytes.length;
  }

  /** Null when the bytes do not suffice. */
  read(): Buffer | null {
    if (this.#at + 4 > this.#bytes.length) return null;
    const start = this.#at + 4;
    const end = start + this.#bytes.readUInt32BE(this.#at);
    if (end > this.#bytes.length) return null;
    this.#at = end;
    return this.#bytes.subarray(start, end);
  }
}

function bad(
  why: string,
  hint = 'make one with: ssh-keygen -t ed25519, and give the file that ends in .pub',
): FnrunError {
  return new FnrunError('FN_BAD_KEY', `Cannot use the key: ${why}`, { hint });
}
